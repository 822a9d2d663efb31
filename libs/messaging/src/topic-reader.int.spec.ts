import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { brokers, createTopics, freshName } from '../testing/kafka-broker.js';
import { connectKafka } from './kafka.js';
import { RecordProducer } from './producer.js';
import { TopicReader } from './topic-reader.js';

Logger.overrideLogger(false);

describe('a topic reader', () => {
  const topic = freshName();
  const producer = new RecordProducer({ brokers, clientId: 'spec-topic-reader' });
  let reader: TopicReader;

  beforeAll(async () => {
    await createTopics([topic], 2);
    await producer.connect();
    for (let at = 0; at < 10; at++) await producer.send([{ topic, key: 'k', value: String(at), partition: 1 }]);
    reader = await TopicReader.open(brokers);
  });
  afterAll(() => Promise.all([producer.close(), reader.close()]));

  const read = async (from: number, to: number) => {
    const values: string[] = [];
    await reader.read({ topic, partition: 1, from, to }, ({ value }) => values.push(String(value)));
    return values.join('');
  };

  it('brings a stretch, whole and no more', async () => {
    expect(await reader.extent(topic)).toEqual(expect.arrayContaining([{ partition: 0, low: 0, high: 0 }, { partition: 1, low: 0, high: 10 }]));
    expect([await read(0, 10), await read(3, 5), await read(10, 10)]).toEqual(['0123456789', '34', '']);
  });

  it('passes over what is gone, and ends where nothing is', async () => {
    const admin = connectKafka({ brokers, clientId: 'spec-retention' }).admin();
    await admin.connect();
    await admin.fetchTopicOffsets(topic); // else it does not know the topic
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '6' }] });
    await admin.disconnect();
    expect([await read(0, 10), await read(0, 4), await read(8, 12)]).toEqual(['6789', '', '89']);
  });

  it('takes no part in a group', async () => {
    const admin = connectKafka({ brokers, clientId: 'spec-groups' }).admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.filter(({ groupId }) => groupId.includes('reader'))).toEqual([]);
  });

  it('refuses a partition that there is not', async () => expect(reader.read({ topic, partition: 9, from: 0, to: 1 }, () => undefined)).rejects.toThrow('has no partition 9'));
});
