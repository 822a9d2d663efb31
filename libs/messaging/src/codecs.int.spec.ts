import { afterAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';
import { eventually, Witness } from '../testing/broker.suite.js';
import { brokers, createTopics, freshName, listen, readTopic } from '../testing/kafka-broker.js';
import { everyCodec } from '../testing/outside-codecs.js';
import { batchLimit } from './batch-reader.js';
import type { RoundTransport } from './transport.js';

Logger.overrideLogger(false);

const { CompressionTypes, Kafka, logLevel } = kafkajs;
const codecs = everyCodec();

describe('outside producers', () => {
  const producer = new Kafka({ brokers, clientId: 'outside', logLevel: logLevel.NOTHING }).producer();
  const connected = producer.connect();
  connected.catch(() => undefined);
  const open: RoundTransport[] = [];
  afterAll(async () => {
    await Promise.all(open.map((transport) => transport.close()));
    await producer.disconnect();
  });

  it.each(Object.entries(codecs))('may compress with %s', async (_, compression) => {
    const topic = freshName();
    await createTopics([topic], 3);
    await connected;
    const texts = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(30));
    await producer.send({ topic, compression, messages: texts.map((value, i) => ({ key: String(i % 7), value })) });
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
