import { rmSync } from 'node:fs';
import { deadLetterTopic, topics } from '#contracts';
import { type Database, openDatabase } from '#persistence';
import { openServers, type RunningServers, temporaryFolder } from '#servers';
import { eventually } from './eventually.js';
import { CommandClient } from './command-client.js';
import type { PlannedCommand } from './mixed-load.js';
import { startStack, type Stack, type StackOptions } from './stack.js';
import { TopicTail } from './topic-tail.js';
import { type StoredCommit, verdict } from './verdict.js';

const nothingRuns = { instances: { gateway: 0, 'ticket-command': 0, 'query-search': 0 } };
export const deadCommands = deadLetterTopic('ticket-command', topics.commands);

/** Real servers, a client of the topics, an eye on topics and store; and a stack, in which nothing runs unless it is told what. `stack.add` starts instances. */
export class WritePath {
  private constructor(
    readonly stack: Stack,
    readonly tail: TopicTail,
    readonly client: CommandClient,
    private readonly store: Database,
  ) {}

  static async open(servers: { kafkaBrokers: string; mongodbUri: string }, options: Omit<StackOptions, 'servers'> = nothingRuns): Promise<WritePath> {
    const stack = await startStack({ servers, ...options });
    const watched = [topics.commands, topics.events, topics.results, deadCommands];
    const [tail, client] = await Promise.all([TopicTail.open(servers.kafkaBrokers, watched), CommandClient.open(servers.kafkaBrokers)]);
    return new WritePath(stack, tail, client, openDatabase({ uri: servers.mongodbUri, database: 'deskstream_command' }));
  }

  /** Resolves when every command that arrived is answered and the group has committed the last one. */
  async settled(sent: readonly PlannedCommand[] = this.client.sent): Promise<void> {
    const ids = new Set(sent.map(({ commandId }) => commandId));
    await eventually(async () => {
      await this.tail.readToEnd();
      const answered = new Set(this.tail.records(topics.results).map(({ headers }) => headers['ce_id']));
      const waiting = [...ids].filter((id) => !answered.has(id)).length;
      if (waiting > 0) throw new Error(`${waiting} of ${ids.size} commands have no answer`);
      const lag = await this.tail.lagOf('ticket-command', topics.commands);
      if (lag > 0) throw new Error(`${lag} commands are not committed`);
    }, 180_000);
  }

  /** What is wrong with what was made of these commands; reads topics and store to their ends first. */
  async verdict(sent: readonly PlannedCommand[] = this.client.sent): Promise<string[]> {
    await this.tail.readToEnd();
    const commits = await this.commitsOf(sent);
    const isOurs = ((tickets) => (ticketId: string | undefined) => tickets.has(ticketId ?? ''))(new Set(sent.map(({ ticketId }) => ticketId)));
    const ofOurs = (topic: string) => this.tail.records(topic).filter(({ headers }) => isOurs(headers['ce_subject']));
    const dead = ofOurs(deadCommands).map(({ headers }) => `${headers['ce_id']} is a dead letter: ${headers['dead_reason']}, ${headers['dead_detail']}`);
    return [...dead, ...verdict({ sent, commands: ofOurs(topics.commands), events: ofOurs(topics.events), results: ofOurs(topics.results), commits })];
  }

  /** Distinct events and answers that are on the topics, and commits in the store, of these commands' tickets. */
  async seen(sent: readonly PlannedCommand[] = this.client.sent): Promise<{ commits: number; events: number; answers: number }> {
    await this.tail.readToEnd();
    const tickets = new Set(sent.map(({ ticketId }) => ticketId));
    const ids = (topic: string) => new Set(this.tail.records(topic).filter(({ headers }) => tickets.has(headers['ce_subject']!)).map(({ headers }) => headers['ce_id']));
    const commits = await this.commitsOf(sent);
    return { commits: commits.length, events: ids(topics.events).size, answers: ids(topics.results).size };
  }

  async close(): Promise<void> {
    await this.stack.stop();
    await Promise.all([this.tail.close(), this.client.close(), this.store.close()]);
  }

  private async commitsOf(sent: readonly PlannedCommand[]): Promise<StoredCommit[]> {
    const tickets = [...new Set(sent.map(({ orgId, ticketId }) => `${orgId}/${ticketId}`))];
    const found = await this.store.db.collection('commits').find({ ticket: { $in: tickets } }).toArray();
    return found.map((commit) => ({ ...commit, value: (commit['value'] as { buffer: Uint8Array }).buffer }) as unknown as StoredCommit);
  }
}

/** The servers that the test driver started, else some of our own; `stop` ends only those. */
export async function anyServers(): Promise<Pick<RunningServers, 'kafkaBrokers' | 'mongodbUri' | 'stop'>> {
  const { KAFKA_BROKERS: kafkaBrokers, MONGODB_URI: mongodbUri } = process.env;
  return kafkaBrokers && mongodbUri ? { kafkaBrokers, mongodbUri, stop: async () => undefined } : ownServers();
}

/** Small servers of this test alone, whose processes it may kill. */
export async function ownServers(): Promise<RunningServers> {
  const dataDir = temporaryFolder('servers');
  const servers = await openServers({ dataDir, env: {}, memory: 'small' });
  const stop = async () => {
    await servers.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...servers, servers: servers.servers, stop };
}
