import { Priority, type DeadlineKind, type SlaPolicy, type SlaTimes, type TicketDeadline } from '#contracts';
import type { Clock, Clocks, Stretch } from './clocks.projection.js';

export type { Stretch } from './clocks.projection.js';

/** Which time counts. */
export interface CountedTime {
  /** When so much time has counted since a moment, ms; null for never. */
  after(from: number, ms: number): number | null;
  /** How much time counts between two moments, ms. */
  between(from: number, to: number): number;
}

/** A policy, and which time counts by it. */
export interface Rule {
  policy: SlaPolicy;
  time: CountedTime;
}

/** Something that everybody is to be told of a deadline, once. */
export interface Fact {
  type: 'warning' | 'missed' | 'met';
  kind: DeadlineKind;
  since: number;
  dueAt: number;
  /** Of the ticket when it was done. */
  version?: number;
}

/** How the deadlines of a ticket stand at a moment. */
export interface Judgement {
  /** With what is told now. */
  clocks: Clocks;
  deadlines: TicketDeadline[];
  facts: Fact[];
  /** When to look again, if nothing happens before; null for not. */
  lookAt: number | null;
}

/** The first policy that is enabled and for a ticket decides, alone. */
export const ruleFor = (rules: readonly Rule[], { assistantId }: Pick<Clocks, 'assistantId'>): Rule | undefined =>
  rules.find(({ policy: { enabled, condition } }) => enabled && (condition.assistantIds === undefined || (assistantId !== null && condition.assistantIds.includes(assistantId))));

const order: readonly DeadlineKind[] = ['first-reply', 'next-reply', 'resolution'];
const timeOf: Record<DeadlineKind, keyof SlaTimes> = { 'first-reply': 'firstReply', 'next-reply': 'nextReply', resolution: 'resolution' };

/**
 * How the deadlines of a ticket stand at a moment, by the policy that is for it. Everything is counted anew: a policy, a priority or an assistant that changes
 * counts at once, for all the time that the policy was there. What was told stays told, and so does that it was so late, whatever a clock says afterwards.
 */
export function judge(clocks: Clocks, rule: Rule | undefined, now: number): Judgement {
  const standing = rule === undefined ? [] : order.flatMap((kind) => standingsOf(kind, clocks, rule, now));
  const told = new Map(standing.map(({ clock, facts }) => [clock, toldAfter(clock, facts, now)]));
  const looks = standing.flatMap(({ next }) => (next === null ? [] : [next]));
  return {
    clocks: { ...clocks, clocks: clocks.clocks.map((clock) => told.get(clock) ?? clock) },
    deadlines: standing.map(({ deadline }) => deadline),
    facts: standing.flatMap(({ facts }) => facts),
    lookAt: looks.length === 0 ? null : Math.min(...looks),
  };
}

interface Standing {
  clock: Clock;
  deadline: TicketDeadline;
  facts: Fact[];
  next: number | null;
}

function standingsOf(kind: DeadlineKind, clocks: Clocks, rule: Rule, now: number): Standing[] {
  const clock = clocks.clocks.find((one) => one.kind === kind);
  if (clock === undefined || isNobodysBusiness(clock, clocks, rule)) return [];
  const target = minutesFor(clock, clocks, rule);
  return target === undefined ? stillMissed(clock, clocks, rule) : [standing(clock, clocks, { rule, target, now })];
}

function standing(clock: Clock, clocks: Clocks, { rule, target, now }: { rule: Rule; target: number; now: number }): Standing {
  const [warnAt, dueAt] = [(target * rule.policy.warnAtPercent) / 100, target].map((minutes) => reached(clock, clocks, { rule, ms: minutes * 60_000 })) as [number | null, number | null];
  const state = stateOf(clock, clocks, { warnAt, dueAt, now: Math.max(now, clock.toldAt ?? now) });
  const next = { running: warnAt, warning: dueAt, paused: null, missed: null, met: null, late: null }[state];
  return { clock, deadline: { kind: clock.kind, dueAt: dueAt === null ? null : new Date(dueAt).toISOString(), state }, facts: factsOf(clock, state, dueAt), next };
}

