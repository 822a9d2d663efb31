import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { topics, type DirectoryEntry, type Producer, type TicketEvent } from '#contracts';
import { ensureTopics, readSystemTopics, readTopics, RecordProducer, RoundTransport, TopicReader, type IncomingRecord } from '#messaging';
import { eventually as within } from '../../../../libs/servers/testing/eventually.js';
import { course } from '../../testing/course.js';
import { assistant, directoryRecord, eventRecord } from '../../testing/running.js';
import { OutboundStreams } from './outbound-streams.js';
import { streamGroup } from './outbound.reader.js';

Logger.overrideLogger(false);

const brokers = process.env['KAFKA_BROKERS']!.split(',');
const dead = 'dead.assignment-notification.ticket.events.v1';
const eventually = <T>(attempt: () => Promise<T>) => within(attempt, String(attempt));

let producer: RecordProducer;
let reader: TopicReader;
let admin: Admin;
let org: string;
let twin: string;
let system: string;
let revision: number;
const registered: { orgId: string; id: string }[] = [];
const instances: { transport: RoundTransport; streams: OutboundStreams }[] = [];

beforeAll(async () => {
  await ensureTopics(brokers, await readTopics('deploy/topics.yaml', 'local'));
  producer = new RecordProducer({ brokers, clientId: 'spec-outbound' });
  await producer.connect();
  reader = await TopicReader.open(brokers);
  admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await producer.close();
  await Promise.all([reader.close(), admin.disconnect()]);
});
beforeEach(async () => {
  [org, twin, system] = ['org', 'twin', 'erp'].map((name) => `${name}-${randomUUID().slice(0, 8)}`) as [string, string, string];
  revision = 0;
  await ensureTopics(brokers, (await readSystemTopics('deploy/topics.yaml', 'local'))(system));
  await know(assistant(org, 'billing-bot', []), assistant(org, 'tech-bot', []), assistant(twin, 'billing-bot', []));
});
afterEach(async () => {
  for (const instance of instances.splice(0)) await stop(instance);
  for (const named of registered.splice(0)) await grant(null, named); // other specs on this broker have nothing to tell for them
});

const outgoing = ({ topic, key, value, headers }: IncomingRecord) => ({ topic, key, value, headers });
const know = (...entries: DirectoryEntry[]) => producer.send(entries.map((entry) => outgoing(directoryRecord(entry))));
const happened = (...events: readonly TicketEvent[]) => producer.send(events.map((event) => outgoing(eventRecord(event))));
const farBack = '2026-01-01T00:00:00.000Z';

/** What an organisation lets a system do from now on; nothing without a value. */
function grant(value: Partial<Producer> | null, { orgId = org, id = system } = {}): Promise<void> {
  if (value !== null) registered.push({ orgId, id });
  const producerOf = { id, name: 'ERP', commands: ['create'], assistantIds: ['billing-bot'], ...value };
  return know({ orgId, kind: 'producer', id, revision: (revision += 1), deleted: value === null, value: producerOf });
}
const asks = (changes: Partial<NonNullable<Producer['outbound']>> = {}) => ({ outbound: { from: farBack, notes: false, ...changes } });

async function start() {
  const transport = new RoundTransport({ brokers, service: 'assignment-notification' });
  const streams = new OutboundStreams(brokers);
  await new Promise<void>((resolve) => void transport.listen(() => resolve()));
  streams.readBy(transport);
  streams.onApplicationBootstrap();
  await eventually(async () => expect(streams.isReady).toBe(true));
  const instance = { transport, streams };
  instances.push(instance);
  return instance;
}
async function stop({ transport, streams }: (typeof instances)[number]) {
  await transport.close();
  await streams.onApplicationShutdown();
}

/** All that lies on a topic. */
async function lying(topic: string): Promise<IncomingRecord[]> {
  const found: IncomingRecord[] = [];
  for (const { partition, low, high } of await reader.extent(topic)) await reader.read({ topic, partition, from: low, to: high }, (record) => void found.push(record));
  return found;
}
const told = async (id = system) => (await lying(`ticket.outbound.${id}.v1`)).map(({ headers }) => headers['ce_id']);
const idsOf = (...events: readonly TicketEvent[]) => events.map(({ ticketId, version }) => `${ticketId}:${version}`);
/** Of ids in order of each ticket: each once, ticket by ticket. */
const byTicket = (ids: readonly (string | undefined)[]) => [...Map.groupBy(new Set(ids as string[]), (id) => id.split(':')[0]!)].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([, same]) => same);
const groupOf = (from = farBack, orgId = org) => streamGroup({ orgId, system, from });

