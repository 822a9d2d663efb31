import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { openLane, turn, until } from '../testing/held-lane.js';
import { FetchedRecord } from './batch-reader.js';
import { share, type Delivery } from './delivery.js';
import type { EachBatchPayload } from './kafka.js';
import type { Holds } from './lane.js';
import type { IncomingRecord } from './record.js';
import type { Settler } from './settle.js';

Logger.overrideLogger(false);

const rejection = (type: string) => Object.assign(new Error(type), { type });

describe('lane', () => {
  it('gathers the partitions of one fetch into one round and commits them in one request', async () => {
    const { lane, held, group } = openLane();
    const taken = [lane.take(group.delivery(0, [5, 6])), lane.take(group.delivery(1, [9])), lane.take(group.delivery(2, [1]))];
    await turn();
    expect(held.seen).toEqual([['1:9', '2:1', '0:5', '0:6']]);
    expect(group.resolved.size).toBe(0);
    await held.end();
    await Promise.all(taken);
    expect(Object.fromEntries(group.resolved)).toEqual({ 0: '6', 1: '9', 2: '1' });
    await until(() => group.commits.length > 0);
    expect(group.commits).toEqual([
      [
        { partition: 1, offset: '10' },
        { partition: 2, offset: '2' },
        { partition: 0, offset: '7' },
      ],
    ]);
  });

  it('makes the next round of what arrives meanwhile, and never has two rounds of a partition', async () => {
    const { lane, held, group } = openLane({ maxRecords: 2 });
    const first = lane.take(group.delivery(0, [0, 1, 2]));
    await turn();
    const second = lane.take(group.delivery(1, [0]));
    await turn();
    expect(held.seen).toEqual([['0:0', '0:1']]);
    await held.end();
    expect(held.seen).toEqual([
      ['0:0', '0:1'],
      ['0:2', '1:0'],
    ]);
    await held.end();
    await Promise.all([first, second]);
    expect(Object.fromEntries(group.resolved)).toEqual({ 0: '2', 1: '0' });
  });

  it('holds a delivery until its round has ended even when the group refuses the heartbeat', async () => {
    const { lane, held, group } = openLane();
    let isOver = false;
    const taken = lane.take(group.delivery(0, [0])).then(() => (isOver = true));
    await turn();
    group.refusal = rejection('REBALANCE_IN_PROGRESS');
    while (group.heartbeats === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isOver).toBe(false);
    expect(held.rounds[0]!.signal.aborted).toBe(false);
    group.refusal = undefined;
    await held.end();
    await taken;
    expect(group.commits).toHaveLength(1);
  });

  it('lets go of what has not begun when a rebalance is due', async () => {
    const { lane, held, group } = openLane({ maxRecords: 1 });
    const taken = lane.take(group.delivery(0, [0, 1]));
    await turn();
    group.refusal = rejection('REBALANCE_IN_PROGRESS');
    while (group.heartbeats === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    group.refusal = undefined;
    await held.end();
    await taken;
    expect(held.seen).toEqual([['0:0']]);
    expect(group.resolved.get(0)).toBe('0');
  });

  it('aborts the round and neither resolves nor commits it when the partitions are lost', async () => {
    const { lane, held, group } = openLane();
    const taken = lane.take(group.delivery(0, [0]));
    await turn();
    group.refusal = rejection('UNKNOWN_MEMBER_ID');
    while (!held.rounds[0]!.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
    group.refusal = undefined;
    await held.end();
    await taken;
    expect(group.resolved.size).toBe(0);
    expect(group.commits).toEqual([]);
  });

  it('drops the outcome of a round that an older generation began', async () => {
    const { lane, held, group } = openLane();
    const taken = lane.take(group.delivery(0, [0]));
    await turn();
    lane.joined();
    await held.end();
    await taken;
    expect(group.resolved.size).toBe(0);
    expect(group.commits).toEqual([]);
  });

  it('works again after the partitions came back', async () => {
    const { lane, held, group } = openLane();
    const lost = lane.take(group.delivery(0, [0]));
    await turn();
    group.refusal = rejection('UNKNOWN_MEMBER_ID');
    while (!held.rounds[0]!.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
    group.refusal = undefined;
    await held.end();
    await lost;
    lane.joined();
    const again = lane.take(group.delivery(0, [0]));
    await turn();
    expect(held.rounds[1]!.signal.aborted).toBe(false);
    await held.end();
    await again;
    expect(group.resolved.get(0)).toBe('0');
  });

  it('waits for another lane of this process that still has the partition', async () => {
    const holds: Holds = new Map();
    const [old, fresh] = [openLane({ holds }), openLane({ holds })];
    const before = old.lane.take(old.group.delivery(4, [0]));
    await turn();
    const after = fresh.lane.take(fresh.group.delivery(4, [0]));
    await turn();
    expect(fresh.held.rounds).toHaveLength(0);
    await old.held.end();
    await before;
    await turn();
    expect(fresh.held.rounds).toHaveLength(1);
    await fresh.held.end();
    await after;
  });

  it('ends the round in hand and begins no other when stopped', async () => {
    const { lane, held, group } = openLane({ maxRecords: 1 });
    const taken = lane.take(group.delivery(0, [0, 1]));
    await turn();
    const stopped = lane.stop();
    expect(held.rounds[0]!.signal.aborted).toBe(false);
    await held.end();
    await Promise.all([taken, stopped]);
    expect(group.resolved.get(0)).toBe('0');
    expect(group.commits.flat()).toEqual([{ partition: 0, offset: '1' }]);
    await lane.take(group.delivery(0, [1]));
    expect(held.rounds).toHaveLength(1);
  });

  it('commits again with the next round what a commit failed to bring', async () => {
    const { lane, held, group } = openLane();
    const first = lane.take(group.delivery(0, [0]));
    await turn();
    group.refusal = new Error('connection closed');
    await held.end();
    await first;
    await until(() => group.refusedCommits > 0);
    group.refusal = undefined;
    const second = lane.take(group.delivery(1, [0]));
    await turn();
    await held.end();
    await second;
    await until(() => group.commits.length > 0);
    expect(group.commits.flat().map(({ partition }) => partition).sort()).toEqual([0, 1]);
  });

  it('commits what earlier rounds finished when it is stopped between two rounds', async () => {
    const { lane, held, group } = openLane();
    const taken = lane.take(group.delivery(0, [0]));
    await turn();
    await held.end();
    await taken;
    await lane.stop();
    expect(group.commits.flat()).toEqual([{ partition: 0, offset: '1' }]);
  });

  it('keeps the next fetch waiting until its pace allows another round', async () => {
    const { lane, held, group } = openLane({ paceMs: 60_000 });
    let isOver = false;
    const taken = lane.take(group.delivery(0, [0])).then(() => (isOver = true));
    await turn();
    await held.end();
    await until(() => group.commits.length > 0);
    expect([isOver, group.resolved.get(0)]).toEqual([false, '0']);
    await lane.stop();
    await taken;
  });

  it('reports its own mistakes instead of throwing them at kafkajs', async () => {
    const mistaken = { settle: () => Promise.reject(new TypeError('a mistake of ours')) } as unknown as Settler;
    const { lane, fatal, group } = openLane({ settler: mistaken });
    await lane.take(group.delivery(0, [0]));
    expect(fatal).toHaveLength(1);
    expect(group.resolved.size).toBe(0);
  });
});

describe('sharing a round', () => {
  const delivery = (count: number, bytes = 100): Delivery => ({
    records: Array.from({ length: count }, () => ({ value: Buffer.alloc(bytes) }) as unknown as IncomingRecord),
    payload: {} as EachBatchPayload,
    generation: 0,
    finish: () => undefined,
    next: 0,
  });
  const counts = (sizes: number[], room: number) => share(sizes.map(delivery), room).map(({ records }) => records.length);

  it('deals evenly, and gives what quiet partitions leave to the busy ones', () => {
    expect(counts([10, 1_000, 1_000], 300)).toEqual([10, 145, 145]);
    expect(counts([1_000], 300)).toEqual([300]);
    expect(counts([1, 2, 3], 300)).toEqual([1, 2, 3]);
  });

  it('never exceeds the room', () => {
    expect(counts([5, 5, 5, 5], 3).reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it('takes few large records, and of each partition at least one', () => {
    const large = [delivery(60, 500 << 10), delivery(60, 500 << 10), delivery(10)];
    expect(share(large, 1_000).map(({ records }) => records.length)).toEqual([10, 8, 8]);
    expect(share([delivery(2, 30 << 20), delivery(3, 30 << 20)], 1_000).map(({ records }) => records.length)).toEqual([1, 1]);
  });

  it('takes few records with thousands of headers', () => {
    const context = { producerId: '-1', inTransaction: false, isControlBatch: false };
    const headed = Array.from({ length: 100 }, (_, at) => new FetchedRecord('topic', 0, String(at), '0', null, null, Buffer.alloc(24 << 10), context));
    expect(share([{ ...delivery(0), records: headed }], 1_000).map(({ records }) => records.length)).toEqual([10]);
  });
});
