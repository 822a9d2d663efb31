import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Priority, Status, type Assignee, type DurationStats, type Principal, type Stats, type StatsQuery } from '#contracts';
import { lacks, sightOf, type Sight } from '#domain';
import type { GroupProgress } from '#messaging';
import { ProblemError } from '#observability';
import { asking } from '../asking.js';
import { key } from '../ticket-keys.js';
import { addBody, addCreated, addResolved, addResolvedDays, dayOf, emptyCell, largest, type Cell, type Facts } from './cell.projection.js';
import { Cells, everything, type CellDocument } from './cells.store.js';
import { CountedViews } from './counted-views.store.js';
import { percentiles, type Durations } from './durations.projection.js';
import { LateViews } from './late-views.store.js';
import { Marks } from './marks.store.js';
import { daysOf, isIn, monthOf, planOf, type Interval, type RangePlan } from './range.js';

/** Tags of an answer, and of what is open just now. */
const [mostTags, mostOpen] = [1_000, 20];

/** What a principal sees of what was asked for: scopes whose cells are theirs whole, and single tickets outside of them. */
interface Part {
  orgId: string;
  scopes: string[];
  /** Keys that lead to single tickets, and which of these are meant: those of the scopes are counted already. */
  single?: { keys: string[]; isMeant: (assistantId: string | null) => boolean };
}

/** An answer that is being added up. */
interface Sum {
  orgId: string;
  interval: Interval;
  plan: RangePlan;
  cell: Cell;
}

type Progress = Pick<GroupProgress, 'asOf' | 'start' | 'stop'>;

/** Answers questions for statistics from the cells, and from views where no cell ends with the range or with what somebody sees. */
@Injectable()
export class StatsReader implements OnApplicationShutdown {
  private progress: Progress | undefined;

  constructor(
    private readonly cells: Cells,
    private readonly views: CountedViews,
    private readonly marks: Marks,
    private readonly late: LateViews,
  ) {}

  /** From now on answers say how far the consumer is that notes what has changed, too. */
  follow(progress: Progress): void {
    this.progress = progress;
    progress.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.progress?.stop();
  }

  /** Numbers of the tickets that the principal sees. @throws ProblemError forbidden, dependency-unavailable */
  async stats(principal: Principal, { from, to, assistantId }: StatsQuery): Promise<Stats> {
    const missing = lacks(principal, 'read');
    if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
    const now = Date.now();
    const interval = { from: Date.parse(from), to: Date.parse(to) };
    const part = partOf(principal, assistantId);
    const sum = { orgId: part.orgId, interval, plan: planOf(interval, now), cell: emptyCell() };
    return asking(async () => {
      const asOf = await this.asOf(part.orgId, now); // before anything else is read: it holds for all of that
      const [single] = await Promise.all([this.single(sum, part), this.addCells(sum, part.scopes), this.addEdges(sum, part.scopes)]);
      for (const facts of single) addOne(sum, facts);
      return statsOf(sum, asOf);
    });
  }

  private async asOf(orgId: string, now: number): Promise<Date> {
    const known = await Promise.all([this.marks.oldest(orgId), this.late.oldest(orgId)]);
    return new Date(Math.min(now, this.progress?.asOf ?? now, ...known.flatMap((at) => at?.getTime() ?? [])));
  }

  private async addCells({ orgId, plan, cell }: Sum, scopes: readonly string[]): Promise<void> {
    const { earlier, months, loose, whole, edges } = plan;
    const of = { orgId, scopes };
    const [before, within, ...days] = await Promise.all([
      this.cells.read('months', { ...of, periods: earlier, parts: ['resolved'] }),
      this.cells.read('months', { ...of, periods: months, parts: ['resolved', 'body'] }),
      ...loose.map((periods) => this.cells.read('days', { ...of, periods, parts: ['resolved', 'body'] })),
    ]);
    const found = [...before, ...within, ...days.flat()];
    for (const { resolved = '{}' } of found) addResolvedDays(cell, resolved);
    for (const { body } of [...within, ...days.flat().filter(({ period }) => isIn(whole, period))]) if (body !== undefined) addBody(cell, body);
    await Promise.all(edges.map((edge) => this.recountResolved({ orgId, plan, cell, interval: edge }, found)));
  }

