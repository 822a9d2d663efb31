import type { DeadlineNews, SlaAction, SlaPolicy, TicketDeadline, TicketEvent } from '#contracts';
import { judge, ruleFor, type Fact, type Rule } from './clocks.policy.js';
import { clocksAfter, type Clocks } from './clocks.projection.js';

/** A ticket whose deadlines are watched, and what was told of them. */
export interface Watched {
  orgId: string;
  ticketId: string;
  /** Of the newest that was told. */
  revision: number;
  clocks: Clocks;
  deadlines: readonly TicketDeadline[];
}

/** Something that a policy does because a deadline was missed. */
export interface Consequence {
  kind: Fact['kind'];
  since: number;
  dueAt: number;
  policy: Pick<SlaPolicy, 'id' | 'name'>;
  action: Exclude<SlaAction, { type: 'notify' }>;
}

/** What becomes of a ticket at a moment. */
export interface Advance {
  after: Watched;
  news: DeadlineNews[];
  consequences: Consequence[];
  lookAt: number | null;
}

type Told = Fact & { policy: SlaPolicy };

/**
 * What becomes of a ticket by new events, and by the time that passed. Each event is judged by at its own time, so it makes no difference how late it came.
 * @param before undefined for a ticket that nobody has watched
 * @returns undefined where the events change nothing
 */
export function advanced(before: Watched | undefined, events: readonly TicketEvent[], { rules, now }: { rules: readonly Rule[]; now: number }): Advance | undefined {
  const told: Told[] = [];
  let clocks = before?.clocks;
  const settle = (of: Clocks, at: number) => {
    const rule = ruleFor(rules, of);
    const judged = judge(of, rule, at);
    told.push(...judged.facts.map((fact) => ({ ...fact, policy: rule!.policy })));
    return judged;
  };
  let isChanged = false;
  for (const event of events) {
    const next = clocksAfter(clocks, event);
    if (next === undefined) continue;
    clocks = settle(next, Math.min(now, Date.parse(event.at))).clocks;
    isChanged = true;
  }
  if (clocks === undefined || (events.length > 0 && !isChanged)) return undefined;
  const { deadlines, lookAt, clocks: after } = settle(clocks, now);
  const { orgId, ticketId } = before ?? events[0]!;
  const news = newsOf({ orgId, ticketId, revision: before?.revision ?? 0, clocks: after, deadlines }, told, { isMoved: !isSame(before?.deadlines ?? [], deadlines), now });
  return { after: { orgId, ticketId, revision: news.at(-1)?.revision ?? before?.revision ?? 0, clocks: after, deadlines }, news, consequences: consequencesOf(told, deadlines), lookAt };
}

/** Every message has all that is so in the end: whoever sees the newest sees it right. */
function newsOf({ orgId, ticketId, revision, clocks, deadlines }: Watched, told: readonly Told[], { isMoved, now }: { isMoved: boolean; now: number }): DeadlineNews[] {
  const { version, assistantId, assignee, createdBy } = clocks;
  const sight = { assistantId, assignee: assignee && { type: assignee.type, id: assignee.id }, createdBy };
  const common = { orgId, ticketId, version, at: new Date(now).toISOString(), deadlines: [...deadlines], sight };
  if (told.length === 0) return isMoved ? [{ type: 'ticket.deadlines-changed.v1', ...common, revision: revision + 1 }] : [];
  return told.map(({ type, kind, since, dueAt, policy }, i) => {
    const { id, name, onMissed } = policy;
    const one = { ...common, revision: revision + 1 + i, deadline: { kind, since, dueAt: new Date(dueAt).toISOString() }, policy: { id, name } };
    if (type !== 'missed') return { type: `ticket.deadline-${type}.v1`, ...one };
    const tell = onMissed.flatMap((action) => (action.type === 'notify' ? [toTell(action, clocks)] : []))[0];
    return { type: 'ticket.deadline-missed.v1', ...one, ...(tell && { tell }) };
  });
}

function toTell({ assignee, memberIds }: Extract<SlaAction, { type: 'notify' }>, clocks: Clocks) {
  const holder = assignee && clocks.assignee ? [{ type: clocks.assignee.type, id: clocks.assignee.id }] : [];
  const members = memberIds.map((id) => ({ type: 'member' as const, id }));
  return [...holder, ...members.filter(({ id }) => !holder.some((one) => one.type === 'member' && one.id === id))];
}

/** Nothing is done about what has been done meanwhile. */
function consequencesOf(told: readonly Told[], deadlines: readonly TicketDeadline[]): Consequence[] {
  const missed = told.filter(({ type, kind }) => type === 'missed' && deadlines.some((one) => one.kind === kind && one.state === 'missed'));
  return missed.flatMap(({ kind, since, dueAt, policy: { id, name, onMissed } }) =>
    onMissed.flatMap((action) => (action.type === 'notify' ? [] : [{ kind, since, dueAt, policy: { id, name }, action }])),
  );
}

const isSame = (some: readonly TicketDeadline[], others: readonly TicketDeadline[]) => JSON.stringify(some) === JSON.stringify(others);
