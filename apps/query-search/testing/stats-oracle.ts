import { Priority, Status, type Principal, type Stats, type Ticket } from '#contracts';
import { sees } from '#domain';
import { titleWords } from '../src/stats/title-words.js';
import type { Story } from './stories.js';

/** What is asked for: moments in ms, `to` exclusive. */
export interface Asked {
  from: number;
  to: number;
  assistantIds?: readonly string[];
}

const dayMs = 86_400_000;

/** Statistics told from the stories themselves, without any aggregate. */
export function expectedStats(stories: readonly Story[], by: Principal, { from, to, assistantIds }: Asked): Omit<Stats, 'asOf'> {
  const isAsked = ({ assistantId }: Ticket) => !assistantIds || (assistantId !== null && assistantIds.includes(assistantId));
  const seen = stories.filter((story) => story.orgId === by.orgId && !story.isDeleted && sees(by, story.ticket) && isAsked(story.ticket)).map(({ ticket }) => ticket);
  const isIn = (at: string | null) => at !== null && Date.parse(at) >= from && Date.parse(at) < to;
  const created = seen.filter(({ createdAt }) => isIn(createdAt));
  const open = created.filter(({ status }) => status === 'open' || status === 'pending');
  const number = <T extends string>(of: readonly T[], field: (ticket: Ticket) => T) => Object.fromEntries(of.map((one) => [one, created.filter((ticket) => field(ticket) === one).length])) as Record<T, number>;
  return {
    byStatus: number(Status.options, ({ status }) => status),
    byPriority: number(Priority.options, ({ priority }) => priority),
    byAssistant: ranked(created.flatMap(({ assistantId }) => assistantId ?? [])).map(([id, count]) => ({ id, count })),
    byAssignee: ranked(created.flatMap(({ assignee }) => (assignee ? `${assignee.type}:${assignee.id}` : []))).map(([who, count]) => ({ ...newestAssignee(created, who)!, count })),
    byTag: ranked(created.flatMap(({ tags }) => tags)).map(([tag, count]) => ({ tag, count })),
    openTags: ranked(open.flatMap(({ tags }) => tags)).slice(0, 20).map(([tag, count]) => ({ tag, count })),
    openWords: ranked(open.flatMap(({ title }) => titleWords(title))).slice(0, 20).map(([word, count]) => ({ word, count })),
    days: days(from, to).map((date) => ({
      date,
      created: created.filter(({ createdAt }) => createdAt.startsWith(date)).length,
      resolved: seen.filter(({ resolvedAt }) => isIn(resolvedAt) && resolvedAt!.startsWith(date)).length,
    })),
    firstReply: duration(created.flatMap(({ createdAt, firstRepliedAt }) => (firstRepliedAt ? Date.parse(firstRepliedAt) - Date.parse(createdAt) : []))),
    resolution: duration(created.flatMap(({ createdAt, resolvedAt }) => (resolvedAt ? Date.parse(resolvedAt) - Date.parse(createdAt) : []))),
  };
}

/** As the ticket created last names them. */
const newestAssignee = (tickets: readonly Ticket[], who: string) =>
  tickets.filter(({ assignee }) => assignee && `${assignee.type}:${assignee.id}` === who).sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1))[0]?.assignee;

function ranked(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1));
}

function days(from: number, to: number): string[] {
  const all: string[] = [];
  for (let at = Math.floor(from / dayMs) * dayMs; at < to; at += dayMs) all.push(new Date(at).toISOString().slice(0, 10));
  return from < to ? all : [];
}

function duration(all: number[]) {
  const sorted = all.sort((one, other) => one - other);
  const at = (share: number) => {
    if (sorted.length === 0) return null;
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)]!;
    return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
  };
  return { count: sorted.length, medianMs: at(0.5), p90Ms: at(0.9) };
}