  /** On a day that is not counted whole, looks when exactly tickets were resolved. */
  private async recountResolved({ orgId, cell, interval }: Sum, found: readonly CellDocument[]): Promise<void> {
    const day = dayOf(interval.from);
    const telling = found.filter(({ resolved }) => resolved?.includes(`"${day}"`));
    const months = new Set(telling.map(({ scope, period }) => `${scope}/${monthOf(period)}`));
    const reads = [...months].map((one) => one.split('/') as [string, string]);
    const cells = await Promise.all(reads.map(([scope, month]) => this.cells.read('days', { orgId, scopes: [scope], periods: daysOf(month), parts: ['instants'] })));
    const instants = cells.flat().flatMap(({ instants = '[]' }) => (JSON.parse(instants) as number[]).filter((at) => at >= interval.from && at < interval.to));
    cell.resolved.set(day, instants.length);
  }

  private async addEdges({ orgId, plan: { edges }, cell }: Sum, scopes: readonly string[]): Promise<void> {
    if (scopes.length === 0) return;
    for (const edge of edges) {
      for await (const batch of this.views.created(orgId, scopes, edge)) for (const facts of batch) addCreated(cell, facts);
    }
  }

  /** Tickets outside the scopes that may count. */
  private async single({ orgId, interval }: Sum, { single }: Part): Promise<Facts[]> {
    const found: Facts[] = [];
    if (!single) return found;
    for await (const batch of this.views.concerning(orgId, single.keys, interval)) found.push(...batch.filter(({ assistantId }) => single.isMeant(assistantId)));
    return found;
  }
}

function addOne({ interval: { from, to }, cell }: Sum, facts: Facts) {
  const { createdAt, resolvedAt } = facts;
  if (createdAt >= from && createdAt < to) addCreated(cell, facts);
  if (resolvedAt !== null && resolvedAt >= from && resolvedAt < to) addResolved(cell, resolvedAt);
}

/** @param wanted assistants that were asked for; undefined for all tickets */
function partOf(principal: Principal, wanted?: readonly string[]): Part {
  const { orgId } = principal;
  const sight = sightOf(principal);
  const asked = wanted && new Set(wanted);
  if (sight.all) return { orgId, scopes: asked ? [...asked] : [everything] };
  const own = new Set(sight.assistantIds);
  const scopes = [...own].filter((id) => asked?.has(id) ?? true);
  if (asked?.size === scopes.length) return { orgId, scopes };
  const isMeant = (id: string | null) => (id === null ? !asked : !own.has(id) && (asked?.has(id) ?? true));
  return { orgId, scopes, single: { keys: personKeys(sight), isMeant } };
}

/** What leads to tickets that somebody sees for their own sake. */
const personKeys = ({ assignee, createdBy }: Exclude<Sight, { all: true }>) => [`assignee:${assignee.type}:${assignee.id}`, ...(createdBy ? [key.creator(createdBy)] : [])];

function statsOf({ cell, plan }: Sum, asOf: Date): Stats {
  const numbers = <T extends string>(counts: ReadonlyMap<string, number>, of: readonly T[]) => Object.fromEntries(of.map((one) => [one, counts.get(one) ?? 0])) as Record<T, number>;
  return {
    asOf: asOf.toISOString(),
    byStatus: numbers(cell.status, Status.options),
    byPriority: numbers(cell.priority, Priority.options),
    byAssistant: largest(cell.assistant, Infinity).map(([id, count]) => ({ id, count })),
    byAssignee: largest(cell.assignee, Infinity).map(([who, count]) => ({ ...assigneeOf(who, cell), count })),
    byTag: largest(cell.tag, mostTags).map(([tag, count]) => ({ tag, count })),
    openTags: largest(cell.openTag, mostOpen).map(([tag, count]) => ({ tag, count })),
    openWords: largest(cell.openWord, mostOpen).map(([word, count]) => ({ word, count })),
    days: plan.days.map((date) => ({ date, created: cell.created.get(date) ?? 0, resolved: cell.resolved.get(date) ?? 0 })),
    firstReply: durationOf(cell.firstReply),
    resolution: durationOf(cell.resolution),
  };
}

function assigneeOf(who: string, { names }: Cell): Assignee {
  const [type, id] = [who.slice(0, who.indexOf(':')) as Assignee['type'], who.slice(who.indexOf(':') + 1)];
  return { type, id, name: names.get(who)?.[1] ?? '' };
}

function durationOf(durations: Durations): DurationStats {
  const [medianMs = null, p90Ms = null] = percentiles(durations, [0.5, 0.9]);
  return { count: [...durations.values()].reduce((sum, count) => sum + count, 0), medianMs, p90Ms };
}
