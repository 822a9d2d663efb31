import { describe, expect, it } from '@jest/globals';
import type { SlaHours, WorkingHours } from '#contracts';
import { Calendar } from './calendar.js';

const everyDay: WorkingHours['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const weekdays = everyDay.slice(0, 5);
const of = (workingHours: SlaHours['workingHours'], { timeZone = 'Europe/Berlin', holidays = [] as string[] } = {}) => new Calendar({ timeZone, workingHours, holidays });
const office = of([{ days: weekdays, from: '09:00', to: '17:00' }]);
const hour = 3_600_000;
const after = (calendar: Calendar, from: string, hours: number) => {
  const at = calendar.after(Date.parse(from), hours * hour);
  return at === null ? null : new Date(at).toISOString();
};
const between = (calendar: Calendar, from: string, to: string) => calendar.between(Date.parse(from), Date.parse(to)) / hour;

describe('time that counts', () => {
  it.each<[string, Calendar, string, number, string]>([
    ['all of it', of(null), '2026-01-05T10:00:00Z', 30, '2026-01-06T16:00:00.000Z'],
    ['within a day', office, '2026-01-05T08:30:00Z', 2, '2026-01-05T10:30:00.000Z'],
    ['from the morning on', office, '2026-01-05T03:00:00Z', 1, '2026-01-05T09:00:00.000Z'],
    ['to the end of a day', office, '2026-01-05T08:00:00Z', 8, '2026-01-05T16:00:00.000Z'],
    ['over a night', office, '2026-01-05T15:00:00Z', 2, '2026-01-06T09:00:00.000Z'],
    ['over a weekend', office, '2026-01-09T15:30:00Z', 1, '2026-01-12T08:30:00.000Z'],
    ['over a weekend in which clocks are advanced', office, '2026-03-27T15:00:00Z', 2, '2026-03-30T08:00:00.000Z'],
    ['over a weekend in which clocks are put back', office, '2026-10-23T14:00:00Z', 2, '2026-10-26T09:00:00.000Z'],
    ['over a night in which clocks are advanced, whose hours are fewer', of([{ days: everyDay, from: '00:00', to: '06:00' }]), '2026-03-28T23:00:00Z', 6, '2026-03-29T23:00:00.000Z'],
    ['over a night in which clocks are put back, whose hours are more', of([{ days: everyDay, from: '00:00', to: '06:00' }]), '2026-10-24T22:00:00Z', 7, '2026-10-25T05:00:00.000Z'],
    ['from when clocks have been advanced over the beginning', of([{ days: ['sun'], from: '02:30', to: '06:00' }]), '2026-03-29T00:00:00Z', 1, '2026-03-29T02:00:00.000Z'],
    ['over a holiday', of([{ days: weekdays, from: '09:00', to: '17:00' }], { holidays: ['2026-01-06'] }), '2026-01-05T15:00:00Z', 2, '2026-01-07T09:00:00.000Z'],
    ['at all hours but those of holidays', of(null, { holidays: ['2026-01-06'] }), '2026-01-05T20:00:00Z', 4, '2026-01-07T00:00:00.000Z'],
    ['by the calendar of the zone', of(null, { timeZone: 'America/New_York', holidays: ['2026-01-06'] }), '2026-01-06T04:30:00Z', 1, '2026-01-07T05:30:00.000Z'],
    ['to midnight', of([{ days: ['mon'], from: '20:00', to: '24:00' }]), '2026-01-05T22:00:00Z', 2, '2026-01-12T20:00:00.000Z'],
    ['once where hours overlap', of([{ days: ['mon'], from: '09:00', to: '12:00' }, { days: ['mon', 'tue'], from: '11:00', to: '13:00' }]), '2026-01-05T08:00:00Z', 5, '2026-01-06T11:00:00.000Z'],
    ['in a zone of half an hour', of([{ days: everyDay, from: '09:00', to: '17:00' }], { timeZone: 'Asia/Kolkata' }), '2026-01-05T00:00:00Z', 1, '2026-01-05T04:30:00.000Z'],
    ['in a zone whose midnight is not there on a day', of(null, { timeZone: 'America/Santiago', holidays: ['2026-09-05'] }), '2026-09-05T12:00:00Z', 1, '2026-09-06T05:00:00.000Z'],
  ])('%s', (_, calendar, from, hours, expected) => {
    expect(after(calendar, from, hours)).toBe(expected);
    expect(between(calendar, from, expected)).toBeCloseTo(hours, 9);
  });

  it('may be none for years', () => expect(after(of([{ days: ['mon'], from: '09:00', to: '09:01' }]), '2026-01-05T08:00:00Z', 8)).toBeNull());
  it('is none on holidays and outside of hours', () => expect(between(of([{ days: weekdays, from: '09:00', to: '17:00' }], { holidays: ['2026-01-06'] }), '2026-01-05T16:00:00Z', '2026-01-07T08:00:00Z')).toBe(0));
});

describe('years of time that counts', () => {
  const often = Array.from({ length: 28 }, (_, i) => ({ days: everyDay, from: `${String(Math.floor(i / 2)).padStart(2, '0')}:${i % 2 === 0 ? '00' : '30'}`, to: `${String(Math.floor(i / 2)).padStart(2, '0')}:${i % 2 === 0 ? '01' : '31'}` }));
  /** The last of three: what is learned of a zone is learned once. */
  const cpuMs = (work: () => void) => {
    let ms = Infinity;
    for (let i = 0; i < 3; i += 1) {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      ms = (user + system) / 1_000;
    }
    return ms;
  };

  it('are looked through without holding anything up, whatever the hours and however many they are', () => {
    const from = Date.parse('2026-01-05T08:00:00Z');
    expect(cpuMs(() => expect(of(often).after(from, 8_760 * hour)).toBeNull())).toBeLessThan(100);
    expect(cpuMs(() => of(often).between(from, from + 20 * 8_760 * hour))).toBeLessThan(100);
  });

  it('of a calendar of few days are the same as counted one by one', () => {
    const [calendar, from] = [of([{ days: ['sun'], from: '01:30', to: '03:30' }]), Date.parse('2026-01-05T08:00:00Z')];
    let [at, sum] = [from, 0];
    for (let week = 0; week < 150; week += 1) {
      const next = at + 7 * 24 * hour;
      sum += calendar.between(at, next);
      at = next;
    }
    expect(sum).toBe(calendar.between(from, at));
    // Nights in which clocks are advanced have an hour less, and those in which they are put back an hour more.
    expect(sum / hour).toBe(150 * 2);
    expect(calendar.after(from, sum)).toBe(calendar.after(at - 7 * 24 * hour, 2 * hour));
  });
});
