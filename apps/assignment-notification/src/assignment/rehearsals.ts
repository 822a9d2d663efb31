import { setImmediate as breathe } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Assignee, AssignmentRule, Rehearsal, RehearsalInput, RehearsedTicket } from '#contracts';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { allot, keyOf, wantedBy, type Allotment } from './choice.policy.js';
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
    const people = await this.directory.people(orgId, rules.flatMap(wantedBy));
    return played(this.log.between(orgId, { from, to }, most + 1), rules, people);
  }
}

/** How long somebody is let wait, ms. */
const patienceMs = 4_000;

/** Lets others be answered in between, and gives up what cannot be done in time. */
async function played(needs: AsyncIterable<PastNeed>, rules: readonly AssignmentRule[], people: People): Promise<Rehearsal> {
  const play = new Play(rules, people);
  const deadline = Date.now() + patienceMs;
  for await (const need of needs) {
    if (play.tickets === most || Date.now() > deadline) return play.result(false);
    play.next(need);
    if (play.tickets % 100 === 0) await breathe();
  }
  return play.result(true);
}

/** A ticket that the rehearsal gave to somebody. */
interface Given extends Pick<PastNeed, 'ticketId' | 'doneAt'> {
  key: string;
}

/** A rehearsal under way. Of tickets behind the first ones it keeps only counts. */
class Play {
  tickets = 0;
  private given: Given[] = [];
  private readonly turns = new Map<string, string>();
  private readonly counts = { assigned: 0, waits: 0, unmatched: 0 };
  private readonly chosen = new Map<string, { assignee: Assignee; count: number }>();
  private readonly items: RehearsedTicket[] = [];

  constructor(
    private readonly rules: readonly AssignmentRule[],
    private readonly people: People,
  ) {}

  next(need: PastNeed): void {
    const deciding = this.rules.filter(({ condition }) => isFor(condition, need.facts)).slice(0, 1);
    this.given = this.given.filter(({ ticketId, doneAt }) => ticketId !== need.ticketId && (doneAt === null || doneAt > need.at));
    const team = teamOf(deciding, this.people, { at: need.at.getTime(), loads: loadsOf(this.given) });
    const allotment = allot(need, deciding, { team, turns: this.turns });
    this.tickets += 1;
    this.counts[allotment.outcome] += 1;
    if (allotment.outcome === 'assigned') this.give(need, allotment);
    if (this.items.length < shown) this.items.push(told(need, allotment));
  }

  result(isComplete: boolean): Rehearsal {
    const { tickets, items } = this;
    const { assigned, waits: waiting, unmatched } = this.counts;
    const byAssignee = [...this.chosen.values()].sort((one, other) => other.count - one.count);
    return { tickets, isComplete, assigned, waiting, unmatched, byAssignee, items, assumptions };
  }

  private give({ ticketId, doneAt }: PastNeed, { to: assignee, rule }: Extract<Allotment, { outcome: 'assigned' }>): void {
    const key = keyOf(assignee);
    this.given.push({ key, ticketId, doneAt });
    this.turns.set(rule.id, key);
    this.chosen.set(key, { assignee, count: (this.chosen.get(key)?.count ?? 0) + 1 });
  }
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
