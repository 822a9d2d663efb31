import { afterAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../servers/testing/eventually.js';
import { brokers, freshName } from '../testing/kafka-broker.js';
import { connectKafka } from './kafka.js';
import { createTopics, ensureTopics, TopicNameTaken, type TopicSpec } from './topics.js';

Logger.overrideLogger(false);

describe('topics', () => {
  const admin = connectKafka({ brokers, clientId: 'spec-topics' }).admin();
  const connected = admin.connect();
  connected.catch(() => undefined);
  afterAll(() => admin.disconnect());

  const configOf = async (name: string) => {
    await connected;
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] });
    return Object.fromEntries(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  };
  const topic = (name: string, config: Record<string, string>): TopicSpec => ({ name, partitions: 3, replication: 1, config });

  it('are created once, then left as they are', async () => {
    const wanted = [freshName(), freshName()].map((name) => topic(name, { 'retention.ms': '1000000' }));
    expect(await ensureTopics(brokers, wanted)).toEqual({ created: wanted.map(({ name }) => name), changed: [], left: [] });
    expect(await ensureTopics(brokers, wanted)).toEqual({ created: [], changed: [], left: [] });
  });

  it('are corrected where they differ, and what others set on them is kept', async () => {
    const name = freshName();
    await ensureTopics(brokers, [topic(name, { 'retention.ms': '1000000', 'segment.ms': '500000' })]);
    const { changed } = await ensureTopics(brokers, [topic(name, { 'retention.ms': '2000000' })]);
    expect(changed).toEqual([`${name}: retention.ms 1000000 -> 2000000`]);
    // The broker tells of it once it has heard of it from its controller.
    await eventually(async () => expect(await configOf(name)).toMatchObject({ 'retention.ms': '2000000', 'segment.ms': '500000' }), 'it is corrected');
  });

  it('never get more partitions: the difference is told', async () => {
    const name = freshName();
    await ensureTopics(brokers, [topic(name, {})]);
    const { left } = await ensureTopics(brokers, [{ ...topic(name, {}), partitions: 6 }]);
    expect(left).toEqual([`${name}: 3 partitions, not 6`]);
  });

  it('may be ensured by two tasks at once', async () => {
    const wanted = Array.from({ length: 5 }, () => topic(freshName(), { 'retention.ms': '1000000' }));
    const reports = await Promise.all([ensureTopics(brokers, wanted), ensureTopics(brokers, wanted)]);
    expect(reports.flatMap(({ created }) => created).sort()).toEqual(wanted.map(({ name }) => name).sort());
  });

  it('that are only created are not corrected', async () => {
    const name = freshName();
    await createTopics(brokers, [topic(name, { 'retention.ms': '1000000' })]);
    expect(await createTopics(brokers, [topic(name, { 'retention.ms': '2000000' })])).toEqual([]);
    expect(await configOf(name)).toMatchObject({ 'retention.ms': '1000000' });
  });

  it('differ in more than dots and underscores', async () => {
    const name = freshName();
    await createTopics(brokers, [topic(`${name}.a`, {})]);
    await expect(createTopics(brokers, [topic(`${name}_a`, {})])).rejects.toThrow(TopicNameTaken);
  });

  it('fail clearly when no broker answers', async () => {
    await expect(ensureTopics(['127.0.0.1:1'], [topic('never', {})])).rejects.toThrow('ECONNREFUSED');
  });
});
