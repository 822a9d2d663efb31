import { Injectable } from '@nestjs/common';
import { Priority, Status, type Assignee, type DurationStats, type Principal, type Stats, type StatsQuery } from '#contracts';
import { lacks, sightOf, type Sight } from '#domain';
import type { GroupProgress } from '#messaging';
import { InFlight, ProblemError } from '#observability';
import { asking } from '../asking.js';
import { key } from '../ticket-keys.js';
import { addBody, addCreated, addResolvedDays, dayOf, emptyCell, instantsIn, largest, none, type Cell, type Facts } from './cell.projection.js';
import { Cells, everything, personScope, type CellDocument, type Kind, type Part } from './cells.store.js';
import { CountedViews } from './counted-views.store.js';
import { percentiles, type Durations } from './durations.projection.js';
import { Marks } from './marks.store.js';
import { daysOf, isIn, monthOf, planOf, type Interval, type Periods, type RangePlan } from './range.js';

/** Tags of an answer, and of what is open just now. */
const [mostTags, mostOpen] = [1_000, 20];

/** What a principal sees of what was asked for. */
interface Share {
  orgId: string;
  /** Scopes whose tickets are theirs whole. */
  scopes: string[];
  /** Somebody's own tickets: of which assistants they are meant, those of the scopes being counted already, and the keys that lead to them. */
  own?: { scope: string; isMeant: (part: string) => boolean; keys: string[] };
}

/** An answer that is being added up. */
interface Sum {
  share: Share;
  plan: RangePlan;
  cell: Cell;
}

type Progress = Pick<GroupProgress, 'asOf'>;

/** Answers questions for statistics from the cells, and from views on days that are not asked for whole. */
@Injectable()
export class StatsReader {
  /** Who asks the same meanwhile gets the same answer: it says as of when it is. */
  private readonly answering = new InFlight<Stats>();
  private progress: Progress | undefined;

  constructor(
    private readonly cells: Cells,
    private readonly views: CountedViews,
    private readonly marks: Marks,
  ) {}

  /** From now on answers say how far the views are, too. */
  follow(progress: Progress): void {
    this.progress = progress;
  }

  /** Numbers of the tickets that the principal sees. @throws ProblemError forbidden, dependency-unavailable */
  async stats(principal: Principal, { from, to, assistantId }: StatsQuery): Promise<Stats> {
    const missing = lacks(principal, 'read');
    if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
    return this.answering.share(JSON.stringify([principal, from, to, assistantId]), () => asking(async () => {
      const share = shareOf(principal, assistantId);
      const now = Date.now();
      const asOf = await this.asOf(share.orgId, now); // before anything else is read: it holds for all of that
      const sum = { share, plan: planOf({ from: Date.parse(from), to: Date.parse(to) }, now), cell: emptyCell() };
      await Promise.all([this.addCells(sum), this.addEdges(sum)]);
      return statsOf(sum, asOf);
    }));
  }

  private async asOf(orgId: string, now: number): Promise<Date> {
    const oldest = await this.marks.oldest(orgId);
    return new Date(Math.min(now, this.progress?.asOf ?? now, oldest?.getTime() ?? now));
  }

  private async addCells({ share, plan, cell }: Sum): Promise<void> {
    const { earlier, months, loose, whole, edges } = plan;
    const [before, within, ...days] = await Promise.all([
      this.read('months', share, earlier, ['resolved']),
      this.read('months', share, months, ['resolved', 'body']),
      ...loose.map((periods) => this.read('days', share, periods, ['resolved', 'body'])),
    ]);
    const found = [...before, ...within, ...days.flat()];
    for (const { scope, resolved } of found) addResolvedDays(resolved, placeIn(cell, share, scope));
    for (const { scope, body } of [...within, ...days.flat().filter(({ period }) => isIn(whole, period))]) addBody(body, placeIn(cell, share, scope));
    for (const edge of edges) cell.resolved.set(dayOf(edge.from), await this.resolvedIn(share, edge, found));
  }

  private read(kind: Kind, { orgId, scopes, own }: Share, periods: Periods, parts: readonly Part[]): Promise<CellDocument[]> {
    return this.cells.read(kind, { orgId, scopes: own ? [...scopes, own.scope] : scopes, periods, parts });
  }

  /** On a day that is not counted whole, looks when exactly tickets were resolved: where cells tell that some were. */
  private async resolvedIn(share: Share, { from, to }: Interval, found: readonly CellDocument[]): Promise<number> {
    const telling = found.filter(({ resolved }) => resolved?.includes(`"${dayOf(from)}"`));
    const scopesIn = new Map<string, Set<string>>();
    for (const { scope, period } of telling) scopesIn.set(monthOf(period), (scopesIn.get(monthOf(period)) ?? new Set()).add(scope));
    const { orgId } = share;
    const days = await Promise.all([...scopesIn].map(([month, scopes]) => this.cells.read('days', { orgId, scopes: [...scopes], periods: daysOf(month), parts: ['instants'] })));
    const instants = days.flat().flatMap(({ scope, instants: stored }) => instantsIn(stored, (part) => isMeant(share, scope, part)));
    return instants.filter((at) => at >= from && at < to).length;
  }

  /** Tickets created on days that are not counted whole. */
  private async addEdges({ share: { orgId, scopes, own }, plan: { edges }, cell }: Sum): Promise<void> {
    for (const edge of edges) {
      if (scopes.length > 0) for await (const batch of this.views.created(orgId, scopes, edge)) addAll(cell, batch);
      if (own) for await (const batch of this.views.concerning(orgId, own.keys, edge)) addAll(cell, batch.filter(({ assistantId }) => own.isMeant(assistantId ?? none)));
    }
  }
}

function addAll(cell: Cell, batch: readonly Facts[]) {
  for (const facts of batch) addCreated(cell, facts);
}

const isMeant = ({ own }: Share, scope: string, part: string) => own?.scope !== scope || own.isMeant(part);

const placeIn = (cell: Cell, share: Share, scope: string) => (part: string) => (isMeant(share, scope, part) ? cell : undefined);

/** @param wanted assistants that were asked for; undefined for all tickets */
function shareOf(principal: Principal, wanted?: readonly string[]): Share {
  const { orgId } = principal;
  const sight = sightOf(principal);
  const asked = wanted && new Set(wanted);
  if (sight.all) return { orgId, scopes: asked ? [...asked] : [everything] };
  const theirs = new Set(sight.assistantIds);
  const scopes = [...theirs].filter((id) => asked?.has(id) ?? true);
  if (asked?.size === scopes.length) return { orgId, scopes };
  const isMeant = (part: string) => !theirs.has(part) && (asked?.has(part) ?? true);
  return { orgId, scopes, own: { scope: personScope(sight.assignee), isMeant, keys: personKeys(sight) } };
}

/** What leads to somebody's own tickets. */
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
