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
  });
  afterAll(() => Promise.all([backlog?.close(), admin.disconnect()]));

  it('counts what was written', async () => expect(await backlog.written(topic)).toBe(40));

  it('of a group that never committed is everything', async () => expect(await backlog.of(group, topic)).toBe(40));

  it('of a group is what it has not committed yet', async () => {
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.setOffsets({ groupId: group, topic, partitions: ends.map(({ partition, high }) => ({ partition, offset: String(Number(high) - 3) })) });
    expect(await backlog.of(group, topic)).toBe(6);
    expect(await backlog.groups()).toContain(group);
  });

  it('of a group at a time is what it had not committed of what lay there then', async () => {
    const then = (await backlog.extent(topic)).map((part) => ({ ...part, high: part.high - 2 }));
    expect(await backlog.of(group, topic, then)).toBe(2);
    expect(await backlog.of(group, topic, then.map((part) => ({ ...part, high: part.high - 2 })))).toBe(0);
  });

  it('of a group that nobody is in is settled', async () => expect(await backlog.isSettled([group])).toBe(true));

  it('names the newest generation of a group where nobody reads, and forgets them', async () => {
    const commit = (groupId: string) => admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] });
    await commit(`${group}.g2`);
    await commit(`${group}.g10`);
    expect(await backlog.readingNow(group)).toBe(`${group}.g10`);
    await backlog.forget([`${group}.g2`, `${group}.g10`, `${group}.g3`]);
    expect(await backlog.readingNow(group)).toBe(group);
    await backlog.forget([group]);
    expect(await backlog.readingNow(group)).toBeUndefined();
  });

  it('is not opened where no broker is', async () => await expect(Backlog.open(['127.0.0.1:1'])).rejects.toThrow());
});
