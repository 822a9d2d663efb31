import type mongoose from 'mongoose';
import { maxListDepth, Status } from '#contracts';
import { asking } from '../asking.js';
import type { Count } from '../large-counts.js';
import type { Plan } from '../list-plan.js';
import { longestMs } from '../planned-reads.store.js';
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

/** Counts tickets by what entries and views say together. */
export class LateCounts {
  constructor(
    private readonly entries: mongoose.mongo.Collection<SearchEntry>,
    private readonly views: mongoose.mongo.Collection<TicketView>,
  ) {}

  /** From the entries that a plan leads to, by the statuses of their views that pass a filter. */
  async tally({ filter, hint }: Plan, viewFilter: object): Promise<Tally> {
    const stages = [
      { $match: filter },
      { $limit: maxListDepth + 1 },
      { $project: { _id: 1 } },
      joined(this.views, [{ $match: viewFilter }, { $project: { status: 1 } }]),
      { $group: { _id: { $arrayElemAt: ['$found.status', 0] }, total: { $sum: 1 } } },
    ];
    const sums = await asking(() => this.entries.aggregate<{ _id?: Status | null; total: number }>(stages, { hint, maxTimeMS: longestMs }).toArray());
    const looked = sums.reduce((sum, { total }) => sum + total, 0);
    return { byStatus: new Map(sums.flatMap(({ _id, total }) => (_id ? [[_id, total] as const] : []))), isWhole: looked <= maxListDepth };
  }

  /** From the views that a plan leads to, which are few: how many of them have an entry with the words. */
  async having({ filter, hint }: Plan, said: readonly object[]): Promise<number> {
    const stages = [
      { $match: filter },
      { $limit: maxListDepth },
      { $project: { _id: 1 } },
      joined(this.entries, [{ $match: { $and: said } }, { $project: { _id: 1 } }]),
      { $group: { _id: null, total: { $sum: { $size: '$found' } } } },
    ];
    const [sum] = await asking(() => this.views.aggregate<{ total: number }>(stages, { hint, maxTimeMS: longestMs }).toArray());
    return sum?.total ?? 0;
  }
}

const joined = <T extends object>({ collectionName: from }: mongoose.mongo.Collection<T>, pipeline: object[]) => ({
  $lookup: { from, localField: '_id', foreignField: '_id', as: 'found', pipeline },
});