/** Resolves once a stream has worked off what lies on the events topic now, whatever comes behind it; never before its group stands. */
async function workedOff(group = groupOf()): Promise<void> {
  const ends = await admin.fetchTopicOffsets(topics.events);
  await eventually(async () => {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topics.events] });
    const at = new Map(found!.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    const behind = ends.filter(({ partition, high, low }) => at.get(partition)! < 0 || Number(high) > Math.max(Number(low), at.get(partition)!));
    expect(behind).toEqual([]);
  });
}
const members = async (group = groupOf()) => (await admin.describeGroups([group])).groups[0]!.members.length;

const billing = (orgId = org) => course(orgId).created({ assistantId: 'billing-bot' });
/** An event behind which nothing is told any more that was to be told before it. */
async function marked(id = system, orgId = org): Promise<void> {
  const marks = Array.from({ length: 40 }, () => billing(orgId).events[0]!);
  await happened(...marks);
  await eventually(async () => expect(await told(id)).toEqual(expect.arrayContaining(idsOf(...marks))));
  // Not every partition has a mark.
  await workedOff(streamGroup({ orgId, system: id, from: farBack }));
}

describe('an outside system', () => {
  it('is told what happens on its tickets, and nothing of another organisation, another assistant or a note', async () => {
    await grant(asks());
    await start();
    const mine = billing().moved('pending').commented('note', 'For us alone').commented('comment').replied();
    const hidden = course(org).created({ assistantId: 'tech-bot' }).commented('comment');
    const foreign = billing(twin).moved('pending');
    await happened(...mine.events, ...hidden.events, ...foreign.events);
    await marked();
    const ids = await told();
    for (const { ticketId } of [hidden.events[0]!, foreign.events[0]!]) expect(ids.filter((id) => id!.startsWith(ticketId))).toEqual([]);
    expect(byTicket(ids.filter((id) => id!.startsWith(mine.id)))).toEqual(idsOf(...mine.events).filter((_, index) => index !== 2));
    expect((await lying(`ticket.outbound.${system}.v1`)).map(({ value }) => String(value)).join()).not.toContain('For us alone');
  });

  it('that did not ask is told nothing', async () => {
    await grant({});
    const other = `${system}-b`;
    await ensureTopics(brokers, (await readSystemTopics('deploy/topics.yaml', 'local'))(other));
    await grant(asks(), { id: other });
    await start();
    await marked(other);
    expect(await told()).toEqual([]);
  });

  it('is told what happened since the time that was chosen, and nothing of before', async () => {
    const early = billing().at('2026-03-01T00:00:00.000Z').moved('pending');
    const late = early.at('2026-03-01T00:00:00.001Z').commented('comment').at('2026-04-01T00:00:00.000Z').replied();
    await happened(...late.events);
    await grant(asks({ from: '2026-03-01T00:00:00.001Z' }));
    await start();
    await eventually(async () => expect(byTicket(await told())).toEqual(idsOf(...late.events.slice(-2))));
  });

  it('waits for a time that is still to come', async () => {
    await grant(asks({ from: '2096-01-01T00:00:00.000Z' }));
    await start();
    await workedOff(groupOf('2096-01-01T00:00:00.000Z'));
    const then = billing().at('2095-12-31T23:59:59.999Z').moved('pending').at('2096-01-01T00:00:00.000Z').moved('resolved');
    await happened(...then.events);
    await eventually(async () => expect(byTicket(await told())).toEqual(idsOf(then.events.at(-1)!)));
  });

  it('is told of several organisations, of each since its own time', async () => {
    const [mine, theirs] = [billing().at('2026-02-01T00:00:00.000Z').moved('pending'), billing(twin).at('2026-02-01T00:00:00.000Z').moved('pending')];
    await happened(...mine.events, ...theirs.events);
    await grant(asks());
    await start();
    await eventually(async () => expect(byTicket(await told())).toEqual(byTicket(idsOf(...mine.events))));
    await grant(asks({ from: '2026-02-01T00:00:00.000Z' }), { orgId: twin });
    await eventually(async () => expect(byTicket(await told())).toEqual(byTicket(idsOf(...mine.events, theirs.events[1]!))));
  });

  it('is told of notes from when they are granted until they are withdrawn, and of assistants likewise', async () => {
    await grant(asks({ notes: true }));
    await start();
    const noted = billing().commented('note');
    await happened(...noted.events);
    await eventually(async () => expect(byTicket(await told())).toEqual(idsOf(...noted.events)));
    await grant(asks());
    await nothingOf(() => billing().commented('note').events.slice(1));
    await grant({ ...asks(), assistantIds: [] });
    await nothingOf(() => billing().events);
    await grant({ ...asks(), assistantIds: ['tech-bot'] });
    await eventually(async () => {
      const { events } = course(org).created({ assistantId: 'tech-bot' });
      await happened(...events);
      await workedOff();
      expect(await told()).toContain(idsOf(...events)[0]);
    });
    await know({ ...assistant(org, 'tech-bot', []), revision: 2, deleted: true } as DirectoryEntry);
    await nothingOf(() => course(org).created({ assistantId: 'tech-bot' }).events);
  });

  it('that is registered no more is told nothing; asked for again, what began at the same time goes on, and at another begins anew', async () => {
    await grant(asks());
    await start();
    const before = billing();
    await happened(...before.events);
    await eventually(async () => expect(await told()).toEqual(idsOf(...before.events)));
    await grant(null);
    await eventually(async () => expect(await members()).toBe(0));
    const between = before.moved('pending').events.slice(1);
    await happened(...between);
    await grant(asks({ from: '2026-01-01T00:00:00.001Z' }));
    await eventually(async () => expect(await told()).toEqual(idsOf(...before.events, ...before.events, ...between)));
    await grant(asks());
    await eventually(async () => expect(await told()).toEqual(idsOf(...before.events, ...before.events, ...between, ...between)));
  });

  it('whose topic is gone keeps nobody waiting, turns nothing red, and misses nothing once it is there again', async () => {
    const other = `${system}-b`;
    const topicsOf = await readSystemTopics('deploy/topics.yaml', 'local');
    await ensureTopics(brokers, topicsOf(other));
    await Promise.all([grant(asks()), grant(asks(), { id: other })]);
    const { transport } = await start();
    await marked();
    await admin.deleteTopics({ topics: [`ticket.outbound.${system}.v1`] });
    await reader.close(); // it would go on asking for that topic with every other one
    reader = await TopicReader.open(brokers);
    const meanwhile = billing().moved('pending');
    await happened(...meanwhile.events);
    await marked(other);
    expect(transport.health()).toMatchObject({ live: true, ready: true });
    await ensureTopics(brokers, topicsOf(system));
    await eventually(async () => expect(await told()).toEqual(expect.arrayContaining(idsOf(...meanwhile.events))));
    expect(byTicket((await told()).filter((id) => id!.startsWith(meanwhile.id)))).toEqual(idsOf(...meanwhile.events));
    expect(transport.health()).toMatchObject({ live: true, ready: true });
  });

  it('whose topic does not take a record has it set aside, and is told the next one', async () => {
    const topic = `ticket.outbound.${system}.v1`;
    await ensureTopics(brokers, (await readSystemTopics('deploy/topics.yaml', 'local'))(system).map((spec) => (spec.name === topic ? { ...spec, config: { ...spec.config, 'max.message.bytes': '20000' } } : spec)));
    await grant(asks());
    const { transport } = await start();
    const events = billing().commented('comment', 'x'.repeat(30_000)).moved('pending').events;
    await happened(...events);
    await eventually(async () => expect(new Set(await told())).toEqual(new Set(idsOf(events[0]!, events[2]!))));
    const letters = await eventually(async () => {
      const found = (await lying(dead)).filter(({ headers }) => headers['ce_id'] === idsOf(events[1]!)[0]);
      return found.length > 0 && found;
    });
    expect(letters.map(({ headers }) => [headers['dead_reason'], headers['dead_consumer']])).toEqual([['handler-failed', `assignment-notification.outbound.${org}/${system}/${Date.parse(farBack)}`]]);
    expect(letters[0]!.headers['dead_detail']).toContain(topic);
    expect(transport.health()).toMatchObject({ live: true, ready: true });
  });

  it('is told everything in order by two instances, one of which goes', async () => {
    await grant(asks());
    const [first] = [await start(), await start()];
    const all = Array.from({ length: 120 }, () => billing().moved('pending').commented('comment').moved('resolved').events);
    for (const [index, events] of all.entries()) {
      await happened(...events);
      if (index !== 60) continue;
      instances.splice(instances.indexOf(first), 1);
      await stop(first);
    }
    await eventually(async () => expect(byTicket(await told())).toEqual(byTicket(idsOf(...all.flat()))));
    const texts = Map.groupBy(await lying(`ticket.outbound.${system}.v1`), ({ headers }) => headers['ce_id']);
    for (const [, same] of texts) expect(new Set(same.map(({ value }) => String(value))).size).toBe(1);
  });
});

/** Sees that from some moment on nothing of such events is told. */
async function nothingOf(events: () => readonly TicketEvent[]): Promise<void> {
  await eventually(async () => {
    const untold = events();
    await happened(...untold);
    await workedOff();
    expect((await told()).filter((id) => idsOf(...untold).includes(id!))).toEqual([]);
  });
}
