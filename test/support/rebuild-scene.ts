import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { eventId, eventSource, topics, type Principal, type TicketEvent } from '#contracts';
import { RecordProducer, toHeaders, type OutgoingRecord } from '#messaging';
import { openDatabase, type Database } from '#persistence';
import { leash, openServers, temporaryFolder, type Leashed, type RunningServers } from '#servers';
import { Story } from '../../apps/query-search/testing/stories.js';
import { built, rootDir } from '../../tools/places.js';
import { inherited } from '../../tools/processes/apps.js';
import { eventually } from './eventually.js';
import { startStack, type Stack, type StackOptions } from './stack.js';

/** A program that builds the read model anew, and what it said. */
export interface RebuildRun extends Pick<Leashed, 'ended' | 'signal' | 'pid'> {
  said(): string;
}

/** The read model's course, as far as specs look at it. */
export interface SeenCourse {
  /** Another one after every change. */
  term: number;
  phase: string;
  live: number;
  building: number | null;
  holder: string | null;
  retired: number[];
  dropping: number[];
}

/** All but the vocabulary: it keeps words that no ticket has any more. */
const parts = ['tickets', 'timeline', 'search', 'stats_days', 'stats_months', 'stats_marks'];

/** Servers of its own with two instances of query-search, whose read model is built anew. Generations are an installation's: no other spec shares them. */
export class RebuildScene {
  private constructor(
    readonly servers: RunningServers,
    readonly stack: Stack,
    private readonly store: Database,
    private readonly producer: RecordProducer,
    private readonly folder: string,
  ) {}

  static async open(options: Pick<StackOptions, 'instances'> = {}): Promise<RebuildScene> {
    const folder = temporaryFolder('rebuild');
    const servers = await openServers({ dataDir: folder, env: {}, memory: 'small' });
    try {
      const stack = await startStack({ servers, instances: { gateway: 0, 'ticket-command': 0, 'query-search': 2, ...options.instances } });
      const producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'spec-rebuild', maxQueued: 200_000, maxQueuedBytes: 2 ** 30 });
      await producer.connect();
      return new RebuildScene(servers, stack, openDatabase({ uri: servers.mongodbUri, database: 'deskstream_query' }), producer, folder);
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  get instances() {
    return this.stack.apps['query-search'];
  }

  /** Puts events on their topic, as ticket-command does. */
  async publish(events: readonly TicketEvent[]): Promise<void> {
    await this.producer.send(events.map(outgoing));
  }

  /** As `npm run query:rebuild` does. */
  rebuild(...options: string[]): RebuildRun {
    return this.run([join(rootDir, 'tools', 'run.mjs'), 'query:rebuild', ...options]);
  }

  /** The same, and when it comes to a phase it sends a signal, by default to itself. */
  rebuildSignalling(phase: string, signal: NodeJS.Signals, pid?: number): RebuildRun {
    const env = { AT_PHASE: phase, PHASE_SIGNAL: signal, ...(pid !== undefined && { PHASE_PID: String(pid) }) };
    return this.run(['--import', built('test/support/signal-at-phase.js'), join(rootDir, 'tools', 'run.mjs'), 'query:rebuild'], env);
  }

  private run(args: string[], more: NodeJS.ProcessEnv = {}): RebuildRun {
    const env = { ...inherited(), KAFKA_BROKERS: this.servers.kafkaBrokers, MONGODB_URI: this.servers.mongodbUri, ...more };
    const run = leash({ command: [process.execPath, ...args], env });
    let said = '';
    for (const output of run.outputs) output.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return { ended: run.ended, signal: run.signal, pid: run.pid, said: () => said };
  }

  async course(): Promise<SeenCourse> {
    return (await this.store.db.collection<SeenCourse & { _id: string }>('generations').findOne({ _id: 'course' }))!;
  }

  /** Every document of a generation by its `_id`, without what tells when it was counted. */
  async documents(generation: number): Promise<Record<string, Map<string, unknown>>> {
    const suffix = generation === 1 ? '' : `.g${generation}`;
    const read = async (name: string) => {
      const all = await this.store.db.collection<{ _id: string }>(`${name}${suffix}`).find().toArray();
      return new Map(all.map(({ _id, ...rest }) => [_id, name.startsWith('stats') ? { ...rest, version: 0 } : rest]));
    };
    return Object.fromEntries(await Promise.all(parts.map(async (name) => [name, await read(name)] as const)));
  }

  /** Makes of the live read model what older versions left: search entries without the keys of their tickets, views without those of work, and no shapes. */
  async makeOlder(): Promise<void> {
    const { live } = await this.course();
    await this.store.db.collection<{ _id: string }>('generations').updateOne({ _id: 'course' }, { $unset: { shapes: '' } });
    await this.looked();
    const named = (name: string) => (live === 1 ? name : `${name}.g${live}`);
    const views = this.store.db.collection<{ _id: string; keys: string[] }>(named('tickets'));
    const worked = await views.find({ status: { $ne: 'closed' } }).toArray();
    await views.bulkWrite(worked.map(({ _id, keys }) => ({ updateOne: { filter: { _id }, update: { $set: { keys: keys.filter((key) => !/^(open|pending|resolved) /.test(key)) } } } })));
    const entries = this.store.db.collection<{ _id: string; tokens: string[] }>(named('search'));
    const all = await entries.find().toArray();
    await entries.bulkWrite(all.map(({ _id, tokens }) => ({ updateOne: { filter: { _id }, update: { $set: { tokens: tokens.filter((token) => !token.startsWith('=')) } } } })));
  }

