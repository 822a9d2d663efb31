import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';
import { brokers, createTopics, freshName } from '../testing/kafka-broker.js';

Logger.overrideLogger(false);
jest.setTimeout(90_000);

const { CompressionTypes, Kafka, logLevel } = kafkajs;
const built = pathToFileURL(join(import.meta.dirname, '../../../dist/libs/messaging/src/index.js')).href;
const partitions = 12;
const recordsOfBatch = 40;
const recordBytes = 512 << 10;
const packedBytesAtMost = 1 << 20;

/** Reads a topic until it has so many records, and says which, and what memory it took at most (KiB). */
const reader = (topic: string) => `
  import { readFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const { RoundTransport } = await import(${JSON.stringify(built)});
  const seen = [];
  const handle = async ({ records }) => {
    for (const { partition, offset, value } of records) if (value.length === ${recordBytes}) seen.push([partition, Number(offset)]);
    await sleep(20);
  };
  const options = { topic: ${JSON.stringify(topic)}, group: 'spec.packed', maxRecords: 1_000 };
  const transport = new RoundTransport({ brokers: ${JSON.stringify(brokers)}, service: 'spec' });
  transport.addHandler({ topic: options.topic, group: options.group }, handle, true, { subscription: options });
  await new Promise((resolve, reject) => transport.listen((error) => (error ? reject(error) : resolve())));
  while (seen.length < ${partitions * recordsOfBatch}) await sleep(50);
  await transport.close();
  const [, peak] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  console.log('\\nDONE ' + JSON.stringify({ seen, peak: Number(peak) }));
  process.exit();`;

async function outcomeOf(topic: string): Promise<{ seen: [number, number][]; peak: number }> {
  const args = ['--max-semi-space-size=4', '--max-old-space-size=192', '--input-type=module', '--eval', reader(topic)];
  const env = { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  clearTimeout(timer);
  const said = text.split('\n').find((line) => line.startsWith('DONE '));
  if (said === undefined) throw new Error(`the reader ended early: ${text.slice(-2_000)}`);
  return JSON.parse(said.slice(5)) as { seen: [number, number][]; peak: number };
}

it('packed batches on all partitions are read one after the other, each record once and in order, and never lie in memory together', async () => {
  const topic = freshName();
  await createTopics([topic, `dead.spec.${topic}`], partitions, { 'max.message.bytes': String(packedBytesAtMost) });
  const producer = new Kafka({ brokers, clientId: 'outside', logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const value = Buffer.alloc(recordBytes, 'x');
  for (let partition = 0; partition < partitions; partition++) {
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages: Array.from({ length: recordsOfBatch }, () => ({ value, partition })) });
  }
  await producer.disconnect();

  const { seen, peak } = await outcomeOf(topic);
  const offsets = Array.from({ length: recordsOfBatch }, (_, offset) => offset);
  const ofPartitions = Map.groupBy(seen, ([partition]) => partition);
  expect([...ofPartitions.keys()].sort((one, other) => one - other)).toEqual(Array.from({ length: partitions }, (_, partition) => partition));
  for (const records of ofPartitions.values()) expect(records.map(([, offset]) => offset)).toEqual(offsets);
  expect(peak >> 10).toBeLessThan(280); // 390 where 240 MiB of records all lay there, 210 where one batch does
});
