import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';
import { inboundResultsTopic, inboundTopic, topics, type DeadLetterReason, type EventValue, type InboundResult } from '#contracts';
import { type OutgoingRecord, type RawHeader, RecordProducer } from '#messaging';
import { openDatabase } from '#persistence';
import { inboundCommandId } from '../../apps/ticket-command/src/inbound/inbound-command.js';
import { eventually } from '../support/eventually.js';
import { deadInbound, freshSystem, grantOf, inboundRecord, makeSystemTopics, publishEntries, type Said, systemTopics } from '../support/inbound.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';
import { anyServers } from '../support/write-path.js';

Logger.overrideLogger(false);

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

/** One record, as a batch holds it, whose value is a gigabyte of nothing; packed. */
async function packedGigabyte(): Promise<Buffer> {
  const [block, blocks] = [Buffer.alloc(1 << 20), 1 << 10];
  const fields = Buffer.concat([Buffer.of(0, 0, 0, 1), varint(block.length * blocks)]); // attributes, time and offset of the first, no key
  const gzip = createGzip();
  const packed: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => packed.push(chunk));
  gzip.write(Buffer.concat([varint(fields.length + block.length * blocks + 1), fields]));
  for (let i = 0; i < blocks; i++) if (!gzip.write(block)) await once(gzip, 'drain');
  gzip.end(Buffer.of(0)); // no headers
  await once(gzip, 'end');
  return Buffer.concat(packed);
}

/** Kafka's variable-length number (zigzag). */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value * 2;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.of(...bytes, left);
}

const hourMs = 3_600_000;

/** A record that is refused at the door, and what it is refused for. Answered where it says an id. */
interface Broken {
  name: string;
  reason: DeadLetterReason;
  record: OutgoingRecord;
  isAnswered?: boolean;
}

