import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { binOf, percentiles } from './durations.projection.js';

function histogram(durations: readonly number[]): Map<string, number> {
  const bins = new Map<string, number>();
  for (const ms of durations) bins.set(binOf(ms), (bins.get(binOf(ms)) ?? 0) + 1);
  return bins;
}

/** By sorting all of them, interpolated between neighbours. */
function exact(durations: readonly number[], share: number): number {
  const sorted = [...durations].sort((one, other) => one - other);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (above - below) * (place - Math.floor(place));
}

describe('percentiles of a histogram', () => {
  it('are within 5 % of those of the durations, from a millisecond to ten years', () => {
    const spread = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 316_000_000_000 }));
    fc.assert(
      fc.property(fc.array(spread, { minLength: 1, maxLength: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), (durations, share) => {
        const [found] = percentiles(histogram(durations), [share]);
        const wanted = exact(durations, share);
        expect(Math.abs(found! - wanted)).toBeLessThanOrEqual(0.5 + 0.05 * wanted);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of two are between them, of one are that one, of none are none', () => {
    const [median, p90] = percentiles(histogram([60_000, 3_600_000]), [0.5, 0.9]);
    expect(median! / 1_830_000).toBeCloseTo(1, 1);
    expect(p90! / 3_246_000).toBeCloseTo(1, 1);
    expect(percentiles(histogram([7]), [0, 0.5, 1])).toEqual([7, 7, 7]);
    expect(percentiles(histogram([]), [0.5, 0.9])).toEqual([null, null]);
  });

  it('take what took no time, or less, for nothing', () => expect(percentiles(histogram([0, 0, -5]), [0.5])).toEqual([0]));

  it('of half a million different durations need less than a thousand bins', () => {
    expect(histogram(Array.from({ length: 500_000 }, (_, i) => i * 631_000)).size).toBeLessThan(1_000);
  });
});