/** What was missed stays so on a ticket that was raised to a priority without such a deadline: else a policy that raises it would hide what it was raised for. */
function stillMissed(clock: Clock, { priority, end }: Clocks, { policy: { targets } }: Rule): Standing[] {
  const { kind, missedAt, done } = clock;
  const isSetFor = (one: Clocks['priority']) => targets[one]?.[timeOf[kind]] !== undefined;
  const lower = Priority.options.slice(0, Priority.options.indexOf(priority));
  if (missedAt === undefined || isSetFor(priority) || !lower.some(isSetFor)) return [];
  const state = done === undefined && end === undefined ? 'missed' : 'late';
  return [{ clock, deadline: { kind, dueAt: new Date(missedAt).toISOString(), state }, facts: [], next: null }];
}

/** What the requester writes before the first reply waits for that one. */
function minutesFor({ kind, since }: Clock, { clocks, priority }: Clocks, { policy: { targets } }: Rule): number | undefined {
  const times = targets[priority];
  const first = clocks.find((one) => one.kind === 'first-reply');
  const isBeforeFirst = first !== undefined && (first.done === undefined || since < first.done.version);
  return kind === 'next-reply' && times?.firstReply !== undefined && isBeforeFirst ? undefined : times?.[timeOf[kind]];
}

/** What was done before the policy was there; what nobody does any more, unless it was missed before. */
function isNobodysBusiness({ done, told }: Clock, { end }: Clocks, { policy: { since } }: Rule): boolean {
  if (end === 'deleted') return true;
  return done === undefined ? end === 'closed' && told !== 'missed' : done.at < Date.parse(since);
}

/** When a clock has run for so long; null while that is not known. One that is done is taken to have run on, so that it is known how much time was left. */
function reached(clock: Clock, clocks: Clocks, { rule: { policy, time }, ms }: { rule: Rule; ms: number }): number | null {
  const from = Math.max(clock.begunAt, Date.parse(policy.since));
  let left = ms;
  for (const [begin, end] of running(clock, clocks, from)) {
    const counted = end === Infinity ? Infinity : time.between(begin, end);
    if (counted >= left) return time.after(begin, left);
    left -= counted;
  }
  return null;
}

/** When a clock ran since a moment. */
function running({ done }: Clock, { pauses, pausedAt }: Clocks, from: number): Stretch[] {
  const until = done?.at ?? Infinity;
  const stops: Stretch[] = [...pauses, ...(pausedAt === undefined ? [] : [[pausedAt, Infinity] as const])];
  const stretches: Stretch[] = [];
  let at = from;
  for (const [stop, start] of stops) {
    if (stop >= until) break;
    if (stop > at) stretches.push([at, stop]);
    at = Math.max(at, Math.min(start, until));
  }
  if (at !== Infinity) stretches.push([at, Infinity]);
  return stretches;
}

type State = TicketDeadline['state'];

interface Moments {
  warnAt: number | null;
  dueAt: number | null;
  now: number;
}

function stateOf({ done }: Clock, clocks: Clocks, moments: Moments): State {
  if (done === undefined) return clocks.end === 'closed' ? 'late' : openState(clocks, moments);
  return isPast(moments.dueAt, done.at - 1) ? 'late' : 'met';
}

function openState({ pausedAt }: Clocks, { warnAt, dueAt, now }: Moments): State {
  if (isPast(dueAt, now)) return 'missed';
  if (pausedAt !== undefined) return 'paused';
  return isPast(warnAt, now) ? 'warning' : 'running';
}

const isPast = (moment: number | null, now: number) => moment !== null && moment <= now;

/** What is told of a clock in a state, if it was not told before. */
const factIn: Record<State, { type: Fact['type']; isTold: (clock: Clock) => boolean } | undefined> = {
  running: undefined,
  paused: undefined,
  warning: { type: 'warning', isTold: ({ told }) => told !== undefined },
  missed: { type: 'missed', isTold: ({ told }) => told === 'missed' },
  late: { type: 'missed', isTold: ({ told }) => told === 'missed' },
  met: { type: 'met', isTold: ({ isMetTold }) => isMetTold === true },
};

function factsOf(clock: Clock, state: State, dueAt: number | null): Fact[] {
  const fact = factIn[state];
  if (dueAt === null || fact === undefined || fact.isTold(clock)) return [];
  const { kind, since, done } = clock;
  return [{ type: fact.type, kind, since, dueAt, ...(fact.type === 'met' && done && { version: done.version }) }];
}

const toldAfter = (clock: Clock, facts: readonly Fact[], now: number): Clock =>
  facts.reduce<Clock>((after, { type, dueAt }) => (type === 'met' ? { ...after, isMetTold: true } : { ...after, told: type, toldAt: now, ...(type === 'missed' && { missedAt: dueAt }) }), clock);
