import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';
import { brokers, createTopics, freshName } from '../testing/kafka-broker.js';
import { RecordProducer } from './producer.js';

Logger.overrideLogger(false);

const { CompressionTypes, Kafka, logLevel } = kafkajs;
const built = pathToFileURL(join(import.meta.dirname, '../../../dist/libs/messaging/src/index.js')).href;
const partitions = 12;
const recordsOfBatch = 40;
const recordBytes = 512 << 10;
const packedBytesAtMost = 4 << 20;

const run = (work: string) => `
  import { readFileSync } from 'node:fs';
  const { RoundTransport } = await import(${JSON.stringify(built)});
  const transport = new RoundTransport({ brokers: ${JSON.stringify(brokers)}, service: 'spec' });
  const told = await new Promise((done, fail) => { ${work} });
  await transport.close();
  const [, peak] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  console.log('\\nDONE ' + JSON.stringify({ ...told, peak: Number(peak) }));
  process.exit();`;

/** Reads a topic until it has so many records, and says which, and what memory it took at most (KiB). */
const reader = (topic: string) =>
  run(`
  const seen = [];
  const handle = async ({ records }) => {
    for (const { partition, offset, value } of records) if (value.length === ${recordBytes}) seen.push([partition, Number(offset)]);
    if (seen.length === ${partitions * recordsOfBatch}) done({ seen });
  };
  const options = { topic: ${JSON.stringify(topic)}, group: 'spec.packed', maxRecords: 1_000 };
  transport.addHandler({ topic: options.topic, group: options.group }, handle, true, { subscription: options });
  transport.listen((error) => error && fail(error));`);

/** Reads topics of outsiders beside each other until it has so many records; says how many of each. None of them goes on before the last topic brought one. */
const readings = (topics: readonly string[], records: number) =>
  run(`
  const topics = ${JSON.stringify(topics)};
  const counts = topics.map(() => 0);
  let serve;
  const served = new Promise((resolve) => (serve = resolve));
  const begin = (topic, index) => {
    const handle = async ({ records }) => {
      counts[index] += records.filter(({ value }) => value.length > 0).length;
      if (index === topics.length - 1) serve();
      await served;
      if (counts.reduce((all, count) => all + count, 0) === ${records}) done({ counts });
    };
    transport.read({ topic, group: 'spec.' + topic, waitsFor: [topic], handle, bury: async () => undefined });
  };
  transport.listen((error) => (error ? fail(error) : topics.forEach(begin)));`);

async function outcomeOf<T>(program: string): Promise<T & { peak: number }> {
  const args = ['--max-semi-space-size=8', '--max-old-space-size=192', '--input-type=module', '--eval', program];
  const env = { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const timer = setTimeout(() => child.kill('SIGKILL'), 280_000);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  clearTimeout(timer);
  const said = text.split('\n').find((line) => line.startsWith('DONE '));
  if (said === undefined) throw new Error(`the reader ended early: ${text.slice(-2_000)}`);
  return JSON.parse(said.slice(5)) as T & { peak: number };
}

/** Fills partitions of a topic with batches that unpack to 20 MiB each. */
async function pack(topic: string, count: number): Promise<void> {
  await createTopics([topic, `dead.spec.${topic}`], partitions, { 'max.message.bytes': String(packedBytesAtMost) });
  const producer = new Kafka({ brokers, clientId: 'outside', logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const value = Buffer.alloc(recordBytes, 'x');
  for (let partition = 0; partition < count; partition++) {
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages: Array.from({ length: recordsOfBatch }, () => ({ value, partition })) });
  }
  await producer.disconnect();
}

/** A topic with one small record. */
async function whisper(): Promise<string> {
  const topic = freshName();
  await createTopics([topic], 1);
  const producer = new RecordProducer({ brokers, clientId: 'outside' });
  await producer.connect();
  await producer.send([{ topic, key: null, value: 'small' }]);
  await producer.close();
  return topic;
}

it('packed batches on all partitions are read one after the other, each record once and in order, and never lie in memory together', async () => {
  const topic = freshName();
  await pack(topic, partitions);
  const { seen, peak } = await outcomeOf<{ seen: [number, number][] }>(reader(topic));
  const offsets = Array.from({ length: recordsOfBatch }, (_, offset) => offset);
  const ofPartitions = Map.groupBy(seen, ([partition]) => partition);
  expect([...ofPartitions.keys()].sort((one, other) => one - other)).toEqual(Array.from({ length: partitions }, (_, partition) => partition));
  for (const records of ofPartitions.values()) expect(records.map(([, offset]) => offset)).toEqual(offsets);
  expect(peak >> 10).toBeLessThan(280); // 390 where 240 MiB of records all lay there, 210 where one batch does
});

it('packed batches on the topics of many outsiders take no more than those of one; a neighbour with one small record waits for none of them', async () => {
  const greedy = Array.from({ length: 8 }, () => freshName());
  for (const topic of greedy) await pack(topic, 2);
  const quiet = await whisper();
  const { counts, peak } = await outcomeOf<{ counts: number[] }>(readings([...greedy, quiet], greedy.length * 2 * recordsOfBatch + 1));
  expect(counts).toEqual([...greedy.map(() => 2 * recordsOfBatch), 1]);
  expect(peak >> 10).toBeLessThan(280);
});
