import type { SlaHours } from '#contracts';
import { days, startOn } from '../assignment/working-hours.js';
import type { Stretch } from './clocks.policy.js';
import { dayMs, ZoneDays } from './zone-days.js';

/** Days that are looked through for the time that counts; what is not reached by then is not reached. */
const mostDays = 1_500;
/** Days with clocks that are set whose stretches are remembered. */
const mostRemembered = 100;

/**
 * Which time counts by the hours of a policy, by the wall clock of its zone. In a night in which clocks are put back, what begins or ends in the hour that comes twice
 * does so the first time. Years are looked through within a millisecond: but for the few days on which clocks are set, every one of a week is like the others of its name.
 */
export class Calendar {
  private readonly holidays: ReadonlySet<number>;
  private readonly days: ZoneDays;
  /** By the day of the week from Monday on, what counts of one on which no clock is set, ms from its beginning; null for all of it. */
  private readonly week: readonly (readonly Stretch[])[] | null;
  private readonly unlike = new Map<number, readonly Stretch[]>();
  private readonly isAlways: boolean;

  constructor(private readonly hours: SlaHours) {
    const { timeZone, workingHours, holidays } = hours;
    this.holidays = new Set(holidays.map((date) => Date.parse(date) / dayMs));
    this.days = ZoneDays.of(timeZone);
    this.week = workingHours && days.map((_, weekday) => this.named(weekday, msOf));
    this.isAlways = workingHours === null && holidays.length === 0;
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
    for (const [begin, end] of this.stretches(from, to)) sum += Math.min(end, to) - begin;
    return sum;
  }

  /** What counts from a moment on, day by day, of days that begin before another. */
  private *stretches(from: number, to = Infinity): Generator<Stretch> {
    const first = this.days.dayOf(from);
    for (let day = first; day < first + mostDays && this.days.startOf(day) < to; day += 1) {
      for (const [begin, end] of this.stretchesOf(day)) if (end > from && begin < to) yield [Math.max(begin, from), end];
    }
  }

  private stretchesOf(day: number): readonly Stretch[] {
    if (this.holidays.has(day)) return [];
    const [start, next] = [this.days.startOf(day), this.days.startOf(day + 1)];
    if (this.week === null) return [[start, next]];
    if (next - start !== dayMs) return this.unlikeOthers(day);
    return this.week[weekdayOf(day)]!.map(([begin, end]): Stretch => [start + begin, start + end]);
  }

  /** Of a day that has more or less than 24 hours. */
  private unlikeOthers(day: number): readonly Stretch[] {
    const known = this.unlike.get(day);
    if (known !== undefined) return known;
    if (this.unlike.size >= mostRemembered) this.unlike.clear();
    const clock = this.days.clockOf(day);
    const stretches = this.named(weekdayOf(day), (time) => startOn(clock, time));
    this.unlike.set(day, stretches);
    return stretches;
  }

  /** What counts of a day of the week. What overlaps counts once. */
  private named(weekday: number, at: (time: string) => number): readonly Stretch[] {
    const named = this.hours.workingHours!.filter((stretch) => stretch.days.includes(days[weekday]!)).map(({ from, to }): Stretch => [at(from), at(to)]);
    return joined(named.sort(([one], [other]) => one - other));
  }
}

/** From Monday on. The first day of 1970 was a Thursday. */
const weekdayOf = (day: number) => (((day + 3) % 7) + 7) % 7;

function msOf(time: string): number {
  const [hour, minute] = time.split(':').map(Number) as [number, number];
  return (hour * 60 + minute) * 60_000;
}

function joined(sorted: readonly Stretch[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [begin, end] of sorted) {
    const last = stretches.at(-1);
    if (last !== undefined && begin <= last[1]) stretches[stretches.length - 1] = [last[0], Math.max(last[1], end)];
    else if (end > begin) stretches.push([begin, end]);
  }
  return stretches;
}