  /** Every instance has looked at the course since: each look begins with a sign. */
  private async looked(): Promise<void> {
    const signs = async () => new Map((await this.store.db.collection<{ _id: string; beat: number }>('generation_members').find({ role: 'instance' }).toArray()).map(({ _id, beat }) => [_id, beat]));
    const before = await signs();
    await eventually(async () => [...(await signs())].every(([id, beat]) => beat >= (before.get(id) ?? 0) + 2));
  }

  /** Names of all collections. */
  async collections(): Promise<string[]> {
    return (await this.store.db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  }

  /** Asks an instance as a gateway does. */
  async ask(instance: number, path: string, by: Principal): Promise<{ status: number; body: Record<string, unknown> }> {
    const key = Buffer.from(this.stack.internalKey);
    const assertion = await new SignJWT({ principal: by }).setProtectedHeader({ alg: 'HS256' }).setIssuer('gateway').setAudience('query-search').setExpirationTime('60s').sign(key);
    const response = await fetch(`${this.instances[instance]!.url}/v1${path}`, { headers: { authorization: `Bearer ${assertion}` } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.close(), this.store.close(), this.stack.stop()]);
    await this.servers.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function outgoing({ type, orgId, ticketId, version, at, ...rest }: TicketEvent): OutgoingRecord {
  const headers = toHeaders({ id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId });
  return { topic: topics.events, key: ticketId, value: JSON.stringify({ orgId, ticketId, version, at, ...rest }), headers };
}

/** Somebody who writes all the time: a ticket that changes, in one organisation, and others that come, in another one. Stops when told to. */
export class Traffic {
  readonly hot = new Story({ orgId: 'hot', number: 1, at: Date.now() }).create({ title: 'Hot' });
  tickets = 0;
  private isOver = false;
  private working: Promise<void>;

  constructor(private readonly scene: Pick<RebuildScene, 'publish'>) {
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.working;
  }

  private async work(): Promise<void> {
    for (let [turn, told] = [0, 0]; !this.isOver; turn++, told = this.hot.events.length) {
      const others = Array.from({ length: turn % 5 === 0 ? 1 : 0 }, () => new Story({ orgId: 'moving', number: ++this.tickets, at: Date.now() }).create({ title: 'Another one' }).move('pending'));
      for (let i = 0; i < 5; i++) this.hot.happens('ticket.update-details.v1', { title: `Hot ${turn}.${i}` });
      await this.scene.publish([...this.hot.events.slice(told), ...others.flatMap(({ events }) => events)]);
      await delay(150); // every event comes again with each rebuild
    }
  }
}

const administrator = (orgId: string): Principal => ({ orgId, actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } });
const aDay = 86_400_000;

/** Somebody who reads all the time, now from this instance, now from that one, and never twice at a time. */
export class Watcher {
  /** What must not have been. */
  readonly wrong: string[] = [];
  readonly answers = { good: 0, unavailable: 0, slow: 0 };
  readonly questions = 5;
  /** Instances that are asked; one that stands still is left out. */
  asked = [0, 1];
  private readonly known = new Map<string, number>();
  private isOver = false;
  private readonly working: Promise<void>;

  constructor(
    private readonly scene: Pick<RebuildScene, 'ask' | 'course'>,
    private readonly ticketId: string,
  ) {
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.working;
  }

  /** Looks at one instance once. */
  async look(instance: number, turn: number): Promise<void> {
    const range = `from=${new Date(Date.now() - aDay).toISOString()}&to=${new Date(Date.now() + aDay).toISOString()}`;
    const questions: [string, (body: any) => number][] = [ // eslint-disable-line @typescript-eslint/no-explicit-any -- bodies of four shapes
      [`/tickets/${this.ticketId}`, (body) => body.version],
      [`/tickets/${this.ticketId}/timeline?limit=1&after=0`, (body) => body.items.length],
      ['/tickets?q=another&pageSize=1', (body) => body.total], // totals above 1,000 may be seconds old
      ['/tickets?pageSize=1', (body) => body.total],
      [`/stats?${range}`, (body) => Object.values<number>(body.byStatus).reduce((sum, count) => sum + count, 0)],
    ];
    const [path, measure] = questions[turn % questions.length]!;
    const name = path.split('from=')[0]!;
    const before = this.known.get(name) ?? 0;
    const by = administrator(path.includes(this.ticketId) ? 'hot' : 'moving');
    const [course, { status, body }] = await Promise.all([this.scene.course(), this.scene.ask(instance, path, by)]);
    if (status === 503) return void this.answers[(await this.hasSwitched(course)) ? 'unavailable' : 'slow']++;
    if (status !== 200) return void this.wrong.push(`${path} of instance ${instance}: ${status}`);
    this.answers.good++;
    const seen = measure(body);
    if (seen < before) this.wrong.push(`${name} of instance ${instance}: ${seen} after ${before}`);
    this.known.set(name, Math.max(seen, this.known.get(name) ?? 0));
  }

  /** Whether the read model was on its way to another one since then: whoever was refused while it was not has met a slow machine. */
  private async hasSwitched(since: SeenCourse): Promise<boolean> {
    const now = await this.scene.course();
    return since.phase !== 'serving' || now.term !== since.term;
  }

  private async work(): Promise<void> {
    for (let turn = 0; !this.isOver; turn++, await delay(10)) await this.look(this.asked[turn % this.asked.length]!, Math.floor(turn / 2));
  }
}
