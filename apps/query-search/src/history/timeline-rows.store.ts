import type mongoose from 'mongoose';
import type { CommentKind } from '#contracts';
import { asking, longestMs } from '../asking.js';
import { rowId, type TimelineRow } from '../ticket-view.projection.js';

export type RowFilter = mongoose.mongo.Filter<TimelineRow>;

/** A ticket whose rows are read. */
export interface TicketKey {
  orgId: string;
  id: string;
}

/** Comments of a kind: how many, and when the first of them was written. */
export interface Said {
  _id: CommentKind;
  count: number;
  first: string;
}

/** Ten digits of a version hold no more. */
const lastVersion = 9_999_999_999;

/** A ticket's rows behind a version, up to another one. */
export const between = ({ orgId, id }: TicketKey, after: number, to = lastVersion): RowFilter => ({
  _id: { $gt: rowId(orgId, id, Math.max(after, 0)), $lte: rowId(orgId, id, to) },
});

/** A ticket's rows of these versions. */
export const ofVersions = ({ orgId, id }: TicketKey, versions: readonly number[]): RowFilter => ({
  _id: { $in: versions.map((version) => rowId(orgId, id, version)) },
});

/** Reads timeline rows, each ticket's in version order. Knows nothing of sight: who asks has looked at the ticket's view. */
export class TimelineRows {
  constructor(private readonly rows: mongoose.mongo.Collection<TimelineRow>) {}

  /** @param limit 0 for all */
  async find(filter: RowFilter, limit: number, projection: object): Promise<TimelineRow[]> {
    const options = { projection, limit, maxTimeMS: longestMs, sort: { _id: 1 } } as const;
    return asking(() => this.rows.find(filter, options).toArray());
  }

  /** What was said, counted by kind where the rows are; a status change's comment too. */
  async said(filter: RowFilter): Promise<Said[]> {
    const stages = [{ $match: { ...filter, kind: { $exists: true } } }, { $group: { _id: '$kind', count: { $sum: 1 }, first: { $min: '$at' } } }];
    return asking(() => this.rows.aggregate<Said>(stages, { hint: '_id_', maxTimeMS: longestMs }).toArray());
  }
}
