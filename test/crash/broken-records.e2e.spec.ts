import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Partitioners } from 'kafkajs';
import { topics, type CommandResult, type DeadLetterReason } from '#contracts';
import { type IncomingRecord, type OutgoingRecord, type RawHeader, RecordProducer } from '#messaging';
import { eventually } from '../support/eventually.js';
import { recordOf } from '../support/command-client.js';
import { mixedLoad, type PlannedCommand } from '../support/mixed-load.js';
import { anyServers, deadCommands, WritePath } from '../support/write-path.js';

/** A record that is no command; where its value says whom to answer, the answer. */
interface Broken {
  name: string;
  reason: DeadLetterReason;
  record: OutgoingRecord;
  isAnswered: boolean;
}

const partitionOf = Partitioners.DefaultPartitioner();
const partitions = Array.from({ length: 12 }, (_, partitionId) => ({ partitionId, leader: 1 }) as never);
const keyIsAt = (key: string) => partitionOf({ topic: topics.commands, partitionMetadata: partitions, message: { key, value: null } });

/** A ticket's id that Kafka puts beside this one. */
function neighbourOf(ticketId: string): string {
  for (;;) {
    const other = randomUUID();
    if (keyIsAt(other) === keyIsAt(ticketId)) return other;
  }
}

/** Everything that may be wrong with a record: each is this command, for a ticket of its own on the same partition, with one thing changed. */
function brokenOnesBeside(beside: PlannedCommand): Broken[] {
  const command = { ...beside, commandId: randomUUID(), ticketId: neighbourOf(beside.ticketId) };
  let count = 0;
  const good = () => ({ ...command, commandId: `${command.commandId.slice(0, -3)}${String(++count).padStart(3, '0')}` });
  const valued = (value: OutgoingRecord['value']): OutgoingRecord => ({ ...recordOf(good()), value });
  const edited = (edit: (value: Record<string, unknown>) => unknown) => valued(JSON.stringify(edit(JSON.parse(String(recordOf(good()).value)) as Record<string, unknown>)));
  const headed = (headers: Record<string, string>) => {
    const record = recordOf(good());
    return { ...record, headers: { ...(record.headers as Record<string, string>), ...headers } };
  };
  const deep = JSON.stringify({ ...(JSON.parse(String(recordOf(command).value)) as object), data: '…' }).replace('"…"', `${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  return [
    { name: 'not JSON', reason: 'not-json', record: valued('{"orgId": "acme",'), isAnswered: false },
    { name: 'no UTF-8', reason: 'not-json', record: valued(Buffer.from([0x22, 0xff, 0xfe, 0x00, 0x22])), isAnswered: false },
    { name: 'an empty value', reason: 'not-json', record: valued(''), isAnswered: false },
    { name: 'no value', reason: 'not-json', record: valued(null), isAnswered: false },
    { name: 'a field that is not known', reason: 'schema-invalid', record: edited((value) => ({ ...value, extra: 1 })), isAnswered: true },
    { name: 'data of the wrong type', reason: 'schema-invalid', record: edited((value) => ({ ...value, data: 'text' })), isAnswered: true },
    { name: 'an array', reason: 'schema-invalid', record: edited(() => []), isAnswered: false },
    { name: 'no command id', reason: 'schema-invalid', record: headed({ ce_id: '' }), isAnswered: false },
    { name: '20,000 levels of JSON', reason: 'schema-invalid', record: valued(deep), isAnswered: true },
    { name: 'a type that is not known', reason: 'unknown-type', record: headed({ ce_type: 'ticket.explode.v1' }), isAnswered: true },
    { name: 'an inherited name as its type', reason: 'unknown-type', record: headed({ ce_type: 'constructor' }), isAnswered: true },
    { name: 'more than 512 KiB', reason: 'oversize', record: edited((value) => ({ ...value, data: { kind: 'comment', body: 'x'.repeat(900_000) } })), isAnswered: true },
    { name: 'another organisation in its headers', reason: 'organisation-mismatch', record: headed({ ce_orgid: 'globex' }), isAnswered: true },
    { name: 'the key of another ticket', reason: 'key-mismatch', record: { ...recordOf(good()), key: beside.ticketId }, isAnswered: true },
    { name: '10,000 headers', reason: 'not-json', record: withHeaders(valued('nothing'), 10_000), isAnswered: false },
    { name: 'headers that are no text, come twice or pretend to be a dead letter', reason: 'not-json', record: withStrangeHeaders(valued('nothing')), isAnswered: false },
  ];
}

const raw = (key: string, value: string | Buffer | null): RawHeader => ({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) });
const rawOf = (record: OutgoingRecord) => Object.entries(record.headers as Record<string, string>).map(([key, value]) => raw(key, value));

const withHeaders = (record: OutgoingRecord, count: number): OutgoingRecord => ({
  ...record,
  headers: [...rawOf(record), ...Array.from({ length: count }, (_, index) => raw(`h${index}`, String(index)))],
});

const withStrangeHeaders = (record: OutgoingRecord): OutgoingRecord => ({
  ...record,
  headers: [raw('twice', 'one'), ...rawOf(record), raw('twice', Buffer.from([0xff, 0x00, 0xfe])), raw('nothing', null), raw('dead_reason', 'old'), raw('dead_note', 'kept')],
});

describe('broken records on the command topic', () => {
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let path: WritePath;
  let producer: RecordProducer;

  beforeAll(async () => {
    servers = await anyServers();
    path = await WritePath.open(servers);
    producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'broken-records' });
    await Promise.all([path.stack.add('ticket-command'), producer.connect()]);
  });

  afterAll(async () => {
    await producer.close();
    await path.close();
    await servers.stop();
  });

  const idOf = ({ record }: Broken) => (Array.isArray(record.headers) ? undefined : (record.headers as Record<string, string>)['ce_id']);

  it('become dead letters under the name of what is wrong, byte for byte, and nothing beside them stops', async () => {
    const load = mixedLoad(`broken ${Date.now()}`, 1);
    const broken = brokenOnesBeside(load[1]!);
    for (const [index, command] of load.entries()) {
      await path.client.send([command]);
      if (broken[index]) await producer.send([broken[index].record]);
    }
    await path.settled(load);
    expect(await path.verdict(load)).toEqual([]);

    const letters = await eventually(async () => {
      await path.tail.readToEnd();
      const found = [...new Map(path.tail.records(deadCommands).map((letter) => [`${letter.headers['dead_partition']}/${letter.headers['dead_offset']}`, letter])).values()]; // one may come twice
      return found.length >= broken.length && found;
    });
    const sources = new Map(path.tail.records(topics.commands).map((record) => [`${record.partition}/${record.offset}`, record]));
    const told = letters.map(({ headers }) => headers);
    expect(told.map(({ dead_reason }) => dead_reason)).toEqual(broken.map(({ reason }) => reason));
    expect(new Set(told.map(({ dead_partition }) => dead_partition))).toEqual(new Set([String(keyIsAt(load[0]!.ticketId))]));
    for (const letter of letters) expectUntouched(letter, sources.get(`${letter.headers['dead_partition']}/${letter.headers['dead_offset']}`)!);
    expect(path.stack.apps['ticket-command'][0]!.isRunning).toBe(true);
  });

  it('are told to whoever waits for them, where they say to whom', async () => {
    const load = mixedLoad(`told ${Date.now()}`, 1);
    const broken = brokenOnesBeside(load[1]!);
    for (const { record } of broken) await producer.send([record]);
    await path.client.send(load);
    await path.settled(load);
    await eventually(async () => {
      await path.tail.readToEnd();
      const results = path.tail.records(topics.results).map((record) => JSON.parse(record.value!.toString()) as CommandResult);
      const answers = broken.map((one) => results.find(({ commandId }) => commandId === idOf(one))?.problem?.type);
      expect(answers).toEqual(broken.map(({ reason, isAnswered }) => (isAnswered ? `/problems/${reason}` : undefined)));
    });
  });
});

/** Key, value and headers as they were, and eight headers more. */
function expectUntouched(letter: IncomingRecord, source: IncomingRecord): void {
  const ours = ['dead_reason', 'dead_detail', 'dead_topic', 'dead_partition', 'dead_offset', 'dead_time', 'dead_consumer', 'dead_attempts'];
  const foreign = ({ rawHeaders }: IncomingRecord) => rawHeaders.filter(({ key }) => !ours.includes(key.toString())).map(({ key, value }) => [key.toString('hex'), value?.toString('hex')]);
  expect([letter.key?.toString('hex'), letter.value?.toString('hex')]).toEqual([source.key?.toString('hex'), source.value?.toString('hex')]);
  expect(foreign(letter)).toEqual(foreign(source));
  expect(letter.rawHeaders.filter(({ key }) => ours.includes(key.toString())).map(({ key }) => key.toString())).toEqual(ours);
  const { dead_topic, dead_consumer, dead_attempts, dead_time, dead_detail } = letter.headers;
  expect([dead_topic, dead_consumer, dead_attempts]).toEqual([topics.commands, 'ticket-command', '1']);
  expect(new Date(dead_time!).toISOString()).toBe(dead_time);
  expect(dead_detail!.length).toBeLessThanOrEqual(1_000);
}
