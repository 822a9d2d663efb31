import { afterAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Fault } from '../src/fault.js';
import type { DeadLetter, IncomingRecord, OutgoingRecord, Round } from '../src/record.js';
import type { RoundHandler } from '../src/settle.js';
import type { SubscribeOptions } from '../src/subscribe.js';

Logger.overrideLogger(false);

export interface Subscribed {
  health(): { readonly live: boolean; readonly ready: boolean };
  stop(): Promise<void>;
}

/** What the in-memory broker and Kafka have in common. */
export interface BrokerUnderTest {
  /** The name of a new topic of 12 partitions whose dead-letter topic for service `spec` stands too. */
  newTopic(): Promise<string>;
  send(records: OutgoingRecord[]): Promise<void>;
  /** Resolves when the subscription is ready. */
  subscribe(service: string, options: SubscribeOptions, handle: RoundHandler): Promise<Subscribed>;
  /** Everything a topic holds. */
  read(topic: string): Promise<IncomingRecord[]>;
  setStoreHealthy(isHealthy: boolean): void;
  close(): Promise<void>;
}

/** Polls until `check` no longer throws; its last error after a minute: the machine does other things too. */
export async function eventually(check: () => unknown, withinMs = 60_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; ; ) {
    try {
      return void (await check());
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Remembers what a handler saw. */
export class Witness {
  readonly rounds: (readonly IncomingRecord[])[] = [];
  get records(): IncomingRecord[] {
    return this.rounds.flat();
  }
  get values(): string[] {
    return this.records.map(({ value }) => String(value));
  }
  readonly handle = async (round: Round): Promise<DeadLetter[] | void> => {
    this.rounds.push(round.records);
  };
}

/** Numbered values for some keys: `key:0`, `key:1`, … */
export const numbered = (topic: string, keys: number, each: number): OutgoingRecord[] =>
  Array.from({ length: keys * each }, (_, i) => ({ topic, key: `key-${i % keys}`, value: `key-${i % keys}:${Math.floor(i / keys)}` }));

/** Per key, the numbers in the order seen. */
export function numbersByKey(records: readonly IncomingRecord[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const { value } of records) {
    const [key, number] = String(value).split(':') as [string, string];
    numbers.set(key, [...(numbers.get(key) ?? []), Number(number)]);
  }
  return numbers;
}

/** What every broker must do for the services. */
export function brokerSuite(name: string, open: () => BrokerUnderTest): void {
  describe(`${name}: rounds`, () => {
    const broker = open();
    const subscriptions: Subscribed[] = [];
    afterAll(async () => {
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
      await broker.close();
    });
    const subscribe = async (options: SubscribeOptions, handle: RoundHandler) => {
      const subscription = await broker.subscribe('spec', options, handle);
      subscriptions.push(subscription);
      return subscription;
    };

    it('come from the beginning for a group without offsets, in order per key', async () => {
      const topic = await broker.newTopic();
      await broker.send(numbered(topic, 50, 100));
      const witness = new Witness();
      await subscribe({ topic, group: `${topic}.order`, maxRecords: 300 }, witness.handle);
      await eventually(() => expect(witness.records).toHaveLength(5_000));
      const inOrder = Array.from({ length: 100 }, (_, i) => i);
      for (const numbers of numbersByKey(witness.records).values()) expect(numbers).toEqual(inOrder);
      expect(Math.max(...witness.rounds.map((records) => records.length))).toBeLessThanOrEqual(300);
    });

    it('gather what has arrived on many partitions', async () => {
      const topic = await broker.newTopic();
      await broker.send(numbered(topic, 200, 1));
      const witness = new Witness();
      await subscribe({ topic, group: `${topic}.gather` }, witness.handle);
      await eventually(() => expect(witness.records).toHaveLength(200));
      const partitions = witness.rounds.map((records) => new Set(records.map(({ partition }) => partition)).size);
      expect(Math.max(...partitions)).toBe(12);
    });

    it('wait in place and turn readiness red while a store or broker is down', async () => {
      const topic = await broker.newTopic();
      const witness = new Witness();
      let isDown = true;
      const subscription = await subscribe({ topic, group: `${topic}.fault` }, async (round) => {
        await witness.handle(round);
        if (isDown) throw new Fault('the store is down');
      });
      await broker.send([{ topic, key: 'a', value: 'first' }]);
      await eventually(() => expect(subscription.health()).toMatchObject({ live: true, ready: false }));
      await eventually(() => expect(witness.rounds.length).toBeGreaterThan(2));
      isDown = false;
      await eventually(() => expect(subscription.health()).toMatchObject({ live: true, ready: true }));
      expect(new Set(witness.values)).toEqual(new Set(['first']));
      expect(await broker.read(`dead.spec.${topic}`)).toEqual([]);
    });

    it('wait when a handler fails for an unknown reason while the store is unhealthy', async () => {
      const topic = await broker.newTopic();
      broker.setStoreHealthy(false);
      const witness = new Witness();
      let isBroken = true;
      const subscription = await subscribe({ topic, group: `${topic}.unknown` }, async (round) => {
        await witness.handle(round);
        if (isBroken) throw new TypeError('cannot read properties of undefined');
      });
      await broker.send([{ topic, key: 'a', value: 'first' }]);
      await eventually(() => expect(witness.rounds.length).toBeGreaterThan(4));
      expect(subscription.health().ready).toBe(false);
      isBroken = false;
      broker.setStoreHealthy(true);
      await eventually(() => expect(subscription.health().ready).toBe(true));
      expect(await broker.read(`dead.spec.${topic}`)).toEqual([]);
    });

    it('make a dead letter of the one record that fails and go on with the others', async () => {
      const topic = await broker.newTopic();
      const poison = { key: Buffer.from([0, 255, 1]), value: Buffer.from([0xff, 0xfe, 0]) };
      const headers = [
        { key: Buffer.from('trace'), value: Buffer.from([1, 2, 0xff]) },
        { key: Buffer.from('trace'), value: null },
        { key: Buffer.from('dead_reason'), value: Buffer.from('an older one') },
      ];
      await broker.send([...numbered(topic, 20, 5), { topic, ...poison, headers }, ...numbered(topic, 20, 5)]);
      const done: IncomingRecord[] = [];
      const group = `${topic}.poison`;
      await subscribe({ topic, group }, async ({ records }) => {
        if (records.some(({ value }) => value?.equals(poison.value))) throw new TypeError('poison');
        done.push(...records);
      });
      await eventually(async () => expect(await broker.read(`dead.spec.${topic}`)).toHaveLength(1));
      await eventually(() => expect(done).toHaveLength(200));
      const [letter] = await broker.read(`dead.spec.${topic}`);
      expect(letter!.key).toEqual(poison.key);
      expect(letter!.value).toEqual(poison.value);
      expect(letter!.rawHeaders.slice(0, 2)).toEqual(headers.slice(0, 2));
      expect({ ...letter!.headers }).toMatchObject({
        dead_reason: 'handler-failed',
        dead_detail: 'TypeError: poison',
        dead_topic: topic,
        dead_partition: expect.stringMatching(/^\d+$/),
        dead_offset: expect.stringMatching(/^\d+$/),
        dead_time: expect.stringMatching(/^\d{4}-.*Z$/),
        dead_consumer: group,
        dead_attempts: '3',
      });
      expect(letter!.rawHeaders.filter(({ key }) => String(key) === 'dead_reason')).toHaveLength(1);
    });

    it('end with the dead letters that the handler names', async () => {
      const topic = await broker.newTopic();
      await broker.send([
        { topic, key: 'a', value: 'good' },
        { topic, key: 'a', value: null },
        { topic, key: null, value: '{' },
      ]);
      await subscribe({ topic, group: `${topic}.named` }, async ({ records }) =>
        records
          .filter(({ value }) => String(value) !== 'good')
          .map((record) => ({ record, reason: 'not-json' as const, detail: 'no JSON' })),
      );
      await eventually(async () => expect(await broker.read(`dead.spec.${topic}`)).toHaveLength(2));
      const letters = await broker.read(`dead.spec.${topic}`);
      expect(letters.map(({ value }) => value?.toString() ?? null).sort()).toEqual(['{', null].sort());
      expect(letters.map(({ headers }) => headers['dead_attempts'])).toEqual(['1', '1']);
    });

    it('are not seen again after a clean stop', async () => {
      const topic = await broker.newTopic();
      const options = { topic, group: `${topic}.stop` };
      await broker.send(numbered(topic, 30, 10));
      const before = new Witness();
      const subscription = await broker.subscribe('spec', options, before.handle);
      await eventually(() => expect(before.records).toHaveLength(300));
      await subscription.stop();
      await broker.send([{ topic, key: 'key-0', value: 'after' }]);
      const after = new Witness();
      await subscribe(options, after.handle);
      await eventually(() => expect(after.values).toEqual(['after']));
    });

    it('start at the end, for every instance, when asked for', async () => {
      const topic = await broker.newTopic();
      await broker.send(numbered(topic, 30, 1));
      const instances = [new Witness(), new Witness()];
      for (const { handle } of instances) await subscribe({ topic, group: `${topic}.each`, perInstance: true }, handle);
      await broker.send(numbered(topic, 40, 2));
      await eventually(() => expect(instances.map(({ records }) => records.length)).toEqual([80, 80]));
    });

    it('show headers as text, the last of a repeated name, safe to look up', async () => {
      const topic = await broker.newTopic();
      const headers = [
        { key: Buffer.from('a'), value: Buffer.from('first') },
        { key: Buffer.from('__proto__'), value: Buffer.from('harmless') },
        { key: Buffer.from('a'), value: Buffer.from('last ä') },
      ];
      await broker.send([{ topic, key: 'k', value: 'v', headers }]);
      const witness = new Witness();
      await subscribe({ topic, group: `${topic}.headers` }, witness.handle);
      await eventually(() => expect(witness.records).toHaveLength(1));
      const [record] = witness.records;
      expect(record!.headers['a']).toBe('last ä');
      expect(record!.headers['constructor']).toBeUndefined();
      expect(record!.rawHeaders).toEqual(headers);
    });
  });
}
