import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs, { type Producer } from 'kafkajs';
import { inboundResultsTopic, inboundTopic, type InboundResult } from '#contracts';
import { type OutgoingRecord, type RawHeader, RecordProducer } from '#messaging';
import type { RunningServers } from '#servers';
import { sendPacked } from '../../libs/messaging/testing/packed-batch.js';
import type { AppHandle } from '../support/app-handle.js';
import { eventually } from '../support/eventually.js';
import { deadInbound, freshSystem, grantOf, inboundRecord, makeSystemTopics, publishEntries } from '../support/inbound.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';
import { ownServers } from '../support/write-path.js';

Logger.overrideLogger(false);
jest.setTimeout(400_000);

const partitions = Array.from({ length: 12 }, (_, partition) => partition);
/** What the process takes at most, MiB. */
const memoryAtMost = 380;

const { Kafka, logLevel } = kafkajs;
const ceIdOf = ({ headers }: OutgoingRecord) => (Array.isArray(headers) ? (headers as RawHeader[]).find(({ key }) => key.toString() === 'ce_id')!.value!.toString() : (headers as Record<string, string>)['ce_id']!);

describe('a backlog of packed batches', () => {
  const [talker, header, neighbour] = [freshSystem('talker'), freshSystem('header'), freshSystem('neighbour')];
  const systems = [talker, header, neighbour];
  let servers: RunningServers;
  let stack: Stack;
  let app: AppHandle;
  let producer: RecordProducer;
  let outside: Producer;
  let tail: TopicTail;

  beforeAll(async () => {
    servers = await ownServers();
    stack = await startStack({ servers, instances: { gateway: 0, 'query-search': 0 } });
    app = stack.apps['ticket-command'][0]!;
    producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'outside' });
    outside = new Kafka({ brokers: servers.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer();
    await Promise.all([producer.connect(), outside.connect(), ...systems.map((system) => makeSystemTopics(servers.kafkaBrokers, system))]);
    tail = await TopicTail.open(servers.kafkaBrokers, systems.flatMap((system) => [inboundResultsTopic(system), deadInbound(system)]));
    await publishEntries(producer, ...systems.map((system) => grantOf(system, 'acme')));
  });

  afterAll(async () => {
    await Promise.all([producer.close(), outside.disconnect(), tail.close(), stack.stop()]);
    await servers.stop();
  });

  /** What a system was told, by the ids of its records. */
  async function told(system: string): Promise<Map<string, InboundResult>> {
    await tail.readToEnd();
    return new Map(tail.records(inboundResultsTopic(system)).map(({ key, value }) => [key!.toString(), JSON.parse(value!.toString()) as InboundResult]));
  }

  /** Resolves when each of these records is answered. */
  async function answers(system: string, records: readonly OutgoingRecord[]): Promise<InboundResult[]> {
    return eventually(async () => {
      const results = await told(system);
      const missing = records.filter((record) => !results.has(ceIdOf(record)));
      if (missing.length > 0) throw new Error(`${missing.length} of ${records.length} records have no result`);
      return records.map((record) => results.get(ceIdOf(record))!);
    }, 180_000);
  }

  /** When results were written, ms. */
  const timesOf = (...some: readonly string[]) => some.flatMap((system) => tail.records(inboundResultsTopic(system)).map(({ timestamp }) => Number(timestamp)));

  const create = (system: string, externalId: string) => inboundRecord(system, { verb: 'create', externalId, data: { title: externalId } });

  const chapter = Array.from({ length: 8 }, () => ({ role: 'user', content: 'x'.repeat(50_000) }));
  const chapters = (externalId: string) => Array.from({ length: 20 }, () => inboundRecord(talker, { verb: 'append-conversation', externalId, data: { messages: chapter } }));

  /** As small as they can be: decoded, each takes twenty times its length. */
  const many: RawHeader[] = Array.from({ length: 2_300 }, (_, index) => ({ key: Buffer.from(index.toString(36)), value: Buffer.of() }));
  const headed = (): OutgoingRecord => {
    const { headers, ...record } = inboundRecord(header, { verb: 'delete', ticketId: randomUUID(), data: {} });
    return { ...record, headers: [...Object.entries(headers).map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) })), ...many] };
  };

  const peakMiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${app.pid}/status`, 'utf8'))![1]) >> 10;

  it('of large conversations on one system and of thousands of headers on another is worked off by one process, which keeps its memory and serves the neighbour', async () => {
    const tickets = partitions.map((partition) => create(talker, `conversation-${partition}`));
    await producer.send(tickets);
    expect(new Set((await answers(talker, tickets)).map(({ outcome }) => outcome))).toEqual(new Set(['applied']));
    await app.end();

    const conversations = partitions.map((partition) => chapters(`conversation-${partition}`));
    const headers = partitions.slice(0, 6).map(() => Array.from({ length: 500 }, headed));
    for (const partition of partitions) {
      await sendPacked(outside, { topic: inboundTopic(talker), partition }, conversations[partition]!);
      if (headers[partition]) await sendPacked(outside, { topic: inboundTopic(header), partition }, headers[partition]);
    }

    const good = create(neighbour, 'good');
    await producer.send([good]);
    await app.restart();
    const { pid } = app;
    expect((await answers(neighbour, [good]))[0]!.outcome).toBe('applied');
    const appended = await answers(talker, conversations.flat());
    const refused = await answers(header, headers.flat());
    expect(appended.map(({ outcome, version }) => [outcome, version])).toEqual(partitions.flatMap(() => Array.from({ length: 20 }, (_, index) => ['applied', index + 2])));
    expect(new Set(refused.map(({ problem }) => problem?.type))).toEqual(new Set(['/problems/not-found']));
    expect(systems.flatMap((system) => tail.records(deadInbound(system)))).toEqual([]);
    expect([app.isRunning, app.pid]).toEqual([true, pid]);
    const [[served], others] = [timesOf(neighbour), timesOf(talker, header)];
    expect(others.filter((at) => at < served!).length).toBeLessThan(others.length / 2); // nobody else's backlog keeps it waiting
    expect(peakMiB()).toBeLessThan(memoryAtMost);
  });
});
