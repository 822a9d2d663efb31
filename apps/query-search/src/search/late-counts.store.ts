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
/** Counts at the same time, in one process. Each keeps the store busy with several queries: of many side by side none would be done in time. */
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

  /** From the entries that a plan leads to, by the statuses of their views that pass a filter. @param isShort whether those are few: then it is no matter how many do so at once */
  tally(plan: Plan, { viewFilter, isShort = false }: { viewFilter: object; isShort?: boolean }): Promise<Tally> {
    const count = async (left: TimeLeft): Promise<Tally> => {
      const ids = await idsOf(this.entries, plan, { limit: maxListDepth + 1, maxTimeMS: left() });
      const group = { $group: { _id: '$status', total: { $sum: 1 } } };
      const read = (some: string[]) =>
        this.views.aggregate<{ _id: Status; total: number }>([{ $match: { _id: { $in: some }, ...viewFilter } }, group], { hint: '_id_', maxTimeMS: left() }).toArray();
      const byStatus = new Map<Status, number>();
      for (const { _id, total } of (await inParts(ids, read)).flat()) byStatus.set(_id, (byStatus.get(_id) ?? 0) + total);
      return { byStatus, isWhole: ids.length <= maxListDepth };
    };
    return isShort ? count(timeLeft()) : this.inTurn(count);
  }

  /** Out of the entries that one plan leads to, as many as are among the views that another one leads to, which are 10,000 at most. Cheaper than asking for each by its id. */
  shared(entries: Plan, views: Plan): Promise<{ total: number; isWhole: boolean }> {
    return this.inTurn(async (left) => {
      const maxTimeMS = left();
      const [those, these] = await Promise.all([idsOf(this.entries, entries, { limit: maxListDepth + 1, maxTimeMS }), idsOf(this.views, views, { limit: maxListDepth, maxTimeMS })]);
      const passing = new Set(these);
      return { total: those.filter((id) => passing.has(id)).length, isWhole: those.length <= maxListDepth };
    });
  }

  /** From the views that a plan leads to, which are few: how many of them have an entry with the words. */
  async having(plan: Plan, said: readonly object[]): Promise<number> {
    const left = timeLeft();
    const ids = await idsOf(this.views, plan, { limit: maxListDepth, maxTimeMS: left() });
    const counts = await inParts(ids, (some) => this.entries.countDocuments({ _id: { $in: some }, $and: [...said] }, { hint: '_id_', maxTimeMS: left() }));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Waiting and counting together take no longer than a query may: whoever has waited so long is told so, and nothing is counted for them any more. @throws ProblemError dependency-unavailable */
  private inTurn<T>(count: (left: TimeLeft) => Promise<T>): Promise<T> {
    const left = timeLeft();
    const { promise: refused, reject } = Promise.withResolvers<never>();
    let isRefused = false;
    const timer = setTimeout(() => {
      isRefused = true;
      reject(tooLong());
    }, longestMs);
    const counted = this.turn(() => {
      clearTimeout(timer);
      return isRefused ? refused : count(left);
    });
    return Promise.race([counted, refused]);
  }
}

/** How many ms are left of what a query may take: all its parts together get no longer. */
type TimeLeft = () => number;

function timeLeft(): TimeLeft {
  const start = performance.now();
  return () => Math.max(1, Math.ceil(longestMs - (performance.now() - start)));
}

/** Ids of documents that a plan leads to, in no order. In one document: many small ones take several times as long to come. */
export async function idsOf<T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, { filter, hint }: Plan, { limit, maxTimeMS = longestMs }: { limit: number; maxTimeMS?: number }): Promise<string[]> {
  const stages = [{ $match: filter }, { $limit: limit }, { $group: { _id: null, ids: { $push: '$_id' } } }];
  const [found] = await asking(() => collection.aggregate<{ ids: string[] }>(stages, { hint, maxTimeMS }).toArray());
  return found?.ids ?? [];
}

const inParts = <R>(ids: readonly string[], read: (some: string[]) => Promise<R>): Promise<R[]> =>
  Promise.all(Array.from({ length: Math.ceil(ids.length / atOnce) }, (_, i) => asking(() => read(ids.slice(i * atOnce, (i + 1) * atOnce)))));
