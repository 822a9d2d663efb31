import * as zlib from 'node:zlib';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import snappy from 'snappyjs';
import { eventually, Witness } from '../testing/broker.suite.js';
import { brokers, createTopics, freshName, listen, readTopic } from '../testing/kafka-broker.js';
import { batchLimit } from './batch-reader.js';
import type { RoundTransport } from './transport.js';

Logger.overrideLogger(false);
jest.setTimeout(60_000);

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
type Plain = { buffer: Buffer };
const writeOnly = (compress: (plain: Buffer) => Buffer) => () => ({
  compress: async ({ buffer }: Plain) => compress(buffer),
  decompress: () => Promise.reject(new Error('not the decoder under test')),
});
CompressionCodecs[CompressionTypes.Snappy] = writeOnly((plain) => snappy.compress(plain));
CompressionCodecs[CompressionTypes.LZ4] = writeOnly((plain) => lz4.compressFrameSync(plain));
CompressionCodecs[CompressionTypes.ZSTD] = writeOnly((plain) => zlib.zstdCompressSync(plain));

describe('outside producers', () => {
  const producer = new Kafka({ brokers, clientId: 'outside', logLevel: logLevel.NOTHING }).producer();
  const connected = producer.connect();
  connected.catch(() => undefined);
  const open: RoundTransport[] = [];
  afterAll(async () => {
    await Promise.all(open.map((transport) => transport.close()));
    await producer.disconnect();
  });

  it.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)('may compress with %s', async (codec) => {
    const topic = freshName();
    await createTopics([topic], 3);
    await connected;
    const texts = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(30));
    await producer.send({ topic, compression: CompressionTypes[codec], messages: texts.map((value, i) => ({ key: String(i % 7), value })) });
    const witness = new Witness();
    open.push(await listen({}, { topic, group: `${topic}.codec` }, witness.handle));
    await eventually(() => expect(new Set(witness.values)).toEqual(new Set(texts)));
  });

  it('cannot stop a partition with a batch that unpacks to hundreds of megabytes: it is one dead letter', async () => {
    const topic = freshName();
    await createTopics([topic], 1);
    await createTopics([`dead.spec.${topic}`], 1, { 'max.message.bytes': '4194304' });
    await connected;
    const half = Buffer.alloc(batchLimit / 2 + 1);
    const messages = [{ key: 'k', value: half }, { key: 'k', value: half }];
    await producer.send({ topic, messages: [{ key: 'k', value: 'before' }] });
    await producer.send({ topic, compression: CompressionTypes.ZSTD, messages });
    await producer.send({ topic, messages: [{ key: 'k', value: 'after' }] });
    const witness = new Witness();
    open.push(await listen({}, { topic, group: `${topic}.bomb` }, witness.handle));
    await eventually(() => expect(new Set(witness.values)).toEqual(new Set(['before', 'after'])));
    await eventually(async () => expect(await readTopic(`dead.spec.${topic}`)).toHaveLength(1));
    const [letter] = await readTopic(`dead.spec.${topic}`);
    expect({ ...letter!.headers }).toMatchObject({ dead_reason: 'oversize', dead_detail: expect.stringMatching(/^offsets \d+ to \d+: /) });
  });
});
