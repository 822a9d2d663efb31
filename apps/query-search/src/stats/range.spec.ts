import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isIn, monthOf, planOf, type Periods } from './range.js';

const [dayMs, start, end] = [86_400_000, Date.parse('2023-11-01'), Date.parse('2026-11-01')];
const allDays = Array.from({ length: (end - start) / dayMs }, (_, i) => new Date(start + i * dayMs).toISOString().slice(0, 10));
const at = (day: string) => Date.parse(day);
const later = Number.MAX_SAFE_INTEGER;

const moment = fc.oneof(
  fc.integer({ min: 0, max: 1_000 }).map((day) => at('2024-01-01') + day * dayMs),
  fc.integer({ min: 0, max: 32 }).map((month) => Date.UTC(2024, month, 1)),
  fc.integer({ min: at('2024-01-01'), max: at('2026-06-01') }),
);
const ranges = fc.tuple(moment, moment).map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }));
const counted = (day: string, periods: readonly Periods[]) => periods.filter((some) => isIn(some, day)).length;

describe('a range of time', () => {
  it('is told by whole cells, each once, and by moments that none of them has', () => {
    fc.assert(
      fc.property(ranges, ({ from, to }) => {
        const { days, edges, months, loose, whole } = planOf({ from, to }, later);
        const wrong = allDays.filter((day) => {
          const isWhole = from <= at(day) && at(day) + dayMs <= to;
          const isTouched = from < to && at(day) < to && from < at(day) + dayMs;
          const cells = counted(day, loose) + counted(monthOf(day), [months]);
          const parts = edges.filter((edge) => at(day) < edge.to && edge.from < at(day) + dayMs).length;
          return isIn(whole, day) !== isWhole || (isWhole && cells !== 1) || parts !== Number(isTouched && !isWhole);
        });
        expect(wrong).toEqual([]);
        expect(days).toEqual(from < to ? allDays.filter((day) => at(day) < to && from < at(day) + dayMs) : []);
        expect(edges.every((edge) => from <= edge.from && edge.to <= to)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('knows of every day until its end what was created then, once', () => {
    fc.assert(
      fc.property(ranges, ({ from, to }) => {
        const { earlier, months, loose } = planOf({ from, to }, later);
        const times = (day: string) => counted(monthOf(day), [earlier, months]) + counted(day, loose);
        expect(allDays.filter((day) => times(day) > 1 || (times(day) === 0 && at(day) < to))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('that ends now ends with a whole day', () => {
    const now = Date.parse('2026-03-05T10:00:00Z');
    expect(planOf({ from: at('2026-03-01'), to: now }, now)).toMatchObject({ edges: [], whole: { first: '2026-03-01', last: '2026-03-05' } });
    expect(planOf({ from: now - 1, to: now }, now).edges).toEqual([{ from: now - 1, to: at('2026-03-06') }]);
    expect(planOf({ from: at('2026-03-01'), to: now - 1 }, now).edges).toEqual([{ from: at('2026-03-05'), to: now - 1 }]);
  });

  it.each([
    ['9999-12-15', '9999-12-31T23:59:59.999Z'],
    ['0000-01-01', '0000-02-05'],
  ])('from %s to %s reads nothing else', (from, to) => {
    const { loose, months } = planOf({ from: Date.parse(from), to: Date.parse(to) }, later);
    expect(counted('2026-01-01', loose) + counted('2026-01', [months])).toBe(0);
  });
});
