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
    if (this.known.size >= mostDays) this.known.clear();
    const start = this.find(day);
    this.known.set(day, start);
    return start;
  }

  /** A day as its clock shows it, ms: slow. */
  clockOf(day: number): DateTime {
    return DateTime.fromMillis(this.startOf(day), { zone: this.zone });
  }

  /** Nearly all days are told by arithmetic: nobody sets a clock around them. */
  private find(day: number): number {
    const utc = day * dayMs;
    const [before, after] = [this.offset(utc - farthestMs), this.offset(utc + farthestMs)];
    if (before === after) return utc - before;
    const [year, month, date] = new Date(utc).toISOString().slice(0, 10).split('-').map(Number) as [number, number, number];
    return DateTime.fromObject({ year, month, day: date }, { zone: this.zone }).startOf('day').toMillis();
  }

  private offset(at: number): number {
    return this.zone.offset(at) * 60_000;
  }
}
