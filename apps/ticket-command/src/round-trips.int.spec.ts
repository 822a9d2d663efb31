import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { topics, type TicketCommand } from '#contracts';
import { RecordProducer, type OutgoingRecord } from '#messaging';
import { MongoCommitLog, NumberBlocks, prepareCommits } from '#persistence';
import { commandOf, orgId } from '../../../libs/contracts/testing/builders.js';
import { brokers, createTopics, freshName, readTopic } from '../../../libs/messaging/testing/kafka-broker.js';
import { apis, KafkaProxy } from '../../../libs/messaging/testing/kafka-proxy.js';
import { openTestStore, openWatchedStore } from '../../../libs/persistence/testing/test-store.js';
import { ticketBody } from '../../../test/bench/commands.js';
import { recordsOf } from '../testing/instance.js';
import { readCommands, type Received } from './command-record.js';
import { KnownTickets } from './known-tickets.js';
import { Outcomes } from './outcomes.js';
import { TicketHandler } from './ticket.handler.js';

Logger.overrideLogger(false);

const size = 500;
/** What a command of the driver counts as; any other counts under its own name. */
const kinds: Record<string, string> = { find: 'reads', getMore: 'reads', aggregate: 'reads', insert: 'inserts', findAndModify: 'counterUpdates' };

/** Events and answers are never one request: fewer than two were not counted. */
const fourAtMost = { asymmetricMatch: (count: unknown) => typeof count === 'number' && count >= 2 && count <= 4, toString: () => '2 to 4' };

/** Commands for one round, each for a ticket of its own, as they are read from the topic. */
function roundOf(command: (index: number) => TicketCommand, from = 0): Received[] {
  const { received, dead } = readCommands(recordsOf(Array.from({ length: size }, (_, index) => command(index)), { from }));
  expect([received.length, dead]).toEqual([size, []]);
  return received;
}

const creates = () => roundOf((index) => commandOf('ticket.create.v1', ticketBody(index), { commandId: randomUUID(), ticketId: randomUUID() }));

/** A move or a comment for each of these tickets, by turns. */
const changesOf = (round: readonly Received[]) =>
  roundOf((index) => {
    const ids = { commandId: randomUUID(), ticketId: round[index]!.command.ticketId };
    if (index % 2 === 0) return commandOf('ticket.change-status.v1', { to: 'pending', comment: 'We wait for the customer.' }, ids);
    return commandOf('ticket.add-comment.v1', { kind: 'reply', body: ticketBody(index).description }, ids);
  }, size);

describe(`${size} commands for ${size} different tickets in one round cost at most 3 reads, 1 insert, 4 produce requests and one counter update`, () => {
  const { store, database, close } = openTestStore('round_trips');
  const proxy = new KafkaProxy(brokers[0]!);
  let producer: RecordProducer;
  let watched: Awaited<ReturnType<typeof openWatchedStore>>;
  let produceRequests = 0;

  beforeAll(async () => {
    await prepareCommits(store);
    // An organisation's first number of all begins its counter, which costs one insert more, once for ever.
    await new NumberBlocks(store).take(orgId, 1);
    watched = await openWatchedStore(database);
    proxy.onAnswer = (api) => {
      if (api === apis.produce) produceRequests += 1;
      return 'pass';
    };
    producer = new RecordProducer({ brokers: [await proxy.listen()], clientId: 'spec-round-trips' });
    await producer.connect();
  });
  afterAll(async () => {
    await producer.close();
    await proxy.close();
    await watched.store.close();
    await close();
  });

  /** One that has just started and remembers nothing. It publishes to topics of its own, so that all on them is its. */
  async function newInstance() {
    const own: Record<string, string> = { [topics.events]: freshName(), [topics.results]: freshName() };
    await createTopics(Object.values(own));
    const send = (records: readonly OutgoingRecord[]) => producer.send(records.map((record) => ({ ...record, topic: own[record.topic]! })));
    const known = new KnownTickets();
    const handler = new TicketHandler(new MongoCommitLog(watched.store), new NumberBlocks(watched.store), new Outcomes({ send }, { send: async () => undefined }), known);
    const costOf = async (round: readonly Received[], again = false) => {
      known.proceed(round.map(({ record }) => record));
      watched.seen();
      produceRequests = 0;
      await handler.handle(round, again);
      return { store: tally(watched.seen().map((name) => kinds[name] ?? name)), produceRequests };
    };
    return { costOf, published: (topic: string) => published(own[topic]!) };
  }

  const stored = () => store.db.collection('commits').countDocuments();

  it('when they are creates: no read', async () => {
    const { costOf, published } = await newInstance();
    expect(await costOf(creates())).toEqual({ store: { inserts: 1, counterUpdates: 1 }, produceRequests: fourAtMost });
    expect([(await published(topics.events)).length, await outcomesIn(published)]).toEqual([size, { applied: size }]);
  });

  it('when they change tickets that are not remembered: three reads, no counter update', async () => {
    const round = creates();
    await (await newInstance()).costOf(round);
    const { costOf, published } = await newInstance();
    expect(await costOf(changesOf(round))).toEqual({ store: { reads: 3, inserts: 1 }, produceRequests: fourAtMost });
    expect([(await published(topics.events)).length, await outcomesIn(published)]).toEqual([size, { applied: size }]);
  });

  it('when they are creates that an instance before had stored: no insert, no counter update, and the same bytes once more', async () => {
    const [round, first, successor] = [creates(), await newInstance(), await newInstance()];
    await first.costOf(round);
    const before = await stored();
    expect(await successor.costOf(round, true)).toEqual({ store: { reads: 3 }, produceRequests: fourAtMost });
    expect(await stored()).toBe(before);
    for (const topic of [topics.events, topics.results]) {
      const records = await successor.published(topic);
      expect(records).toHaveLength(size);
      expect(records).toEqual(await first.published(topic));
    }
  });

  it('when they are creates that were tried before and not stored', async () => {
    const { costOf, published } = await newInstance();
    const { store: { reads, ...writes }, produceRequests } = await costOf(creates(), true);
    expect(reads).toBeLessThanOrEqual(3);
    expect([writes, produceRequests]).toEqual([{ inserts: 1, counterUpdates: 1 }, fourAtMost]);
    expect(await outcomesIn(published)).toEqual({ applied: size });
  });
});

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What is on a topic, every byte of it, in one order. */
async function published(topic: string): Promise<string[]> {
  const records = await readTopic(topic);
  const bytes = (buffer: Buffer | null) => buffer?.toString('latin1');
  const lines = records.map(({ key, value, rawHeaders, partition }) =>
    JSON.stringify([partition, bytes(key), bytes(value), rawHeaders.map((header) => [bytes(header.key), bytes(header.value)])]),
  );
  return lines.sort();
}

async function outcomesIn(read: (topic: string) => Promise<string[]>): Promise<Record<string, number>> {
  const values = (await read(topics.results)).map((line) => (JSON.parse(line) as string[])[2]!);
  return tally(values.map((value) => (JSON.parse(value) as { outcome: string }).outcome));
}
