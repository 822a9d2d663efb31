const hourMs = 3_600_000;
const weekMs = 168 * hourMs;
/** A Monday. */
const firstMonday = Date.UTC(1970, 0, 5);
/** The time that the cases of a seed are spread over. */
export const yearMs = 365 * 24 * hourMs;

/** How much comes in by hour of a working day, UTC. */
const byHour = [1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 18, 15, 16, 17, 16, 14, 12, 10, 9, 8, 6, 4, 2];
const byDay = [1.15, 1.05, 1, 1, 0.95, 0.4, 0.35];

/** Share of a week's cases that came before each of its hours, and all of them at the end. */
const arrived = (() => {
  const hours = byDay.flatMap((day) => byHour.map((hour) => day * hour));
  const total = hours.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return [0, ...hours.map((weight) => (sum += weight / total))];
})();

/** Weeks since the first Monday, their hours as long as they are busy. */
function busyTime(time: number): number {
  const week = Math.floor((time - firstMonday) / weekMs);
  const hours = (time - firstMonday - week * weekMs) / hourMs;
  const hour = Math.floor(hours);
  return week + arrived[hour]! + (hours - hour) * (arrived[hour + 1]! - arrived[hour]!);
}

/** The moment of a busy time. */
function momentOf(busy: number): number {
  const week = Math.floor(busy);
  const share = busy - week;
  let hour = Math.min(167, Math.floor(share * 168));
  while (arrived[hour]! > share) hour--;
  while (hour < 167 && arrived[hour + 1]! <= share) hour++;
  const part = (share - arrived[hour]!) / (arrived[hour + 1]! - arrived[hour]!);
  return Math.round(firstMonday + week * weekMs + (hour + Math.min(1, part)) * hourMs);
}

/** Business grows: at the end of the year a good half more comes in than at its beginning. */
const growth = 0.6;
/** How far into the year (0 to 1) the given share of all cases has come. */
const grown = (share: number) => (Math.sqrt(1 + share * ((1 + growth) ** 2 - 1)) - 1) / growth;

/** When a case comes in, given its place among all (0 the first, 1 the last): more by day than by night, few at weekends. */
export function openedAt(place: number, end: number): number {
  const from = busyTime(end - yearMs);
  return Math.min(end, momentOf(from + grown(place) * (busyTime(end) - from)));
}

/** About how old it is at the end, ms, whatever the weekday of the end: what has happened to a case does not hang on when it is asked. */
export const ageOf = (place: number) => (1 - grown(place)) * yearMs;

/** The same moment, or the next morning when nobody is at work then. `scatter` (0 to 1) spreads what waits for that morning. */
export function atWork(time: number, scatter: number): number {
  const date = new Date(time);
  const day = Math.floor(time / (24 * hourMs)) * 24 * hourMs;
  const wait = { 5: 3, 6: 2, 0: 1 }[date.getUTCDay()] ?? 1;
  const isWeekend = date.getUTCDay() % 6 === 0;
  const morning = (after: number) => day + after * 24 * hourMs + 8 * hourMs + scatter * 3 * hourMs;
  if (isWeekend || date.getUTCHours() >= 19) return Math.round(morning(wait));
  return date.getUTCHours() < 7 ? Math.round(morning(0)) : time;
}
