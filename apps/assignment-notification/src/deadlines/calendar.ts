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
  /** By the day of the week from Monday on, of one on which no clock is set; null where all of it counts. */
  private readonly week: readonly Counted[] | null;
  private readonly unlike = new Map<number, Counted>();
  private readonly isAlways: boolean;

  constructor(private readonly hours: SlaHours) {
    const { timeZone, workingHours, holidays } = hours;
    this.holidays = new Set(holidays.map((date) => Date.parse(date) / dayMs));
    this.days = ZoneDays.of(timeZone);
    this.week = workingHours && days.map((_, weekday) => countedOf(this.named(weekday, msOf)));
    this.isAlways = workingHours === null && holidays.length === 0;
  }

  /** When so much time has counted since a moment, ms; null where that is not within four years. */
  after(from: number, ms: number): number | null {
    if (this.isAlways || ms <= 0) return from + Math.max(0, ms);
    let left = ms;
    for (const day of this.daysFrom(from)) {
      const sum = sumOf(day);
      if (sum >= left) return momentIn(day, left);
      left -= sum;
    }
    return null;
  }

  /** How much time counts between two moments, ms; of more than four years the first. */
  between(from: number, to: number): number {
    if (this.isAlways) return Math.max(0, to - from);
    let sum = 0;
    for (const day of this.daysFrom(from, to)) sum += sumOf(day);
    return sum;
  }

  /** Days in which something counts, from a moment on, until another. */
  private *daysFrom(from: number, to = Infinity): Generator<Day> {
    const first = this.days.dayOf(from);
    for (let day = first; day < first + mostDays; day += 1) {
      const [start, next] = [this.days.startOf(day), this.days.startOf(day + 1)];
      if (start >= to) return;
      if (!this.holidays.has(day)) yield { start, counted: this.countedOf(day, next - start), from: Math.max(0, from - start), to: Math.min(next, to) - start, isWhole: start >= from && next <= to };
    }
  }

  private countedOf(day: number, length: number): Counted {
    if (this.week === null) return { stretches: [[0, length]], sum: length };
    return length === dayMs ? this.week[weekdayOf(day)]! : this.unlikeOthers(day);
  }

  /** Of a day that has more or less than 24 hours. */
  private unlikeOthers(day: number): Counted {
    const known = this.unlike.get(day);
    if (known !== undefined) return known;
    if (this.unlike.size >= mostRemembered) this.unlike.clear();
    const [start, clock] = [this.days.startOf(day), this.days.clockOf(day)];
    const counted = countedOf(this.named(weekdayOf(day), (time) => startOn(clock, time) - start));
    this.unlike.set(day, counted);
    return counted;
  }

  /** What counts of a day of the week. What overlaps counts once. */
  private named(weekday: number, at: (time: string) => number): readonly Stretch[] {
    const named = this.hours.workingHours!.filter((stretch) => stretch.days.includes(days[weekday]!)).map(({ from, to }): Stretch => [at(from), at(to)]);
    return joined(named.sort(([one], [other]) => one - other));
  }
}

/** What counts of a day, ms from its beginning, and how much that is. */
interface Counted {
  stretches: readonly Stretch[];
  sum: number;
}

/** A day of which something counts: all, or what lies between two moments, ms from its beginning. */
interface Day {
  start: number;
  counted: Counted;
  from: number;
  to: number;
  isWhole: boolean;
}

const countedOf = (stretches: readonly Stretch[]): Counted => ({ stretches, sum: stretches.reduce((sum, [begin, end]) => sum + end - begin, 0) });

const partsOf = ({ counted, from, to }: Day) => counted.stretches.map(([begin, end]): Stretch => [Math.max(begin, from), Math.min(end, to)]).filter(([begin, end]) => end > begin);

const sumOf = (day: Day) => (day.isWhole ? day.counted.sum : countedOf(partsOf(day)).sum);

/** When so much of a day has counted, which is not more than there is. */
function momentIn(day: Day, ms: number): number {
  let left = ms;
  for (const [begin, end] of partsOf(day)) {
    if (end - begin >= left) return day.start + begin + left;
    left -= end - begin;
  }
  return day.start + day.to;
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
