import { v5 } from 'uuid';
import type { AssigneeInput, AssignmentRule } from '#contracts';
import { commandText, type Sender } from '../commands.js';
import type { People } from '../directory/directory.store.js';
import { allot, keyOf, wantedBy, type Allotment, type Person } from './choice.policy.js';
import type { Finding, FoundTicket } from './tracked-tickets.store.js';
import { backAt, isAway } from './working-hours.js';

/** Part of what ids of commands derive from: never change it. */
export const commandNamespace = '9a0c7b8e-5b0f-4f56-8f3a-2d8f6e1c4b70';

/** Histories show it, and it may assign any ticket of the organisation. */
const rulesThemselves: Sender = { actor: { type: 'system', id: 'assignment', name: 'Assignment rules' }, access: { role: 'admin', assistantIds: [] } };

/** What a deal goes by. */
export interface Hand {
  rules: readonly AssignmentRule[];
  /** Who has tickets that are to be looked at. */
  holders: People;
  team: ReadonlyMap<string, Person>;
  turns: ReadonlyMap<string, string>;
  /** Edition of the rules. */
  edition: number;
  at: number;
}

/** What was found out about tickets, and whose turn it was last by then, by rule. */
export interface Dealt {
  findings: Finding[];
  turns: ReadonlyMap<string, string>;
}

/** Deals tickets out one after the other: each finds the loads and turns that those before it have left. */
export function deal(tickets: readonly FoundTicket[], { rules, holders, team, turns, edition, at }: Hand): Dealt {
  const now = { team: new Map(team), turns: new Map(turns) };
  const findings = tickets.map((ticket): Finding => {
    if (isBack(ticket.need.holder, holders, at)) return { ticket, state: 'idle' };
    const allotment = allot({ facts: ticket.facts, former: ticket.need.former }, rules, now);
    if (allotment.outcome === 'assigned') countIn(now, allotment);
    return findingOf(ticket, allotment, { edition, at: new Date(at) });
  });
  return { findings, turns: now.turns };
}

/** Makes the next deal see this one. */
function countIn(now: { team: Map<string, Person>; turns: Map<string, string> }, { rule, to }: Extract<Allotment, { outcome: 'assigned' }>): void {
  const key = keyOf(to);
  const person = now.team.get(key)!;
  now.team.set(key, { ...person, load: person.load + 1 });
  now.turns.set(rule.id, key);
}

function findingOf(ticket: FoundTicket, allotment: Allotment, { edition, at }: { edition: number; at: Date }): Finding {
  // Somebody who is away and whom no rule relieves has the ticket: rules that are made later leave it there.
  if (allotment.outcome === 'unmatched') return ticket.need.holder === null ? { ticket, state: 'idle', edition } : { ticket, state: 'idle' };
  if (allotment.outcome === 'waits') return { ticket, state: 'waits', ruleId: allotment.rule.id, edition };
  const { ticketId, need } = ticket;
  const { rule, to, explanation } = allotment;
  const ifAssignee = need.holder && { type: need.holder.type, id: need.holder.id };
  const command = commandText<'ticket.assign.v1'>(rulesThemselves, ticket, { to, reason: 'rule', ifAssignee, explanation });
  return { ticket, state: 'chosen', choice: { commandId: v5(`${ticketId}:${need.version}/${rule.id}`, commandNamespace), to, command, at, isSent: false } };
}

/** Whether a reopened ticket is with somebody who is there: then it stays with them. */
function isBack(holder: AssigneeInput | null, { members, assistants }: People, at: number): boolean {
  if (holder === null) return false;
  if (holder.type === 'agent') return assistants.has(holder.id);
  const member = members.get(holder.id);
  return member !== undefined && (member.availability === undefined || !isAway(member.availability, at));
}

/** When somebody comes back whom waiting tickets could be given. Capacity that gets free is told by events. */
export function nextReturn(rules: readonly AssignmentRule[], { members }: People, { awaited, at }: { awaited: ReadonlySet<string>; at: number }): Date | null {
  const wanted = rules.filter(({ id }) => awaited.has(id)).flatMap(wantedBy);
  const returns = wanted.flatMap(({ type, id }) => {
    const availability = type === 'member' ? members.get(id)?.availability : undefined;
    const back = availability && backAt(availability, at);
    return back == null || back <= at ? [] : [back];
  });
  return returns.length === 0 ? null : new Date(Math.min(...returns));
}

/** Rules that tickets were found to wait for. */
export const awaitedBy = ({ findings }: Dealt): string[] => findings.flatMap((one) => (one.state === 'waits' ? [one.ruleId] : []));

/** Of two moments the one that comes first; null never comes. */
export const earlier = (one: Date | null, other: Date | null): Date | null => (one === null || (other !== null && other < one) ? other : one);
