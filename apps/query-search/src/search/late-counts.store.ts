import type mongoose from 'mongoose';
import pLimit from 'p-limit';
import { maxListDepth, Status } from '#contracts';
import { asking, longestMs, tooLong } from '../asking.js';
import type { Count } from '../large-counts.js';
import type { Plan } from '../list-plan.js';
import type { TicketView } from '../ticket-view.projection.js';
import type { SearchEntry } from './search-entry.projection.js';

/** What tickets with the words came to, out of at most 10,000 of them. */
export interface Tally {
  byStatus: ReadonlyMap<Status, number>;
  /** Whether there are no others. */
  isWhole: boolean;
}

/** Tickets of some statuses in a tally. */
export function countIn({ byStatus, isWhole }: Tally, statuses: readonly Status[] = Status.options): Count {
  const total = [...new Set(statuses)].reduce((sum, one) => sum + (byStatus.get(one) ?? 0), 0);
  return { total: Math.min(total, maxListDepth), isExact: isWhole };
}

/** Documents that are asked about with one query. */
const atOnce = 1_000;
/** Counts at the same time. Each keeps the store busy with several queries: of many side by side none would be done in time. */
const mostCounting = 2;

/**
 * Counts tickets by what entries and views say together: ids of one side are asked of the other. A join in the store, which goes from one document to the next,
 * takes twice as long.
 */
export class LateCounts {
  private readonly turn = pLimit(mostCounting);

  constructor(
    private readonly entries: mongoose.mongo.Collection<SearchEntry>,
    private readonly views: mongoose.mongo.Collection<TicketView>,
  ) {}

  /** From the entries that a plan leads to, by the statuses of their views that pass a filter. */
  tally(plan: Plan, viewFilter: object): Promise<Tally> {
    return this.inTurn(async (inTime) => {
      const ids = await idsOf(this.entries, plan, maxListDepth + 1);
      const group = { $group: { _id: '$status', total: { $sum: 1 } } };
      const read = (some: string[]) =>
        this.views.aggregate<{ _id: Status; total: number }>([{ $match: { _id: { $in: some }, ...viewFilter } }, group], inTime()).toArray();
      const byStatus = new Map<Status, number>();
      for (const { _id, total } of (await inParts(ids, read)).flat()) byStatus.set(_id, (byStatus.get(_id) ?? 0) + total);
      return { byStatus, isWhole: ids.length <= maxListDepth };
    });
  }

  /** Out of the entries that one plan leads to, as many as are among the views that another one leads to, which are 10,000 at most. Cheaper than asking for each by its id. */
  shared(entries: Plan, views: Plan): Promise<{ total: number; isWhole: boolean }> {
    return this.inTurn(async () => {
      const [those, these] = await Promise.all([idsOf(this.entries, entries, maxListDepth + 1), idsOf(this.views, views, maxListDepth)]);
      const passing = new Set(these);
      return { total: those.filter((id) => passing.has(id)).length, isWhole: those.length <= maxListDepth };
    });
  }

  /** From the views that a plan leads to, which are 10,000 at most: how many of them have an entry with the words. */
  having(plan: Plan, said: readonly object[]): Promise<number> {
    return this.inTurn(async (inTime) => {
      const ids = await idsOf(this.views, plan, maxListDepth);
      const counts = await inParts(ids, (some) => this.entries.countDocuments({ _id: { $in: some }, $and: [...said] }, inTime()));
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  /** Nobody waits longer for their turn than a query may take, nor begins then what nobody waits for. @throws ProblemError dependency-unavailable */
  private inTurn<T>(count: (inTime: ReturnType<typeof deadline>) => Promise<T>): Promise<T> {
    const askedAt = performance.now();
    return this.turn(() => {
      if (performance.now() - askedAt > longestMs) throw tooLong();
      return count(deadline());
    });
  }
}

/** Both halves together get no longer than a query. */
function deadline() {
  const start = performance.now();
  return () => ({ hint: '_id_', maxTimeMS: Math.max(1, Math.ceil(longestMs - (performance.now() - start))) });
}

/** Ids of documents that a plan leads to, in no order. In one document: many small ones take several times as long to come. */
export async function idsOf<T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, { filter, hint }: Plan, limit: number): Promise<string[]> {
  const stages = [{ $match: filter }, { $limit: limit }, { $group: { _id: null, ids: { $push: '$_id' } } }];
  const [found] = await asking(() => collection.aggregate<{ ids: string[] }>(stages, { hint, maxTimeMS: longestMs }).toArray());
  return found?.ids ?? [];
}

const inParts = <R>(ids: readonly string[], read: (some: string[]) => Promise<R>): Promise<R[]> =>
  Promise.all(Array.from({ length: Math.ceil(ids.length / atOnce) }, (_, i) => asking(() => read(ids.slice(i * atOnce, (i + 1) * atOnce)))));
