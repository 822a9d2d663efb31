import { z } from 'zod';
import { anyOf, bound } from './parameters.js';
import type { Assignee } from './principal.js';
import { Slug } from './text.js';
import type { Priority, Status } from './ticket.js';

const dayMs = 86_400_000;
/** Without `from`, statistics begin so many days before their end. */
const usualDays = 30;
/** Ten years, however many of them are leap years. */
const longestMs = 3_653 * dayMs;
const firstMs = Date.parse('0000-01-01T00:00:00.000Z');

const bounds = z.strictObject({
  from: bound('00').optional(),
  to: bound('24').optional(),
  assistantId: anyOf(Slug).optional(),
});

/** Of what is not said: until today's end, at least until the end of the day it begins on; for 30 days. */
function filledIn({ from, to, ...rest }: z.infer<typeof bounds>) {
  const end = to ?? dayAfter(Math.max(Date.now(), from === undefined ? 0 : Date.parse(from)));
  return { ...rest, from: from ?? dayOf(Math.max(firstMs, Date.parse(end) - usualDays * dayMs)), to: end };
}

const dayOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 10)}T00:00:00.000Z`;
const dayAfter = (ms: number) => `${new Date(ms).toISOString().slice(0, 10)}T24:00:00.000Z`;

const inReach = ({ value: { from, to }, issues }: z.core.ParsePayload<{ from: string; to: string }>) => {
  const issue = { code: 'custom' as const, path: ['from'], input: from };
  if (from > to) issues.push({ ...issue, message: 'must not lie after to', params: { code: 'out_of_order' } });
  else if (Date.parse(to) - Date.parse(from) > longestMs) issues.push({ ...issue, message: 'must lie at most ten years before to', params: { code: 'too_long' } });
};

/**
 * Query of `GET /v1/stats`. Bounds become ISO instants, `to` exclusive; a bare date counts whole at both ends (UTC). Without bounds: the last 30 days, today
 * included.
 */
export const StatsQuery = bounds.transform(filledIn).pipe(z.object({ from: z.string(), to: z.string(), assistantId: z.array(Slug).optional() }).check(inReach));
export type StatsQuery = z.infer<typeof StatsQuery>;

/** How long something took, of the tickets where it happened: percentiles within 5 %, null where it happened to none. */
export interface DurationStats {
  count: number;
  medianMs: number | null;
  p90Ms: number | null;
}

/** Numbers of tickets, deleted ones left out. Lists begin with the largest number. */
export interface Stats {
  /** Everything that happened until then is counted. */
  asOf: string;
  byStatus: Record<Status, number>;
  byPriority: Record<Priority, number>;
  /** Tickets without an assistant are in none of them. */
  byAssistant: { id: string; count: number }[];
  /** Tickets without an assignee are in none of them. */
  byAssignee: (Assignee & { count: number })[];
  /** At most 1,000. */
  byTag: { tag: string; count: number }[];
  /** Of tickets that are open or pending, at most 20: what is wrong just now. */
  openTags: { tag: string; count: number }[];
  /** Words of the titles of tickets that are open or pending, at most 20. */
  openWords: { word: string; count: number }[];
  /** Every day (UTC) of the range; resolved are tickets whenever they were created. */
  days: { date: string; created: number; resolved: number }[];
  firstReply: DurationStats;
  resolution: DurationStats;
}
