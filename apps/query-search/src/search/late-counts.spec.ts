import { describe, expect, it } from '@jest/globals';
import { maxListDepth, type Status } from '#contracts';
import { countIn } from './late-counts.store.js';

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
