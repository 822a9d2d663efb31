import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Logger, UseGuards, UseInterceptors, type CallHandler, type CanActivate, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { tap } from 'rxjs';
import { eventually, numbered, numbersByKey, Witness } from '../testing/broker.suite.js';
import { brokers, createTopics, freshName, listen, readTopic, untilReady } from '../testing/kafka-broker.js';
import { apis, KafkaProxy } from '../testing/kafka-proxy.js';
import { Fault } from './fault.js';
import { connectKafka } from './kafka.js';
import { RecordProducer } from './producer.js';
import type { IncomingRecord, Round } from './record.js';
import { Subscribe } from './subscribe.js';
import { RoundTransport } from './transport.js';

Logger.overrideLogger(false);

const open: RoundTransport[] = [];
const start: typeof listen = async (...settings) => {
  const transport = await listen(...settings);
  open.push(transport);
  return transport;
};

async function freshTopic(partitions = 12): Promise<string> {
  const topic = freshName();
  await createTopics([topic, `dead.spec.${topic}`], partitions);
  return topic;
}

describe('round transport', () => {
  const producer = new RecordProducer({ brokers, clientId: 'spec-transport' });
  const connected = producer.connect();
  connected.catch(() => undefined);
  const send = async (...records: Parameters<RecordProducer['send']>) => {
    await connected;
    await producer.send(...records);
  };
  afterEach(async () => void (await Promise.all(open.splice(0).map((transport) => transport.close()))));
  afterAll(() => producer.close());

  it('loses nothing and never works on a partition twice at once while instances come and go', async () => {
    const topic = await freshTopic();
    const seen: IncomingRecord[] = [];
    const overlaps: string[] = [];
    const instance = () => {
      const inHand = new Set<number>();
      return start({}, { topic, group: `${topic}.rebalance`, lanes: 2, maxRecords: 50 }, async ({ records }) => {
        const partitions = [...new Set(records.map(({ partition }) => partition))];
        overlaps.push(...partitions.filter((partition) => inHand.has(partition)).map(String));
        partitions.forEach((partition) => inHand.add(partition));
        await new Promise((resolve) => setTimeout(resolve, 10)); // eslint-disable-line deskstream/specs-never-sleep -- work takes its time
        partitions.forEach((partition) => inHand.delete(partition));
        seen.push(...records);
      });
    };
    const all = numbered(topic, 100, 60);
    const first = await instance();
    for (let i = 0; i < all.length; i += 500) {
      await send(all.slice(i, i + 500));
      if (i === 2_000) void instance();
      if (i === 4_000) void first.close();
    }
    await eventually(() => expect(new Set(seen.map(({ value }) => String(value))).size).toBe(6_000));
    expect(overlaps).toEqual([]);
    for (const numbers of numbersByKey(seen).values()) {
      const firsts = numbers.filter((number, i) => numbers.indexOf(number) === i);
      expect(firsts).toEqual(Array.from({ length: 60 }, (_, i) => i));
    }
  });

  it('hands the whole round to the framework once, with guards, interceptors and the error that was really thrown', async () => {
    const topic = await freshTopic();
    const calls: string[] = [];
    @Injectable()
    class Guard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        calls.push(`guard ${context.getType()} ${context.switchToRpc().getData<Round>().records.length}`);
        return true;
      }
    }
    @Injectable()
    class Interceptor implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler) {
        return next.handle().pipe(tap(() => calls.push('intercepted')));
      }
    }
    @Controller()
    class Consumer {
      @Subscribe({ topic, group: `${topic}.nest` })
      @UseGuards(Guard)
      @UseInterceptors(Interceptor)
      async handle({ records }: Round) {
        calls.push(`handled ${records.length}`);
        if (String(records[0]!.value) === 'bad') throw new RangeError('what was really wrong');
        return records.map((record) => ({ record, reason: 'unknown-type' as const, detail: 'as told' }));
      }
    }
    const module = await Test.createTestingModule({ controllers: [Consumer], providers: [Guard, Interceptor] }).compile();
    const transport = new RoundTransport({ brokers, service: 'spec' });
    const app = module.createNestMicroservice({ strategy: transport });
    await send([1, 2, 3].map(() => ({ topic, key: 'k', value: 'v' })));
    await app.listen();
    await eventually(() => expect(calls).toEqual(['guard rpc 3', 'handled 3', 'intercepted']));
    await send([{ topic, key: 'k', value: 'bad' }]);
    await eventually(async () => expect(await readTopic(`dead.spec.${topic}`)).toHaveLength(4));
    const details = (await readTopic(`dead.spec.${topic}`)).map(({ headers }) => headers['dead_detail']);
    expect(details).toEqual(['as told', 'as told', 'as told', 'RangeError: what was really wrong']);
    await app.close();
    expect(transport.health().ready).toBe(false);
  });

  it('refuses two handlers of one group on one topic', async () => {
    const twice = new RoundTransport({ brokers, service: 'spec' });
    const subscription = { topic: 'a', group: 'b' };
    for (const handle of [async () => undefined, async () => undefined]) twice.addHandler(subscription, handle, true, { subscription });
    const error = await new Promise((resolve) => void twice.listen(resolve));
    expect(String(error)).toContain('two handlers for b on a');
  });

  it('reads a record with 10,000 headers and goes on', async () => {
    const topic = await freshTopic();
    const headers = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`header-${i}`, 'x'.repeat(20)]));
    const witness = new Witness();
    await start({}, { topic, group: `${topic}.headers` }, witness.handle);
    await send([{ topic, key: 'k', value: 'many', headers }]);
    await send([{ topic, key: 'k', value: 'next' }]);
    await eventually(() => expect(witness.values).toEqual(['many', 'next']));
    expect(witness.records[0]!.headers['header-9999']).toBe('x'.repeat(20));
  });

  it('is not ready while the broker is away, and an instance that reads everything then goes on where it was', async () => {
    const topic = await freshTopic();
    const proxy = new KafkaProxy(brokers[0]!);
    const witness = new Witness();
    const transport = await start({ brokers: [await proxy.listen()] }, { topic, group: `${topic}.each`, perInstance: true }, witness.handle);
    await untilReady(transport);
    await send(numbered(topic, 20, 1));
    await eventually(() => expect(witness.records).toHaveLength(20));
    proxy.isRefusing = true;
    proxy.cutAll();
    await eventually(() => expect(transport.health()).toMatchObject({ live: true, ready: false }));
    await send(numbered(topic, 20, 2).slice(20));
    proxy.isRefusing = false;
    await eventually(() => expect(transport.health().ready).toBe(true));
    await eventually(() => expect(new Set(witness.values).size).toBe(40));
    await transport.close();
    await proxy.close();
  });

  it('commits once for all partitions of a round, not once for each', async () => {
    const topic = await freshTopic();
    const proxy = new KafkaProxy(brokers[0]!);
    const witness = new Witness();
    let commits = 0;
    await send(numbered(topic, 200, 5));
    const address = await proxy.listen();
    proxy.onAnswer = (api) => {
      if (api === apis.offsetCommit) commits++;
      return 'pass';
    };
    const transport = await start({ brokers: [address] }, { topic, group: `${topic}.commits` }, witness.handle);
    await eventually(() => expect(witness.records).toHaveLength(1_000));
    await transport.close();
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThanOrEqual(witness.rounds.length + 1);
    await proxy.close();
  });

  it('leaves a round that waits when another instance wants partitions, and comes back to it', async () => {
    const topic = await freshTopic();
    const group = `${topic}.wait`;
    let isDown = true;
    const seen = [new Witness(), new Witness()];
    const handler = (witness: Witness) => async (round: Round) => {
      if (isDown) throw new Fault('the store is down');
      await witness.handle(round);
    };
    await send(numbered(topic, 50, 1));
    const first = await start({}, { topic, group }, handler(seen[0]!));
    await eventually(() => expect(first.health().detail).toContain('the store is down'));
    const second = await start({}, { topic, group }, handler(seen[1]!));
    await eventually(() => expect(second.health().detail).toContain('the store is down'));
    isDown = false;
    await eventually(() => expect(new Set(seen.flatMap(({ values }) => values)).size).toBe(50));
    expect(seen[1]!.records.length).toBeGreaterThan(0);
  });

  it('ends the round in hand at a stop, and another instance goes on behind it at once', async () => {
    const topic = await freshTopic(1);
    const group = `${topic}.stop`;
    await send(numbered(topic, 1, 3));
    let end: (() => void) | undefined;
    const before = new Witness();
    const first = await start({}, { topic, group, maxRecords: 1 }, async (round) => {
      await new Promise<void>((resolve) => (end = resolve));
      await before.handle(round);
    });
    await eventually(() => expect(end).toBeDefined());
    const closed = first.close();
    end!();
    await closed;
    expect(before.values).toEqual(['key-0:0']);
    const admin = connectKafka({ brokers, clientId: 'spec-members' }).admin();
    await admin.connect();
    const { groups } = await admin.describeGroups([group]);
    await admin.disconnect();
    expect(groups[0]!.members).toEqual([]); // nobody waits for the session of a member that did not leave
    const after = new Witness();
    await start({}, { topic, group }, after.handle);
    await eventually(() => expect(after.values).toEqual(['key-0:1', 'key-0:2']));
  });

  it('stops in time although a handler hangs, and tells the handler', async () => {
    const topic = await freshTopic(1);
    await send(numbered(topic, 1, 1));
    let isTold = false;
    let hasBegun = false;
    const transport = await start({ stopWithinMs: 300 }, { topic, group: `${topic}.hang` }, async ({ signal }) => {
      hasBegun = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      isTold = true;
    });
    await eventually(() => expect(hasBegun).toBe(true));
    await transport.close();
    expect(isTold).toBe(true);
  });

  it('ends the process when a handler hangs while nothing is down, but not while a store is', async () => {
    const topic = await freshTopic(1);
    await send(numbered(topic, 1, 1));
    const fatal: unknown[] = [];
    let isStoreHealthy = false;
    let asked = 0;
    const settings = {
      stallAfterMs: 400,
      stopWithinMs: 100,
      onFatal: (error: unknown) => fatal.push(error),
      isStoreHealthy: async () => {
        asked++;
        return isStoreHealthy;
      },
    };
    let release = () => {};
    const hang = () => new Promise<void>((resolve) => (release = resolve));
    const transport = await start(settings, { topic, group: `${topic}.stall` }, hang);
    await eventually(() => expect(asked).toBeGreaterThan(2));
    expect(transport.health().live).toBe(true);
    isStoreHealthy = true;
    await eventually(() => expect(fatal).toHaveLength(1));
    expect(transport.health().live).toBe(false);
    release();
  });

  it('does not take an idle group for a stalled one', async () => {
    const topic = await freshTopic();
    const fatal: unknown[] = [];
    const transport = await start({ stallAfterMs: 200, onFatal: (error) => fatal.push(error) }, { topic, group: `${topic}.idle` }, async () => undefined);
    await untilReady(transport);
    // eslint-disable-next-line deskstream/specs-never-sleep -- what must not happen would happen after a fifth of this
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(fatal).toEqual([]);
    expect(transport.health()).toEqual({ live: true, ready: true });
  });

  it('waits for a topic that is not there yet', async () => {
    const topic = freshName();
    const witness = new Witness();
    const transport = await start({}, { topic, group: `${topic}.later` }, witness.handle);
    expect(transport.health()).toMatchObject({ live: true, ready: false });
    await createTopics([topic]);
    await send([{ topic, key: 'k', value: 'v' }]);
    await eventually(() => expect(witness.values).toEqual(['v']));
  });
});
