/** From the first moment (inclusive) to the last (exclusive), ms since the epoch. */
export interface Interval {
  from: number;
  to: number;
}

/** From the first period to the last, both inclusive: days (`2026-01-31`) or months (`2026-01`). Empty when the last lies before the first. */
export interface Periods {
  first: string;
  last: string;
}

/** Which cells, and which moments between them, make a range of time. */
export interface RangePlan {
  /** Every day that the range touches. */
  days: string[];
  /** Parts of days at both ends: no cell has them. */
  edges: Interval[];
  /** Months that lie in it whole. */
  months: Periods;
  /** Whole months before the first days: of them only matters what was resolved later. */
  earlier: Periods;
  /** Days outside those months. Those that do not lie in the range whole matter for what was resolved only. */
  loose: Periods[];
  /** The days that lie in it whole. */
  whole: Periods;
}

const dayMs = 86_400_000;
const floor = (ms: number) => Math.floor(ms / dayMs) * dayMs;
const ceil = (ms: number) => Math.ceil(ms / dayMs) * dayMs;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
export const monthOf = (period: string) => period.slice(0, 7);
/** Texts that lie before and behind every day of a month. */
export const daysOf = (month: string): Periods => ({ first: `${month}-00`, last: `${month}-99` });

const nothing: Periods = { first: '1', last: '0' };
export const isIn = ({ first, last }: Periods, period: string) => first <= period && period <= last;

/** @param now nothing was created or resolved later: a range that ends then, or later, ends with a whole day */
export function planOf({ from, to }: Interval, now: number): RangePlan {
  const end = to >= now ? ceil(to) : floor(to);
  const isWithinDay = ceil(from) > end;
  const begin = isWithinDay ? floor(from) : ceil(from);
  const edges = isWithinDay ? [{ from, to }] : [{ from, to: begin }, { from: end, to }];
  return {
    days: every(floor(from), from < to ? ceil(to) : floor(from)),
    edges: edges.filter((edge) => edge.from < edge.to),
    whole: isWithinDay ? nothing : days(begin, end),
    ...cellsOf({ begin, end: isWithinDay ? begin : end, last: ceil(to) }),
  };
}

/** Whole months between begin and end; the days around them, from the first of begin's month until the last day; whole months before. */
function cellsOf({ begin, end, last }: { begin: number; end: number; last: number }): Pick<RangePlan, 'months' | 'earlier' | 'loose'> {
  const start = monthStart(begin);
  const first = start === begin ? begin : monthStart(start + 32 * dayMs);
  const behind = monthStart(end);
  const earlier = { first: '', last: monthOf(day(start - 1)) };
  if (first >= behind) return { earlier, months: nothing, loose: [days(start, last)] };
  const months = { first: monthOf(day(first)), last: monthOf(day(behind - 1)) };
  return { earlier, months, loose: [days(start, first), days(behind, last)].filter((periods) => periods !== nothing) };
}

/** @param to exclusive */
const days = (from: number, to: number): Periods => (from < to ? { first: day(from), last: day(to - 1) } : nothing);

function monthStart(ms: number): number {
  const date = new Date(floor(ms));
  return date.setUTCDate(1);
}

function every(from: number, to: number): string[] {
  return Array.from({ length: Math.round((to - from) / dayMs) }, (_, i) => day(from + i * dayMs));
}
