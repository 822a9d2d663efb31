import type { DeadlineNews, SlaAction, SlaPolicy, TicketDeadline, TicketEvent } from '#contracts';
import { judge, ruleFor, type Fact, type Judgement, type Rule } from './clocks.policy.js';
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

/** By what tickets are judged, and when. */
export interface Standard {
  rules: readonly Rule[];
  now: number;
  /** Up to when all events were heard, ms: what was not done by then was not done. */
  heardUpTo: number;
}

/**
 * What becomes of a ticket by new events, and by the time that passed. Each event is judged by at its own time, so it makes no difference how late it came; and no
 * time counts of which it is not known yet what happened in it.
 * @param before undefined for a ticket that nobody has watched
 * @returns undefined where the events change nothing
 */
export function advanced(before: Watched | undefined, events: readonly TicketEvent[], standard: Standard): Advance | undefined {
  const { rules, now } = standard;
  const { clocks, told, isChanged } = folded(before?.clocks, events, standard);
  if (clocks === undefined || (events.length > 0 && !isChanged)) return undefined;
  const last = judged(clocks, rules, upTo(events, standard));
  const all = [...told, ...last.told];
  const earlier = before ?? { orgId: events[0]!.orgId, ticketId: events[0]!.ticketId, revision: 0, deadlines: [] };
  const after = { ...earlier, clocks: last.clocks, deadlines: last.deadlines };
  const news = newsOf(after, all, { isMoved: !isSame(earlier.deadlines, last.deadlines), now });
  const { orgId, ticketId, revision } = earlier;
  return { after: { ...after, orgId, ticketId, revision: revision + news.length }, news, consequences: consequencesOf(all, last.deadlines), lookAt: last.lookAt };
}

/** A ticket's events come in order: with one of them all before it were heard. */
const upTo = (events: readonly TicketEvent[], { now, heardUpTo }: Standard) => Math.min(now, Math.max(heardUpTo, ...events.map(({ at }) => Date.parse(at))));

function folded(before: Clocks | undefined, events: readonly TicketEvent[], { rules, now }: Standard): { clocks: Clocks | undefined; told: Told[]; isChanged: boolean } {
  const told: Told[] = [];
  let [clocks, isChanged] = [before, false];
  for (const event of events) {
    const next = clocksAfter(clocks, event);
    if (next === undefined) continue;
    const then = judged(next, rules, Math.min(now, Date.parse(event.at)));
    told.push(...then.told);
    [clocks, isChanged] = [then.clocks, true];
  }
  return { clocks, told, isChanged };
}

function judged(clocks: Clocks, rules: readonly Rule[], at: number): Judgement & { told: Told[] } {
  const rule = ruleFor(rules, clocks);
  const judgement = judge(clocks, rule, at);
  return { ...judgement, told: judgement.facts.map((fact) => ({ ...fact, policy: rule!.policy })) };
}

/** Every message has all that is so in the end: whoever sees the newest sees it right. */
function newsOf({ orgId, ticketId, revision, clocks, deadlines }: Watched, told: readonly Told[], { isMoved, now }: { isMoved: boolean; now: number }): DeadlineNews[] {
  const { version, assistantId, assignee, createdBy, called } = clocks;
  const sight = { assistantId, assignee: assignee && { type: assignee.type, id: assignee.id }, createdBy };
  const common = { orgId, ticketId, version, at: new Date(now).toISOString(), deadlines: [...deadlines], sight, ...(called && { called }) };
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
