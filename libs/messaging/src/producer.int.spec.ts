import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually, numbersByKey } from '../testing/broker.suite.js';
import { brokers, createTopics, freshName, readTopic } from '../testing/kafka-broker.js';
import { apis, KafkaProxy } from '../testing/kafka-proxy.js';
import { RecordProducer } from './producer.js';

Logger.overrideLogger(false);

const fate = (call: Promise<void>) => call.then(() => 'acknowledged', (error: Error) => error.name);

describe('producer', () => {
  const proxy = new KafkaProxy(brokers[0]!);
  const topic = freshName();
  let producer: RecordProducer;

  beforeAll(async () => {
    await createTopics([topic]);
    producer = new RecordProducer({ brokers: [await proxy.listen()], clientId: 'spec-producer' });
    await producer.connect();
  });
  afterAll(async () => {
    proxy.onAnswer = () => 'pass';
    await producer.close();
    await proxy.close();
  });

  it('acknowledges what is on the topic, keys in the partitions of the Java client', async () => {
    const own = freshName();
    await createTopics([own]);
    // Utils.toPositive(Utils.murmur2(key)) % 12 of kafka-clients 4.3
    const inJava = { 'ticket-1': 1, 'ticket-2': 5, a: 4, '0f8fad5b-d9cb-469f-a165-70867728950e': 9 };
    const keys = Object.keys(inJava);
    await producer.send(keys.map((key) => ({ topic: own, key, value: key })));
    const partitions = Object.fromEntries((await readTopic(own)).map(({ key, partition }) => [String(key), partition]));
    expect(partitions).toEqual(inJava);
  });

  it('loses nothing acknowledged and shows no version before its predecessor, however answers are cut', async () => {
    const own = freshName();
    await createTopics([own]);
    let answers = 0;
    proxy.onAnswer = (api) => (api === apis.produce && ++answers % 3 === 0 ? 'cut' : 'pass');
    const acknowledged: string[] = [];
    const writeAll = async (key: string) => {
      for (let version = 0; version < 40; ) {
        const call = [{ topic: own, key, value: `${key}:${version}` }];
        if ((await fate(producer.send(call))) !== 'acknowledged') continue; // again, from the same one
        acknowledged.push(`${key}:${version++}`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeAll(`key-${i}`)));
    proxy.onAnswer = () => 'pass';
    const records = await readTopic(own);
    expect(answers).toBeGreaterThan(20);
    expect(new Set(records.map(({ value }) => String(value)))).toEqual(new Set(acknowledged));
    for (const numbers of numbersByKey(records).values()) {
      const firsts = numbers.filter((number, i) => numbers.indexOf(number) === i);
      expect(firsts).toEqual(Array.from({ length: 40 }, (_, i) => i));
    }
  });

  it('rejects what was queued behind a request that failed, and never sends it later', async () => {
    const own = freshName();
    await createTopics([own], 1);
    await producer.send([{ topic: own, key: 'k', value: 'before' }]);
    let isDown = true;
    let held = 0;
    proxy.onAnswer = (api) => (isDown && api === apis.produce ? (held++, 'hold') : 'pass');
    const first = producer.send([{ topic: own, key: 'k', value: 'v1' }]);
    await eventually(() => expect(held).toBe(1));
    const behind = producer.send([{ topic: own, key: 'k', value: 'v2' }]);
    proxy.onAnswer = (api) => (isDown && api === apis.produce ? 'cut' : 'pass');
    proxy.cutAll();
    expect(await Promise.all([first, behind].map(fate))).toEqual(['NotAcknowledged', 'NotAcknowledged']);
    expect(producer.healthy).toBe(false);
    isDown = false;
    await producer.send([
      { topic: own, key: 'k', value: 'v1' },
      { topic: own, key: 'k', value: 'v2' },
    ]);
    expect(producer.healthy).toBe(true);
    const values = (await readTopic(own)).map(({ value }) => String(value));
    expect(values.filter((value) => value === 'v2')).toHaveLength(1);
    expect(values.at(-1)).toBe('v2');
    expect(values.indexOf('v1')).toBeGreaterThan(0);
  });

  it('tells of a deadline while the broker is silent, and sends later what is sent later', async () => {
    await producer.send([{ topic, key: 'k', value: 'warm' }]);
    let held = 0;
    proxy.onAnswer = (api) => (api === apis.produce ? (held++, 'hold') : 'pass');
    const inFlight = producer.send([{ topic, key: 'k', value: 'in flight' }], { deadline: Date.now() + 4_000 });
    await eventually(() => expect(held).toBe(1));
    const queued = producer.send([{ topic, key: 'k', value: 'queued too late' }], { deadline: Date.now() + 300 });
    const told: string[] = [];
    await Promise.all(Object.entries({ inFlight, queued }).map(async ([name, call]) => told.push(`${name} ${await fate(call)}`)));
    expect(told).toEqual(['queued NotAcknowledged', 'inFlight NotAcknowledged']); // each at its own deadline
    proxy.onAnswer = () => 'pass';
    await eventually(() => producer.send([{ topic, key: 'k', value: 'after' }]));
    const values = (await readTopic(topic)).map(({ value }) => String(value));
    expect(values).toContain('after');
    expect(values).not.toContain('queued too late');
  });

  it('notices by itself that the broker went away and came back', async () => {
    proxy.isRefusing = true;
    proxy.cutAll();
    await eventually(() => expect(producer.healthy).toBe(false));
    proxy.isRefusing = false;
    await eventually(() => expect(producer.healthy).toBe(true));
  });
});
