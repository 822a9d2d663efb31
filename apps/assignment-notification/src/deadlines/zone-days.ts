import { DateTime, IANAZone } from 'luxon';
import { LRUCache } from 'lru-cache';

const hourMs = 3_600_000;
/** Of a day on which nobody sets a clock, ms. */
export const dayMs = 24 * hourMs;
/** Midnight of every zone is not so far from that of UTC, ms. */
const farthestMs = 15 * hourMs;
/** Days of a zone that are remembered, and zones. */
const [mostDays, mostZones] = [4_000, 50];

const zones = new LRUCache<string, ZoneDays>({ max: mostZones });

/** When the days of a zone begin. They are counted, the first of 1970 is 0, and known to all calendars of the zone. */
export class ZoneDays {
  private readonly zone: IANAZone;
  private readonly known = new Map<number, number>();
  private readonly weeks = new Map<number, number | undefined>();

  private constructor(timeZone: string) {
    this.zone = IANAZone.create(timeZone);
  }

  /** Those of a zone. */
  static of(timeZone: string): ZoneDays {
    const days = zones.get(timeZone) ?? new ZoneDays(timeZone);
    zones.set(timeZone, days);
    return days;
  }

  /** The day that a moment lies in. */
  dayOf(at: number): number {
    return Math.floor((at + this.offset(at)) / dayMs);
  }

  /** When a day begins, ms since the epoch: not always at midnight. */
  startOf(day: number): number {
    const known = this.known.get(day);
    if (known !== undefined) return known;
    if (this.known.size >= mostDays) for (const all of [this.known, this.weeks]) all.clear();
    const start = this.find(day);
    this.known.set(day, start);
    return start;
  }

  /** A day as its clock shows it, ms: slow. */
  clockOf(day: number): DateTime {
    return DateTime.fromMillis(this.startOf(day), { zone: this.zone });
  }

  /** Nearly all days are told by arithmetic: nobody sets a clock in their week, or around them. */
  private find(day: number): number {
    const utc = day * dayMs;
    const offset = this.offsetOfWeek(Math.floor(day / 7)) ?? this.offsetOf(day, 1);
    if (offset !== undefined) return utc - offset;
    const [year, month, date] = new Date(utc).toISOString().slice(0, 10).split('-').map(Number) as [number, number, number];
    return DateTime.fromObject({ year, month, day: date }, { zone: this.zone }).startOf('day').toMillis();
  }

  private offsetOfWeek(week: number): number | undefined {
    if (!this.weeks.has(week)) this.weeks.set(week, this.offsetOf(7 * week, 7));
    return this.weeks.get(week);
  }

  /** How far the zone is ahead of UTC on some days; undefined where that changes. */
  private offsetOf(day: number, days: number): number | undefined {
    const [before, after] = [this.offset(day * dayMs - farthestMs), this.offset((day + days - 1) * dayMs + farthestMs)];
    return before === after ? before : undefined;
  }

  private offset(at: number): number {
    return this.zone.offset(at) * 60_000;
  }
}
