import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { brokers, freshName } from '../testing/kafka-broker.js';
import { Backlog } from './backlog.js';
import { connectKafka } from './kafka.js';
import { RecordProducer } from './producer.js';
import { ensureTopics } from './topics.js';

Logger.overrideLogger(false);

describe('backlog', () => {
  const topic = freshName();
  const group = randomUUID();
  const admin = connectKafka({ brokers, clientId: 'spec-backlog' }).admin();
  let backlog: Backlog;
  beforeAll(async () => {
    await ensureTopics(brokers, [{ name: topic, partitions: 2, replication: 1, config: {} }]);
    const producer = new RecordProducer({ brokers, clientId: 'spec-backlog' });
    await Promise.all([producer.connect(), admin.connect()]);
    await producer.send(Array.from({ length: 40 }, (_, index) => ({ topic, key: String(index), value: 'x' })));
    await producer.close();
    backlog = await Backlog.open(brokers);
  }, 60_000);
  afterAll(() => Promise.all([backlog?.close(), admin.disconnect()]));

  it('counts what was written', async () => expect(await backlog.written(topic)).toBe(40));

  it('of a group that never committed is everything', async () => expect(await backlog.of(group, topic)).toBe(40));

  it('of a group is what it has not committed yet', async () => {
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.setOffsets({ groupId: group, topic, partitions: ends.map(({ partition, high }) => ({ partition, offset: String(Number(high) - 3) })) });
    expect(await backlog.of(group, topic)).toBe(6);
    expect(await backlog.groups()).toContain(group);
  });

  it('is not opened where no broker is', async () => await expect(Backlog.open(['127.0.0.1:1'])).rejects.toThrow(), 20_000);
});
