import type { Assignee, AssigneeInput, AssignmentRule, Candidate, Choice } from '#contracts';
import { isFor, type TicketFacts } from './condition.policy.js';

/** Somebody who could work on a ticket, at one moment. */
export interface Person {
  name: string;
  /** Why they take nothing now. */
  absence: 'away' | 'outside-working-hours' | undefined;
  /** Tickets that rules may give them at most; null for any number. */
  capacity: number | null;
  /** Open and pending tickets that are theirs, or soon will be. */
  load: number;
}

/** Who is who, by `keyOf`. */
export type Team = ReadonlyMap<string, Person>;

/** Where people are remembered: `member:ada`, `agent:billing-bot`. */
export const keyOf = ({ type, id }: AssigneeInput) => `${type}:${id}`;

/** A ticket that needs somebody. */
export interface Needy {
  facts: TicketFacts;
  /** Who is not asked: they gave it back, or have it and are away. */
  former: string | null;
}

/** What rules make of a ticket. `waits`: the rule is for it, and nobody is free. */
export type Allotment =
  | { outcome: 'assigned'; rule: AssignmentRule; to: Assignee; explanation: Choice }
  | { outcome: 'waits'; rule: AssignmentRule; candidates: Candidate[] }
  | { outcome: 'unmatched' };

/**
 * Who gets a ticket. The first rule that is for it decides, alone: a later rule never takes what an earlier one is for.
 * @param rules those that are enabled, in order
 * @param turns whom each rule chose last, by its id
 */
export function allot(ticket: Needy, rules: readonly AssignmentRule[], { team, turns }: { team: Team; turns: ReadonlyMap<string, string> }): Allotment {
  const rule = rules.find(({ condition }) => isFor(condition, ticket.facts));
  if (rule === undefined) return { outcome: 'unmatched' };
  const { strategy } = rule;
  const candidates = candidatesOf(rule, team).map((candidate) => judged(candidate, ticket, { team, isNamed: strategy.type === 'fixed' }));
  const free = candidates.filter(({ whyNot }) => whyNot === undefined);
  if (free.length === 0) return { outcome: 'waits', rule, candidates };
  const chosen = strategy.type === 'least-open' ? fewest(free) : nextInTurn(candidates, turns.get(rule.id));
  const { type, id, name } = chosen;
  const why = ({ fixed: 'named', 'round-robin': 'next-in-turn', 'least-open': 'fewest-open' } as const)[strategy.type];
  return { outcome: 'assigned', rule, to: { type, id, name }, explanation: { rule: { id: rule.id, name: rule.name }, strategy: strategy.type, candidates, chosen: { type, id }, why } };
}

/** Whom a rule could give something right now, by `keyOf`. */
export const freeFor = (rule: AssignmentRule, team: Team): string[] =>
  wantedBy(rule)
    .map(keyOf)
    .filter((key) => reasonAgainst(team.get(key), rule.strategy.type === 'fixed') === undefined);

/** Everybody whom a rule could choose. */
export const wantedBy = ({ strategy }: Pick<AssignmentRule, 'strategy'>): AssigneeInput[] =>
  strategy.type === 'fixed' ? [strategy.assignee] : strategy.memberIds.map((id) => ({ type: 'member', id }));

const candidatesOf = (rule: AssignmentRule, team: Team): Candidate[] =>
  wantedBy(rule).map((who) => ({ ...who, name: team.get(keyOf(who))?.name ?? who.id, load: team.get(keyOf(who))?.load ?? 0 }));

function judged(candidate: Candidate, { former }: Needy, { team, isNamed }: { team: Team; isNamed: boolean }): Candidate {
  const whyNot = keyOf(candidate) === former ? 'had-it' : reasonAgainst(team.get(keyOf(candidate)), isNamed);
  return whyNot === undefined ? candidate : { ...candidate, whyNot };
}

/** Whom a rule names alone gets the ticket at all times. */
function reasonAgainst(person: Person | undefined, isNamed: boolean): Candidate['whyNot'] {
  if (person === undefined) return 'unknown';
  if (isNamed) return undefined;
  if (person.absence !== undefined) return person.absence;
  return person.capacity !== null && person.load >= person.capacity ? 'at-capacity' : undefined;
}

/** Of equals the first. */
const fewest = (free: readonly Candidate[]): Candidate => free.reduce((best, one) => (one.load < best.load ? one : best));

/** The first who is free behind the last one chosen, around the circle. */
function nextInTurn(candidates: readonly Candidate[], last: string | undefined): Candidate {
  const start = candidates.findIndex((candidate) => keyOf(candidate) === last) + 1;
  return [...candidates.slice(start), ...candidates.slice(0, start)].find(({ whyNot }) => whyNot === undefined)!;
}
