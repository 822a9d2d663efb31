/** How much wider each bin is than the one before: what a bin stands for is at most 2 % from anything in it. */
const growth = 1.04;

/** Numbers of durations by their bins: a histogram that is as small as it is empty. */
export type Durations = ReadonlyMap<string, number>;

/** The bin of a duration in whole milliseconds. */
export const binOf = (ms: number): string => (ms < 1 ? none : String(Math.round(Math.log(ms) / Math.log(growth))));

/** Nothing at all, or times that contradict each other. */
const none = '-';

/** What a bin stands for, ms. */
const msOf = (bin: string) => (bin === none ? 0 : growth ** Number(bin));

/**
 * Percentiles of durations, ms, each within 2 % of the one told from the durations themselves; between two neighbours it is interpolated, so the median of
 * two is their mean. Null when there are none.
 * @param shares 0.5 is the median
 */
export function percentiles(durations: Durations, shares: readonly number[]): (number | null)[] {
  const bins = [...durations].map(([bin, count]) => ({ ms: msOf(bin), count })).sort((one, other) => one.ms - other.ms);
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  return shares.map((share) => (count === 0 ? null : Math.round(at(bins, share * (count - 1)))));
}

/** The duration at a place among all of them in order; places between two are between their durations. */
function at(bins: readonly { ms: number; count: number }[], place: number): number {
  const [below, above] = [nth(bins, Math.floor(place)), nth(bins, Math.ceil(place))];
  return below + (above - below) * (place % 1);
}

function nth(bins: readonly { ms: number; count: number }[], place: number): number {
  let before = 0;
  for (const { ms, count } of bins) if ((before += count) > place) return ms;
  return bins.at(-1)!.ms;
}
