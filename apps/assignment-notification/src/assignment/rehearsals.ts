import { setImmediate as breathe } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Assignee, AssignmentRule, Rehearsal, RehearsalInput, RehearsedTicket } from '#contracts';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { allot, keyOf, type Allotment, type Person } from './choice.policy.js';
import { isFor } from './condition.policy.js';
import { NeedsLog, type PastNeed } from './needs-log.store.js';
import { RuleBook } from './rule-book.store.js';
import { teamOf } from './team.js';

/** Needs that are looked at, and shown, at most. */
const [most, shown] = [5_000, 200];

/** The id of a draft while it is rehearsed: nobody sees it. */
const draftId = '00000000-0000-0000-0000-000000000000';

const assumptions = [
  'People work, are away and are there as the directory says now, judged at the time of each ticket.',
  'Capacity is not looked at: how long tickets would have stayed with whom is not known. Least-open counts what the rehearsal itself has given.',
  'A ticket that nobody was free for is shown as waiting, also where somebody would have been free later.',
  'Tickets are judged as they were when nobody had them; such moments are kept for 180 days.',
];

/** Shows what rules would have done with tickets of the past. */
@Injectable()
export class Rehearsals {
  constructor(
    private readonly log: NeedsLog,
    private readonly book: RuleBook,
    private readonly directory: DirectoryStore,
  ) {}

  /** @throws StoreFault */
  async rehearse(orgId: string, { from, to, rule: draft }: RehearsalInput): Promise<Rehearsal> {
    const rules = draft ? [{ id: draftId, ...draft }] : (await this.book.rules(orgId)).filter(({ enabled }) => enabled);
    const people = await this.directory.people(orgId);
    const needs = await this.log.between(orgId, { from, to }, most + 1);
    const isComplete = needs.length <= most;
    const rehearsed = await played(needs.slice(0, most), rules, people);
    const count = (outcome: RehearsedTicket['outcome']) => rehearsed.filter((one) => one.outcome === outcome).length;
    return {
      tickets: rehearsed.length,
      isComplete,
      assigned: count('assigned'),
      waiting: count('waits'),
      unmatched: count('unmatched'),
      byAssignee: byAssignee(rehearsed),
      items: rehearsed.slice(0, shown),
      assumptions,
    };
  }
}

/** Lets others be answered in between. */
async function played(needs: readonly PastNeed[], rules: readonly AssignmentRule[], people: People): Promise<RehearsedTicket[]> {
  const [loads, turns] = [new Map<string, number>(), new Map<string, string>()];
  const rehearsed: RehearsedTicket[] = [];
  for (const need of needs) {
    const deciding = rules.filter(({ condition }) => isFor(condition, need.facts)).slice(0, 1);
    const team = withoutCapacity(teamOf(deciding, people, { at: need.at.getTime(), loads }));
    const allotment = allot(need, deciding, { team, turns });
    if (allotment.outcome === 'assigned') {
      const key = keyOf(allotment.to);
      loads.set(key, (loads.get(key) ?? 0) + 1);
      turns.set(allotment.rule.id, key);
    }
    rehearsed.push(told(need, allotment));
    if (rehearsed.length % 100 === 0) await breathe();
  }
  return rehearsed;
}

const withoutCapacity = (team: ReadonlyMap<string, Person>) => new Map([...team].map(([key, person]) => [key, { ...person, capacity: null }]));

function told({ ticketId, at }: PastNeed, allotment: Allotment): RehearsedTicket {
  const { outcome } = allotment;
  if (outcome === 'unmatched') return { ticketId, at: at.toISOString(), outcome, rule: null, chosen: null, candidates: [] };
  const { id, name } = allotment.rule;
  const rule = { id: id === draftId ? null : id, name };
  const isAssigned = outcome === 'assigned';
  return { ticketId, at: at.toISOString(), outcome, rule, chosen: isAssigned ? allotment.to : null, candidates: isAssigned ? allotment.explanation.candidates : allotment.candidates };
}

function byAssignee(rehearsed: readonly RehearsedTicket[]): Rehearsal['byAssignee'] {
  const counts = new Map<string, { assignee: Assignee; count: number }>();
  for (const { chosen } of rehearsed) {
    if (chosen === null) continue;
    const counted = counts.get(keyOf(chosen)) ?? { assignee: chosen, count: 0 };
    counts.set(keyOf(chosen), { ...counted, count: counted.count + 1 });
  }
  return [...counts.values()].sort((one, other) => other.count - one.count);
}