function brokenOnes(system: string): Broken[] {
  const create: Said = { verb: 'create', data: { title: 'T' } };
  const good = (said: Said = create) => inboundRecord(system, said);
  const headed = (headers: Record<string, string>, said = create) => ({ ...good(said), headers: { ...good(said).headers, ...headers } });
  const valued = (value: OutgoingRecord['value']) => ({ ...good(), value });
  const edited = (changes: Record<string, unknown>) => valued(JSON.stringify({ orgId: 'acme', data: { title: 'T' }, ...changes }));
  const structured = (event: unknown) => ({ ...good(), value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' } });
  const event = (changes: object) => ({ specversion: '1.0', id: randomUUID(), source: '/s', type: 'ticket.create.v1', data: { orgId: 'acme', data: { title: 'T' } }, ...changes });
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const ticketId = randomUUID();
  return [
    { name: 'not JSON', reason: 'not-json', record: valued('{"orgId": "acme",') },
    { name: 'no UTF-8', reason: 'not-json', record: valued(Buffer.from([0x22, 0xff, 0xfe, 0x22])) },
    { name: 'no value', reason: 'not-json', record: valued(null) },
    { name: 'neither key nor value', reason: 'not-json', record: { ...valued(null), key: null } },
    { name: 'nothing at all', reason: 'not-json', record: { topic: inboundTopic(system), key: null, value: null }, isAnswered: false },
    { name: 'no id', reason: 'schema-invalid', record: headed({ ce_id: '' }), isAnswered: false },
    { name: 'an id that no key could be', reason: 'schema-invalid', record: headed({ ce_id: 'x'.repeat(301) }), isAnswered: false },
    { name: 'an actor of its own', reason: 'schema-invalid', record: edited({ actor: { type: 'member', id: 'ada', name: 'Ada' } }) },
    { name: 'access of its own', reason: 'schema-invalid', record: edited({ access: { role: 'admin', assistantIds: [] } }) },
    { name: 'a channel of its own', reason: 'schema-invalid', record: edited({ channel: 'console' }) },
    { name: 'an origin of its own', reason: 'schema-invalid', record: edited({ origin: { system: 'other' } }) },
    { name: 'a time of its own', reason: 'schema-invalid', record: edited({ at: at(-hourMs) }) },
    { name: 'an id for a new ticket', reason: 'schema-invalid', record: edited({ ticketId }) },
    { name: 'two names for a new ticket', reason: 'schema-invalid', record: edited({ externalId: 'A', data: { title: 'T', externalId: 'B' } }) },
    { name: 'a mark that doors make', reason: 'schema-invalid', record: edited({ data: { title: 'T', unknownAssistant: true } }) },
    { name: 'a name that doors look up', reason: 'schema-invalid', record: good({ verb: 'assign', ticketId, data: { to: { type: 'member', id: 'ada', name: 'Mallory' } } }) },
    { name: 'the reason of a rule', reason: 'schema-invalid', record: good({ verb: 'assign', ticketId, data: { to: null, reason: 'rule', explanation: {} } }) },
    { name: 'a key that reaches a prototype', reason: 'schema-invalid', record: valued('{"orgId":"acme","data":{"title":"T","customFields":{"__proto__":1}}}') },
    { name: '20,000 levels of JSON', reason: 'schema-invalid', record: valued(`{"orgId":"acme","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`) },
    { name: 'another version of CloudEvents', reason: 'schema-invalid', record: headed({ ce_specversion: '0.3' }) },
    { name: 'a type that is not known', reason: 'unknown-type', record: headed({ ce_type: 'ticket.explode.v1' }) },
    { name: 'an inherited name as its type', reason: 'unknown-type', record: headed({ ce_type: 'constructor' }) },
    { name: 'another organisation in its headers', reason: 'organisation-mismatch', record: headed({ ce_orgid: 'globex' }) },
    { name: 'an organisation that lets another system write', reason: 'producer-not-allowed', record: good({ ...create, orgId: 'globex' }) },
    { name: 'an organisation that nobody knows', reason: 'producer-not-allowed', record: good({ ...create, orgId: 'nobody' }) },
    { name: 'a command that it may not send', reason: 'producer-not-allowed', record: good({ verb: 'delete', ticketId, data: {} }) },
    { name: 'an assistant that is not its own', reason: 'producer-not-allowed', record: edited({ data: { title: 'T', assistantId: 'tech-bot' } }) },
    { name: 'a subject that is another ticket', reason: 'key-mismatch', record: headed({ ce_subject: randomUUID() }, { verb: 'add-comment', ticketId, data: { kind: 'comment', body: 'B' } }) },
    { name: 'two tickets', reason: 'key-mismatch', record: good({ verb: 'add-comment', ticketId, externalId: 'A', data: { kind: 'comment', body: 'B' } }) },
    { name: 'a time far ahead', reason: 'timestamp-out-of-range', record: headed({ ce_time: at(hourMs + 60_000) }) },
    { name: 'a time long ago', reason: 'timestamp-out-of-range', record: headed({ ce_time: at(-7 * 24 * hourMs - 60_000) }) },
    { name: '2 MB', reason: 'oversize', record: edited({ data: { title: 'T', description: 'x'.repeat(2_000_000) } }) },
    { name: '10,000 headers', reason: 'not-json', record: withHeaders(valued('nothing'), 10_000) },
    { name: 'a structured event that is none', reason: 'schema-invalid', record: structured([]), isAnswered: false },
    { name: 'a structured event whose type is no text', reason: 'schema-invalid', record: structured(event({ type: 7 })) },
    { name: 'a structured event of another organisation', reason: 'organisation-mismatch', record: structured(event({ orgid: 'globex' })) },
    { name: 'a structured event of 2 MB', reason: 'oversize', record: structured(event({ data: { orgId: 'acme', data: { title: 'x'.repeat(2_000_000) } } })) },
  ];
}

const raw = (key: string, value: string): RawHeader => ({ key: Buffer.from(key), value: Buffer.from(value) });
const withHeaders = (record: OutgoingRecord, count: number): OutgoingRecord => ({
  ...record,
  headers: [...Object.entries(record.headers as Record<string, string>).map(([key, value]) => raw(key, value)), ...Array.from({ length: count }, (_, index) => raw(`h${index}`, 'x'))],
});

/** What the system wrote into a record as its id, where it did. */
function ceIdOf({ headers, value }: OutgoingRecord): string | undefined {
  if (headers === undefined) return undefined;
  if (Array.isArray(headers)) return (headers as RawHeader[]).find(({ key }) => key.toString() === 'ce_id')?.value?.toString();
  const texts = headers as Record<string, string>;
  return texts['ce_id'] ?? (JSON.parse(String(value)) as { id?: string }).id;
}

describe('records of outside systems that cannot be taken', () => {
  const system = freshSystem('hostile');
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let stack: Stack;
  let producer: RecordProducer;
  let tail: TopicTail;

  beforeAll(async () => {
    servers = await anyServers();
    stack = await startStack({ servers, instances: { gateway: 0, 'query-search': 0 } });
    producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'outside', maxRecordBytes: 4 << 20 });
    await Promise.all([producer.connect(), makeSystemTopics(servers.kafkaBrokers, system)]);
    tail = await TopicTail.open(servers.kafkaBrokers, [topics.events, ...systemTopics(system)]);
    await publishEntries(producer, grantOf(system, 'acme', { commands: ['create', 'add-comment', 'assign'] }), grantOf(freshSystem('other'), 'globex'));
  });

  afterAll(async () => {
    await Promise.all([producer.close(), tail.close(), stack.stop()]);
    await servers.stop();
  });

  const results = async () => {
    await tail.readToEnd();
    return new Map(tail.records(inboundResultsTopic(system)).map(({ key, value }) => [key!.toString(), JSON.parse(value!.toString()) as InboundResult]));
  };
  /** Of each record one: it may be set aside again by who goes on after somebody else. */
  const letters = () => [...new Map(tail.records(deadInbound(system)).map((letter) => [`${letter.headers['dead_partition']}/${letter.headers['dead_offset']}`, letter])).values()];

  it('become dead letters under the name of what is wrong, are told so, and a good one behind each is done', async () => {
    const broken = brokenOnes(system);
    const good = broken.map(() => inboundRecord(system, { verb: 'create', data: { title: 'Behind' } }));
    for (const [index, { record }] of broken.entries()) await producer.send([record, good[index]!].map((one) => ({ ...one, partition: 3 })));
    await eventually(async () => {
      const told = await results();
      expect(good.filter(({ headers }) => told.get(headers['ce_id']!)?.outcome !== 'applied')).toEqual([]);
      expect(letters().length).toBe(broken.length);
    });

    const bySource = letters().sort((one, other) => Number(one.headers['dead_offset']) - Number(other.headers['dead_offset']));
    const named = (reasons: (string | undefined)[]) => broken.map(({ name }, index) => `${name}: ${reasons[index]}`);
    expect(named(bySource.map(({ headers }) => headers['dead_reason']))).toEqual(broken.map(({ name, reason }) => `${name}: ${reason}`));
    const sources = tail.records(inboundTopic(system)).filter(({ partition, offset }) => partition === 3 && Number(offset) % 2 === 0);
    expect(bySource.map(({ key, value }) => [key, value])).toEqual(sources.map(({ key, value }) => [key, value]));

    const told = await results();
    const answers = broken.map(({ record }) => told.get(ceIdOf(record) ?? '')?.problem?.type);
    expect(named(answers)).toEqual(broken.map(({ name, reason, isAnswered = true }) => `${name}: ${isAnswered ? `/problems/${reason}` : undefined}`));
    expect(stack.apps['ticket-command'][0]!.isRunning).toBe(true);
  });

  it('in a batch that would unpack to a gigabyte become one dead letter, and those in a batch with one record too large for any topic as well', async () => {
    const bomb = await packedGigabyte();
    const outside = new Kafka({ brokers: servers.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer();
    await outside.connect();
    const { headers } = inboundRecord(system, { verb: 'create' });
    const large = JSON.stringify({ orgId: 'acme', data: { title: 'T', description: 'x'.repeat(8 << 20) } });
    const packed = { topic: inboundTopic(system), compression: CompressionTypes.GZIP };
    const gzip = CompressionCodecs[CompressionTypes.GZIP];
    CompressionCodecs[CompressionTypes.GZIP] = () => ({ compress: async () => bomb });
    await outside.send({ ...packed, messages: [{ value: 'nothing', partition: 5 }] });
    CompressionCodecs[CompressionTypes.GZIP] = gzip;
    await outside.send({ ...packed, messages: [{ value: large, headers, partition: 5 }] });
    await outside.disconnect();
    const good = { ...inboundRecord(system, { verb: 'create', data: { title: 'Behind' } }), partition: 5 };
    await producer.send([good]);
    await eventually(async () => expect((await results()).get(good.headers['ce_id']!)?.outcome).toBe('applied'));
    expect(letters().filter(({ headers }) => headers['dead_partition'] === '5').map(({ headers }) => headers['dead_reason'])).toEqual(['oversize', 'oversize']);
  });

  it('that the service fails at, for whatever reason, become dead letters after three tries; those around them are done', async () => {
    const create = (title: string) => ({ ...inboundRecord(system, { verb: 'create', data: { title } }), partition: 7 });
    const around = Array.from({ length: 8 }, (_, index) => create(`Around ${index}`));
    const failing = create('Failing');
    const id = failing.headers['ce_id']!;
    // Nothing that a system may write is known to make it fail: a store that takes every claim but one stands for what nobody has thought of.
    const store = openDatabase({ uri: servers.mongodbUri, database: 'deskstream_command' });
    const takes = (validator: object) => store.db.command({ collMod: 'inbound_ids', validator });
    await takes({ _id: { $ne: inboundCommandId(system, 'acme', id) } });
    try {
      await producer.send([...around.slice(0, 4), failing, ...around.slice(4)]);
      await eventually(async () => {
        const told = await results();
        expect([...around, failing].map(({ headers }) => told.get(headers['ce_id']!)?.outcome)).toEqual([...around.map(() => 'applied'), 'rejected']);
      });
    } finally {
      await takes({});
      await store.close();
    }
    const told = (await results()).get(id)!;
    expect(told).toMatchObject({ problem: { type: '/problems/handler-failed' }, origin: { system, id, partition: 7 } });
    const [letter, ...others] = letters().filter(({ headers }) => headers['dead_partition'] === '7');
    expect([letter!.value!.toString(), letter!.headers['ce_id'], letter!.headers['dead_reason'], letter!.headers['dead_attempts'], others.length]).toEqual([failing.value, id, 'handler-failed', '3', 0]);
    const titles = new Set(tail.records(topics.events).map(({ value }) => (JSON.parse(value!.toString()) as EventValue).ticket.title));
    expect([titles.has('Failing'), around.every((_, index) => titles.has(`Around ${index}`))]).toEqual([false, true]);
  });

  it('nobody’s word counts as that of somebody else: what is applied is by the system alone', async () => {
    await results();
    const events = tail.records(topics.events).map(({ value }) => JSON.parse(value!.toString()) as EventValue);
    expect(events.length).toBeGreaterThan(0);
    for (const { actor, ticket } of events) {
      expect(actor).toEqual({ type: 'system', id: system, name: `The ${system}` });
      expect([ticket.channel, ticket.createdBy]).toEqual(['kafka', actor]);
    }
  });
});
