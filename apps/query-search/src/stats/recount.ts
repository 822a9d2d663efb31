import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { isPassing } from '#persistence';
import { dayCounts } from '../metrics.js';
import { addBody, addCreated, addResolved, addResolvedDays, all, none, partOf, storedCell, type Cell, type Facts, type Parts } from './cell.projection.js';
import { Cells, digestOf, everything, personScope, versionNow, type CellDocument } from './cells.store.js';
import { CountedViews } from './counted-views.store.js';
import { Marks, type Claim } from './marks.store.js';

/** Between looks for days to count, ms. */
const lookMs = 1_000;
/** After a count, rest so many times as long as it took, since others work on the same store; days of very many tickets, which are counted again and again while it is their day, longer. */
const [restShare, longRestShare, longMs] = [2, 19, 300];
/** Scopes of a month that are added up at once. */
const scopesAtOnce = 4;

/** Counts the days that were noted, one after the other, and adds up their months, once it was told to. Several processes may do so at once. */
@Injectable()
export class Recount implements OnApplicationShutdown {
  private readonly logger = new Logger('statistics');
  private stopping = new AbortController();
  private working: Promise<void> | undefined;
  private isOver = false;

  constructor(
    private readonly marks: Marks,
    private readonly views: CountedViews,
    private readonly cells: Cells,
  ) {}

  /** Goes on counting. */
  resume(): void {
    if (!this.isResting || this.isOver) return;
    this.stopping = new AbortController();
    this.working = this.work(this.stopping.signal).finally(() => (this.working = undefined));
  }

  /** Stops counting. What is under way is given back, and counted by whoever comes next. */
  rest(): void {
    this.stopping.abort();
  }

  /** Nothing is counted, and nothing will be before `resume`. */
  get isResting(): boolean {
    return this.working === undefined;
  }

  async onApplicationShutdown(): Promise<void> {
    this.isOver = true;
    this.rest();
    await this.working;
  }

  /**
   * Counts the dirty days of one month; a day under way is finished when the signal is given.
   * @returns false when there was nothing to do
   * @throws StoreFault, and anything else is our own mistake
   */
  async next(signal?: AbortSignal): Promise<boolean> {
    const claim = await this.marks.claim();
    if (!claim) return false;
    const isDone = (await this.countDays(claim, signal)) && (await this.addUp(claim));
    await (isDone ? this.marks.settle(claim) : this.marks.release(claim));
    return true;
  }

  private async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const restMs = await this.nextSafely(signal);
      await delay(restMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** How long to rest then, ms. Days of a count that failed stay claimed for a while: others come first. */
  private async nextSafely(signal: AbortSignal): Promise<number> {
    const start = performance.now();
    try {
      const hasWorked = await this.next(signal);
      const took = performance.now() - start;
      return hasWorked ? took * (took > longMs ? longRestShare : restShare) : lookMs;
    } catch (error) {
      if (isPassing(error)) this.logger.warn({ msg: 'counting must wait', err: error });
      else this.logger.error({ msg: 'a day cannot be counted', err: error });
      return lookMs;
    }
  }

  /** False when something was counted by another process that began later, or a stop came between. */
  private async countDays(claim: Claim, signal?: AbortSignal): Promise<boolean> {
    let isDone = true;
    for (const day of claim.days) {
      if (signal?.aborted) return false;
      await this.marks.renew(claim);
      isDone = (await this.countDay(claim.orgId, day)) && isDone;
      dayCounts.inc();
    }
    return isDone;
  }

  private async countDay(orgId: string, day: string): Promise<boolean> {
    const version = versionNow();
    const scopes = new Map<string, Parts>();
    for await (const batch of this.views.ofDay(orgId, day)) for (const facts of batch) countIn(scopes, facts);
    const cells = new Map([...scopes].map(([scope, parts]) => [scope, dayDocument(parts)]));
    return this.cells.put('days', { orgId, period: day, version, cells }, dayDocument(new Map()));
  }

  /** Months of scopes whose days are not those that the month was added up from. */
  private async addUp({ orgId, month, days }: Claim): Promise<boolean> {
    const [known, current] = await Promise.all([this.cells.digestsIn(orgId, month), this.cells.digestsOf(orgId, days)]);
    const scopes = [...current].filter(([scope, digests]) => days.some((day) => digests[day] !== known.get(scope)?.[day])).map(([scope]) => scope);
    const version = versionNow();
    const cells = new Map<string, Pick<CellDocument, 'body' | 'resolved' | 'digests'>>();
    while (scopes.length > 0) {
      await Promise.all(scopes.splice(0, scopesAtOnce).map(async (scope) => cells.set(scope, sumOf(await this.cells.days(orgId, scope, month)))));
    }
    return cells.size === 0 || this.cells.put('months', { orgId, period: month, version, cells });
  }
}

/** A ticket is in the cell of everything, in that of its assistant, and in those of the people it concerns. */
function countIn(scopes: Map<string, Parts>, facts: Facts) {
  const { assistantId } = facts;
  addTo(scopes, everything, all, facts);
  if (assistantId !== null) addTo(scopes, assistantId, all, facts);
  for (const person of new Set(peopleOf(facts).map(personScope))) addTo(scopes, person, assistantId ?? none, facts);
}

/** Who sees a ticket for its own sake: whoever it is assigned to, and members that created it. */
const peopleOf = ({ assignee, createdBy }: Facts) => [...(assignee ? [assignee] : []), ...(createdBy.type === 'member' ? [createdBy] : [])];

function addTo(scopes: Map<string, Parts>, scope: string, part: string, facts: Facts) {
  const parts = scopes.get(scope) ?? new Map<string, Cell>();
  scopes.set(scope, parts);
  const cell = partOf(parts, part);
  addCreated(cell, facts);
  if (facts.resolvedAt !== null) addResolved(cell, facts.resolvedAt);
}

function dayDocument(parts: Parts) {
  const stored = storedCell(parts);
  return { ...stored, digest: digestOf(stored) };
}

function sumOf(days: readonly CellDocument[]) {
  const sum: Parts = new Map();
  const place = (part: string) => partOf(sum, part);
  for (const { body, resolved } of days) {
    addBody(body, place);
    addResolvedDays(resolved, place);
  }
  const { body, resolved } = storedCell(sum);
  return { body, resolved, digests: JSON.stringify(Object.fromEntries(days.map(({ period, digest }) => [period, digest]))) };
}
