import { DateTime } from 'luxon';
import type { Availability, WorkingHours } from '#contracts';

/** Days as working hours name them, in luxon's order. */
export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Longer than any time zone was ever advanced or put back, ms. */
const longestShiftMs = 3 * 3_600_000;

/** Why somebody takes nothing at a moment; undefined where they would. Capacity is another matter. */
export function absence(availability: Availability | undefined, at: number): 'away' | 'outside-working-hours' | undefined {
  if (availability === undefined) return undefined;
  if (isAway(availability, at)) return 'away';
  return availability.workingHours === null || isWorking(availability.workingHours, wallClock(availability, at)) ? undefined : 'outside-working-hours';
}

/** Whether somebody has said that they are away. */
export const isAway = ({ away }: Pick<Availability, 'away'>, at: number) => away !== null && (away.until === null || at < Date.parse(away.until));

/**
 * When somebody who is absent will be there, ms since the epoch; null for never, as far as is known. Where clocks are advanced over the beginning of
 * working hours, they begin when the clocks have been advanced.
 */
export function backAt(availability: Availability, after: number): number | null {
  const { away, workingHours } = availability;
  if (isAway(availability, after) && away!.until === null) return null;
  const from = isAway(availability, after) ? Date.parse(away!.until!) : after;
  if (workingHours === null || isWorking(workingHours, wallClock(availability, from))) return from;
  return nextStart(workingHours, wallClock(availability, from));
}

const wallClock = ({ timeZone }: Pick<Availability, 'timeZone'>, at: number) => DateTime.fromMillis(at, { zone: timeZone });

function isWorking(hours: readonly WorkingHours[], at: DateTime): boolean {
  const [day, time] = [days[at.weekday - 1]!, at.toFormat('HH:mm')];
  return hours.some((stretch) => stretch.days.includes(day) && stretch.from <= time && time < stretch.to);
}

/** Of all beginnings within eight days the first: hours come again every week. */
function nextStart(hours: readonly WorkingHours[], after: DateTime): number | null {
  const starts = Array.from({ length: 9 }, (_, i) => after.startOf('day').plus({ days: i })).flatMap((day) =>
    hours.filter((stretch) => stretch.days.includes(days[day.weekday - 1]!)).map(({ from }) => startOn(day, from)),
  );
  const later = starts.filter((start) => start > after.toMillis() && isWorking(hours, DateTime.fromMillis(start, { zone: after.zone })));
  return later.length === 0 ? null : Math.min(...later);
}

/** The first moment of a day at which its clock shows a time or a later one. */
export function startOn(day: DateTime, time: string): number {
  const [hour, minute] = time.split(':').map(Number) as [number, number];
  const named = day.set({ hour, minute });
  if (named.toFormat('HH:mm') === time) return named.toMillis();
  // There is no such time on that day: the clocks were advanced over it.
  let [before, reached] = [named.toMillis() - longestShiftMs, named.toMillis()];
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    const at = DateTime.fromMillis(middle, { zone: day.zone });
    if (at.toFormat('HH:mm') >= time || at.startOf('day') > day) reached = middle;
    else before = middle;
  }
  return reached;
}
