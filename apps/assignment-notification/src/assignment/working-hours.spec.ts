import { describe, expect, it } from '@jest/globals';
import type { Availability, WorkingHours } from '#contracts';
import { absence, backAt } from './working-hours.js';

const everyDay: WorkingHours['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const weekdays = everyDay.slice(0, 5);
const who = (hours: WorkingHours[] | null, more: Partial<Availability> = {}): Availability => ({ timeZone: 'Europe/Berlin', workingHours: hours, away: null, capacity: null, ...more });
const office = who([{ days: weekdays, from: '09:00', to: '17:00' }]);
const at = (instant: string) => Date.parse(instant);
const back = (availability: Availability, instant: string) => {
  const ms = backAt(availability, at(instant));
  return ms === null ? null : new Date(ms).toISOString();
};

describe('working hours', () => {
  it('who never said so is there', () => expect(absence(undefined, 0)).toBeUndefined());
  it('who works at all times is there', () => expect(absence(who(null), 0)).toBeUndefined());

  it.each([
    ['2026-01-05T08:00:00Z', undefined], // Monday, 9:00 in Berlin
    ['2026-01-05T07:59:59Z', 'outside-working-hours'],
    ['2026-01-05T15:59:59Z', undefined],
    ['2026-01-05T16:00:00Z', 'outside-working-hours'],
    ['2026-01-04T10:00:00Z', 'outside-working-hours'], // Sunday
    ['2026-07-06T07:00:00Z', undefined], // in summer 9:00 is an hour earlier
    ['2026-07-06T15:00:00Z', 'outside-working-hours'],
  ])('go by the wall clock: %s', (instant, expected) => expect(absence(office, at(instant))).toBe(expected));

  it('reach to midnight, and the day is the one of the wall clock', () => {
    const late = who([{ days: ['fri'], from: '20:00', to: '24:00' }], { timeZone: 'America/New_York' });
    expect(absence(late, at('2026-01-10T04:59:59Z'))).toBeUndefined(); // Friday, 23:59:59 in New York
    expect(absence(late, at('2026-01-10T05:00:00Z'))).toBe('outside-working-hours');
  });

  it.each([
    ['the same morning', office, '2026-01-05T03:00:00Z', '2026-01-05T08:00:00.000Z'],
    ['the next day', office, '2026-01-05T16:00:00Z', '2026-01-06T08:00:00.000Z'],
    ['after the weekend', office, '2026-01-09T16:00:00Z', '2026-01-12T08:00:00.000Z'],
    ['after a weekend in which clocks are advanced', office, '2026-03-27T17:00:00Z', '2026-03-30T07:00:00.000Z'],
    ['after a weekend in which clocks are put back', office, '2026-10-23T16:00:00Z', '2026-10-26T08:00:00.000Z'],
    ['in a zone of half an hour', who([{ days: everyDay, from: '09:00', to: '17:00' }], { timeZone: 'Asia/Kolkata' }), '2026-01-05T00:00:00Z', '2026-01-05T03:30:00.000Z'],
  ])('begin again %s', (_, availability, instant, expected) => expect(back(availability, instant)).toBe(expected));

  it('begin when the clocks have been advanced, where they are advanced over the beginning', () => {
    const night = who([{ days: ['sun'], from: '02:30', to: '06:00' }]);
    expect(back(night, '2026-03-29T00:00:00Z')).toBe('2026-03-29T01:00:00.000Z'); // 3:00 summer time: there was no 2:30
    expect(absence(night, at('2026-03-29T01:00:00Z'))).toBeUndefined();
    expect(absence(night, at('2026-03-29T00:59:59Z'))).toBe('outside-working-hours');
  });

  it('hold in both of the hours that come twice', () => {
    const night = who([{ days: ['sun'], from: '02:00', to: '02:30' }]);
    for (const instant of ['2026-10-25T00:15:00Z', '2026-10-25T01:15:00Z']) expect(absence(night, at(instant))).toBeUndefined();
    expect(absence(night, at('2026-10-25T00:45:00Z'))).toBe('outside-working-hours');
  });

  it('that there are none of never begin', () => expect(back(who([]), '2026-01-05T00:00:00Z')).toBeNull());
});

describe('somebody who is away', () => {
  const until = (instant: string | null, hours: WorkingHours[] | null = null) => who(hours, { away: { until: instant } });

  it('is away until then', () => {
    expect(absence(until('2026-01-05T08:00:00Z'), at('2026-01-05T07:59:59Z'))).toBe('away');
    expect(absence(until('2026-01-05T08:00:00Z'), at('2026-01-05T08:00:00Z'))).toBeUndefined();
    expect(absence(until(null), at('2099-01-01T00:00:00Z'))).toBe('away');
  });

  it('is back then, or when work begins after it', () => {
    expect(back(until('2026-01-05T12:34:56Z'), '2026-01-01T00:00:00Z')).toBe('2026-01-05T12:34:56.000Z');
    expect(back(until('2026-01-03T12:00:00Z', office.workingHours), '2026-01-01T00:00:00Z')).toBe('2026-01-05T08:00:00.000Z');
    expect(back(until(null), '2026-01-01T00:00:00Z')).toBeNull();
  });
});
