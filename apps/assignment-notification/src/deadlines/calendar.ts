import { DateTime } from 'luxon';
import type { SlaHours } from '#contracts';
import { days, startOn } from '../assignment/working-hours.js';
import type { Stretch } from './clocks.policy.js';

/** Days that are looked through for the time that counts; what is not reached by then is not reached. */
const mostDays = 1_500;
/** Days whose stretches are remembered. */
const mostRemembered = 4_000;

/** Which time counts by the hours of a policy, by the wall clock of its zone. In a night in which clocks are put back, what begins or ends in the hour that comes twice does so the first time. */
export class Calendar {
  private readonly holidays: ReadonlySet<string>;
  private readonly known = new Map<string, readonly Stretch[]>();
  private readonly isAlways: boolean;

  constructor(private readonly hours: SlaHours) {
    this.holidays = new Set(hours.holidays);
    this.isAlways = hours.workingHours === null && hours.holidays.length === 0;
  }

  /** When so much time has counted since a moment, ms; null where that is not within four years. */
  after(from: number, ms: number): number | null {
    if (this.isAlways || ms <= 0) return from + Math.max(0, ms);
    let left = ms;
    for (const [begin, end] of this.stretches(from)) {
      if (end - begin >= left) return begin + left;
      left -= end - begin;
    }
    return null;
  }

  /** How much time counts between two moments, ms; of more than four years the first. */
  between(from: number, to: number): number {
    if (this.isAlways) return Math.max(0, to - from);
    let sum = 0;
    for (const [begin, end] of this.stretches(from)) {
      if (begin >= to) break;
      sum += Math.min(end, to) - begin;
    }
    return sum;
  }

  /** What counts from a moment on, day by day. */
  private *stretches(from: number): Generator<Stretch> {
    let day = DateTime.fromMillis(from, { zone: this.hours.timeZone }).startOf('day');
    for (let i = 0; i < mostDays; i += 1, day = day.plus({ days: 1 }).startOf('day')) {
      for (const [begin, end] of this.stretchesOf(day)) if (end > from) yield [Math.max(begin, from), end];
    }
  }

  private stretchesOf(day: DateTime): readonly Stretch[] {
    const name = day.toISODate()!;
    const known = this.known.get(name);
    if (known) return known;
    if (this.known.size >= mostRemembered) this.known.clear();
    const stretches = this.holidays.has(name) ? [] : this.counted(day);
    this.known.set(name, stretches);
    return stretches;
  }

  private counted(day: DateTime): Stretch[] {
    const { workingHours } = this.hours;
    if (workingHours === null) return [[day.toMillis(), day.plus({ days: 1 }).startOf('day').toMillis()]];
    const named = workingHours.filter((stretch) => stretch.days.includes(days[day.weekday - 1]!)).map(({ from, to }): Stretch => [startOn(day, from), startOn(day, to)]);
    return joined(named.sort(([one], [other]) => one - other));
  }
}

/** What overlaps counts once. */
function joined(sorted: readonly Stretch[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [begin, end] of sorted) {
    const last = stretches.at(-1);
    if (last !== undefined && begin <= last[1]) stretches[stretches.length - 1] = [last[0], Math.max(last[1], end)];
    else if (end > begin) stretches.push([begin, end]);
  }
  return stretches;
}
