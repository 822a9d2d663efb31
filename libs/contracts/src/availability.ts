import { z } from 'zod';
import { Instant } from './text.js';

const isTimeZone = (name: string) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '' && !/^[+-]/.test(name);
  } catch {
    return false;
  }
};

/** A time zone of the IANA database, such as `Europe/Berlin`. */
export const TimeZone = z.string().max(64).refine(isTimeZone, { error: 'must be a time zone of the IANA database, such as Europe/Berlin', params: { code: 'unknown_time_zone' } });

/** A time of day on the wall clock; `24:00` ends a day. */
const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time of day such as 09:30');

/** A stretch of working time that comes again every week. One over midnight is two. */
export const WorkingHours = z
  .strictObject({
    days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).min(1).max(7),
    from: TimeOfDay,
    to: TimeOfDay,
  })
  .refine(({ from, to }) => from < to, { error: 'must end later on the same day', path: ['to'], params: { code: 'ends_before_it_begins' } });
export type WorkingHours = z.infer<typeof WorkingHours>;

/** When somebody works, and how much they take at once. Who never said so is there at all times, for any number of tickets. */
export const Availability = z.strictObject({
  timeZone: TimeZone.meta({ description: 'Where the wall clock hangs that working hours go by.' }),
  workingHours: z.array(WorkingHours).max(28).nullable().meta({ description: 'null: at all times.' }),
  away: z
    .strictObject({ until: Instant.nullable().meta({ description: 'null: until told otherwise.' }) })
    .nullable()
    .meta({ description: 'null: not away.' }),
  capacity: z.number().int().min(0).max(10_000).nullable().meta({ description: 'How many open and pending tickets at most are assigned by rules; null: any number.' }),
});
export type Availability = z.infer<typeof Availability>;

/** Of somebody who never said when they work. */
export const alwaysThere: Availability = { timeZone: 'UTC', workingHours: null, away: null, capacity: null };
