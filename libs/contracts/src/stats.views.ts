import { z } from 'zod';
import { anyOf, bound } from './parameters.js';
import { Assignee } from './principal.js';
import { Slug, Time } from './text.js';
import { Priority, Status } from './ticket.js';

const dayMs = 86_400_000;
/** Without `from`, statistics begin so many days before their end. */
const usualDays = 30;
/** Ten years, however many of them are leap years. */
const longestMs = 3_653 * dayMs;
const firstMs = Date.parse('0000-01-01T00:00:00.000Z');

const bounds = z.strictObject({
  from: bound('00').optional().meta({ description: 'Start, inclusive; 30 days before the end where it is not given.' }),
  to: bound('24').optional().meta({ description: 'End, exclusive; a bare date is that whole day. The end of today where it is not given.' }),
  assistantId: anyOf(Slug).optional().meta({ description: 'Only tickets of these assistants.' }),
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
export const DurationStats = z.object({
  count: z.number().int(),
  medianMs: z.number().nullable().meta({ description: 'Within 5 %; null where it happened to no ticket.' }),
  p90Ms: z.number().nullable().meta({ description: 'Within 5 %; null where it happened to no ticket.' }),
});
export type DurationStats = z.infer<typeof DurationStats>;

const count = z.number().int();
const each = <T extends string>(names: readonly T[]) => z.object(Object.fromEntries(names.map((name) => [name, count])) as Record<T, typeof count>);
const tagCounts = z.array(z.object({ tag: z.string(), count }));

/** Numbers of tickets, deleted ones left out. Lists begin with the largest number. */
export const Stats = z.object({
  asOf: Time.meta({ description: 'Everything that happened until then is counted.' }),
  byStatus: each(Status.options),
  byPriority: each(Priority.options),
  byAssistant: z.array(z.object({ id: z.string(), count })).meta({ description: 'Tickets without an assistant are in none of them.' }),
  byAssignee: z.array(Assignee.extend({ count })).meta({ description: 'Tickets without an assignee are in none of them.' }),
  byTag: tagCounts.meta({ description: 'At most 1,000.' }),
  openTags: tagCounts.meta({ description: 'Of tickets that are open or pending, at most 20: what is wrong just now.' }),
  openWords: z.array(z.object({ word: z.string(), count })).meta({ description: 'Words of the titles of tickets that are open or pending, at most 20.' }),
  days: z
    .array(z.object({ date: z.string().meta({ format: 'date' }), created: count, resolved: count }))
    .meta({ description: 'Every day (UTC) of the range; resolved are tickets whenever they were created.' }),
  firstReply: DurationStats,
  resolution: DurationStats,
});
export type Stats = z.infer<typeof Stats>;
