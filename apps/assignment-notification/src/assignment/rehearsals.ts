import { setImmediate as breathe } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Assignee, AssignmentRule, Rehearsal, RehearsalInput, RehearsedTicket } from '#contracts';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { allot, keyOf, type Allotment } from './choice.policy.js';
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
  'Nobody has anything at its beginning. A ticket counts for whom the rehearsal gave it until it was really resolved, or given back.',
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
    const rehearsed = await played(needs.slice(0, most), rules, people);
    const count = (outcome: RehearsedTicket['outcome']) => rehearsed.filter((one) => one.outcome === outcome).length;
    return {
      tickets: rehearsed.length,
      isComplete: rehearsed.length === needs.length,
      assigned: count('assigned'),
      waiting: count('waits'),
      unmatched: count('unmatched'),
      byAssignee: byAssignee(rehearsed),
      items: rehearsed.slice(0, shown),
      assumptions,
    };
  }
}

/** How long somebody is let wait, ms. */
const patienceMs = 4_000;

/** Lets others be answered in between, and gives up what cannot be done in time. */
async function played(needs: readonly PastNeed[], rules: readonly AssignmentRule[], people: People): Promise<RehearsedTicket[]> {
  const turns = new Map<string, string>();
  let given: Given[] = [];
  const deadline = Date.now() + patienceMs;
  const rehearsed: RehearsedTicket[] = [];
  for (const need of needs) {
    const deciding = rules.filter(({ condition }) => isFor(condition, need.facts)).slice(0, 1);
    given = given.filter(({ ticketId, doneAt }) => ticketId !== need.ticketId && (doneAt === null || doneAt > need.at));
    const team = teamOf(deciding, people, { at: need.at.getTime(), loads: loadsOf(given) });
    const allotment = allot(need, deciding, { team, turns });
    if (allotment.outcome === 'assigned') {
      const key = keyOf(allotment.to);
      given.push({ key, ticketId: need.ticketId, doneAt: need.doneAt });
      turns.set(allotment.rule.id, key);
    }
    rehearsed.push(told(need, allotment));
    if (rehearsed.length % 100 === 0) await breathe();
    if (Date.now() > deadline) break;
  }
  return rehearsed;
}

/** A ticket that the rehearsal gave to somebody. */
interface Given extends Pick<PastNeed, 'ticketId' | 'doneAt'> {
  key: string;
}

function loadsOf(given: readonly Given[]): Map<string, number> {
  const loads = new Map<string, number>();
  for (const { key } of given) loads.set(key, (loads.get(key) ?? 0) + 1);
  return loads;
}

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
