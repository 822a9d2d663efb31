import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { maxListDepth, type Status } from '#contracts';
import { longestMs } from '../asking.js';
import { countIn, LateCounts } from './late-counts.store.js';

const tally = (isWhole: boolean, open: number) => ({ byStatus: new Map<Status, number>([['open', open], ['closed', 5]]), isWhole });

describe('a tally', () => {
  it('tells how many tickets have some statuses, each counted once, or any', () => {
    expect(countIn(tally(true, 3), ['open', 'open'])).toEqual({ total: 3, isExact: true });
    expect(countIn(tally(true, 3), ['pending', 'closed'])).toEqual({ total: 5, isExact: true });
    expect(countIn(tally(true, 3))).toEqual({ total: 8, isExact: true });
  });

  it('is exact when no ticket was left out, and stops at 10,000', () => {
    expect(countIn(tally(false, 3), ['open'])).toEqual({ total: 3, isExact: false });
    expect(countIn(tally(false, maxListDepth + 1))).toEqual({ total: maxListDepth, isExact: false });
  });
});

describe('counts that ask both sides', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const plan = { filter: {}, hint: 'byWord' } as const;
  /** A store whose queries end, one after the other, when they are told to. */
  function slowStore() {
    const running: (() => void)[] = [];
    let begun = 0;
    const toArray = () => {
      begun += 1;
      return new Promise((resolve) => void running.push(() => resolve([])));
    };
    const collection = { aggregate: () => ({ toArray }) } as never;
    const settled = () => jest.advanceTimersByTimeAsync(0);
    return { counts: new LateCounts(collection, collection), begun: () => begun, settled, end: () => (running.shift()!(), settled()) };
  }

  it('take turns: of many at once, two are made', async () => {
    const { counts, begun, settled, end } = slowStore();
    const asked = Array.from({ length: 4 }, () => counts.tally(plan, { viewFilter: {} }));
    await settled();
    expect(begun()).toBe(2);
    await end();
    expect(begun()).toBe(3);
    for (let i = 0; i < 3; i++) await end();
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 4 }, () => ({ byStatus: new Map(), isWhole: true })));
  });

  it('take none where they are short', async () => {
    const { counts, begun, settled, end } = slowStore();
    const asked = Array.from({ length: 4 }, () => counts.tally(plan, { viewFilter: {}, isShort: true }));
    await settled();
    expect(begun()).toBe(4);
    for (let i = 0; i < 4; i++) await end();
    expect(await Promise.all(asked)).toHaveLength(4);
  });

  it('are not made any more for who has waited too long, who is told so while others still count', async () => {
    const { counts, begun, settled, end } = slowStore();
    const asked = Array.from({ length: 4 }, () => counts.tally(plan, { viewFilter: {} }));
    const late = asked.slice(2).map((one) => expect(one).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' } }));
    await settled();
    await jest.advanceTimersByTimeAsync(longestMs);
    await Promise.all(late);
    await end();
    await end();
    expect(await Promise.all(asked.slice(0, 2))).toHaveLength(2);
    expect(begun()).toBe(2);
    const after = counts.shared(plan, plan);
    await settled();
    expect(begun()).toBe(4);
    await end();
    await end();
    expect(await after).toEqual({ total: 0, isWhole: true });
  });
});
