import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../servers/testing/eventually.js';
import { Fault, OwnersTrouble } from './fault.js';
import type { BrokerProbe, Kafka } from './kafka.js';
import { Member } from './member.js';
import { Settler } from './settle.js';

Logger.overrideLogger(false);

/** A kafkajs consumer as the member sees it. */
class FakeConsumer extends EventEmitter {
  readonly events = { GROUP_JOIN: 'join', HEARTBEAT: 'beat', FETCH: 'fetch', CRASH: 'crash', REBALANCING: 'rebalancing' };
  readonly seeks: { partition: number; offset: string }[] = [];
  isDisconnected = false;
  connect = async () => undefined;
  subscribe = async () => undefined;
  run = async () => undefined;
  seek = (position: { partition: number; offset: string }) => void this.seeks.push(position);
  disconnect = async () => void (this.isDisconnected = true);
  join(partitions: number[]) {
    this.emit('join', { payload: { memberAssignment: { topic: partitions } } });
  }
  crash(restart: boolean) {
    this.emit('crash', { payload: { restart, error: new TypeError('cannot read properties of undefined') } });
  }
}

function open(changed: { positions?: Map<number, string>; waitsFor?: string[] } = {}) {
  const consumers: FakeConsumer[] = [];
  const fatal: unknown[] = [];
  const cluster = { isHealthy: true, topics: ['topic'] };
  const client = {
    consumer: () => {
      consumers.push(new FakeConsumer());
      return consumers.at(-1);
    },
  } as unknown as Kafka;
  const admin = { listTopics: async () => cluster.topics, fetchTopicOffsets: async () => [0, 1].map((partition) => ({ partition, low: '2', high: '7' })) };
  const probe = { isHealthy: async () => cluster.isHealthy, admin: async () => admin } as unknown as BrokerProbe;
  const settler = new Settler({ service: 's', group: 'g', handle: async () => undefined, bury: async () => undefined, isHealthy: async () => true });
  const member = new Member({
    topic: 'topic',
    group: 'g',
    groupId: 'g',
    maxRecords: 10,
    holds: new Map(),
    fromBeginning: false,
    client,
    probe,
    settler,
    onConsumer: () => undefined,
    onFatal: (error) => fatal.push(error),
    ...changed,
  });
  return { member, consumers, fatal, cluster };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('member of a group', () => {
  it('is in trouble until it has joined and fetched', async () => {
    const { member, consumers } = open();
    expect(member.trouble).toContain('not in its group');
    await member.start();
    consumers[0]!.join([0, 1]);
    expect(member.trouble).toContain('not positioned');
    consumers[0]!.emit('fetch');
    expect(member.trouble).toBeUndefined();
    await member.stop();
    expect(consumers[0]!.isDisconnected).toBe(true);
  });

  it('is in trouble while its round waits, unless that is for what an outsider’s topics lack', async () => {
    const { member, consumers } = open();
    await member.start();
    consumers[0]!.join([0]);
    consumers[0]!.emit('fetch');
    member.lane.waits(new Fault('the store is down'));
    expect(member.trouble).toContain('waits: the store is down');
    member.lane.waits(new OwnersTrouble('its dead-letter topic is gone'));
    expect([member.trouble, member.movedAt]).toEqual([undefined, Infinity]);
    member.lane.waits(undefined);
    await member.stop();
  });

  it('begins anew when kafkajs gives up although the broker answers, for it may just have come back; twice within a minute is fatal', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
    const { member, consumers, fatal } = open();
    await member.start();
    for (const [crashes, at] of [0, 60_000, 120_000].entries()) {
      clock.mockReturnValue(at);
      consumers[crashes]!.join([0]);
      consumers[crashes]!.crash(false);
      expect(member.trouble).toContain('not in its group');
      await turn();
      expect([fatal, consumers.length, consumers[crashes]!.isDisconnected]).toEqual([[], crashes + 2, true]);
    }
    clock.mockReturnValue(179_999);
    consumers[3]!.crash(false);
    await turn();
    clock.mockRestore();
    expect([fatal.length, consumers.length]).toEqual([1, 4]);
    expect(member.trouble).toContain('crashed: cannot read properties of undefined');
  });

  it('starts again when kafkajs gives up because the broker is away', async () => {
    const { member, consumers, fatal, cluster } = open();
    cluster.isHealthy = false;
    await member.start();
    consumers[0]!.crash(false);
    await turn();
    expect(fatal).toEqual([]);
    expect(consumers).toHaveLength(2);
    expect(consumers[0]!.isDisconnected).toBe(true);
    await member.stop();
  });

  it('leaves it to kafkajs to restart what it will restart, and is not ready meanwhile', async () => {
    const { member, consumers, fatal } = open();
    await member.start();
    consumers[0]!.join([0]);
    consumers[0]!.emit('fetch');
    consumers[0]!.crash(true);
    await turn();
    expect([fatal, consumers.length]).toEqual([[], 1]);
    expect(member.trouble).toContain('not in its group');
    await member.stop();
  });

  it('that keeps its own positions begins at the end, and after a rejoin where it was', async () => {
    const positions = new Map<number, string>();
    const { member, consumers } = open({ positions });
    await member.start();
    consumers[0]!.join([0, 1]);
    positions.set(1, '9');
    consumers[0]!.join([0, 1, 2]);
    expect(consumers[0]!.seeks.map(({ offset }) => offset)).toEqual(['7', '7', '7', '9', '0']);
    expect(member.trouble).toBeDefined(); // until the first fetch has come back
    await member.stop();
  });

  it('of an outsider’s topic waits for what is missing, comes and joins again without being in trouble, unless it crashes or its round waits for us', async () => {
    const { member, consumers, fatal, cluster } = open({ waitsFor: ['topic', 'results'] });
    const started = member.start();
    expect([member.trouble, consumers.length]).toEqual([undefined, 0]);
    cluster.topics = ['topic', 'results'];
    await started;
    expect([member.trouble, consumers.length]).toEqual([undefined, 1]);
    consumers[0]!.join([0, 1]);
    expect(member.trouble).toBeUndefined();
    member.lane.waits(new Fault('the store is down'));
    expect(member.trouble).toContain('waits: the store is down');
    member.lane.waits(undefined);
    consumers[0]!.crash(true);
    expect(member.trouble).toBeUndefined();
    consumers[0]!.crash(false);
    await eventually(() => consumers.length === 2, 'it begins anew');
    consumers[1]!.crash(false);
    await eventually(() => fatal.length === 1, 'it crashed');
    expect(member.trouble).toContain('crashed');
    await member.stop();
  });

  it('that lost a topic it waits for goes back to waiting: kafkajs may give up, and nothing is fatal', async () => {
    const { member, consumers, fatal, cluster } = open({ waitsFor: ['topic'] });
    await member.start();
    cluster.topics = [];
    consumers[0]!.crash(false);
    await eventually(() => consumers[0]!.isDisconnected, 'it waits');
    expect([fatal, member.trouble, consumers.length]).toEqual([[], undefined, 1]);
    cluster.topics = ['topic'];
    await eventually(() => consumers.length === 2, 'it begins again');
    await member.stop();
  });
});
