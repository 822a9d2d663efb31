import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#persistence';
import type { Collections } from '../collections.js';
import { TimelineRows } from '../history/timeline-rows.store.js';
import { COLLECTIONS, STORE } from '../store.js';
import { rowId, type TimelineRow } from '../ticket-view.projection.js';
import { FeedStore, type Found } from './feed.store.js';
import type { Place } from './feed-places.js';

/** A page ends behind the event with which it is larger, bytes: many readers may be told the same page at once. */
const mostBytes = 512 * 1024;

/** An event of a feed: its entry, the place behind it, and its row. */
export interface Fed extends Found {
  row: TimelineRow;
}

/** Reads feeds with the rows of one generation. Knows nothing of rights: who asks has looked at them. */
@Injectable()
export class FeedReader {
  private readonly rows: TimelineRows;

  constructor(
    private readonly feed: FeedStore,
    @Inject(STORE) { db }: Database,
    @Inject(COLLECTIONS) collections: Collections,
  ) {
    this.rows = new TimelineRows(db.collection(collections.timeline));
  }

  /** Events behind a place, in order, up to the first that this generation has not come to. @throws ProblemError dependency-unavailable */
  async after(orgId: string, place: Place, limit: number): Promise<Fed[]> {
    const found = await this.feed.after(orgId, place, limit);
    const ids = found.map(({ entry }) => rowId(orgId, entry.ticketId, entry.version));
    const rows = ids.length === 0 ? [] : await this.rows.find({ _id: { $in: ids } }, 0, { version: 1, type: 1, at: 1, kind: 1, item: 1 });
    const byId = new Map(rows.map((row) => [row._id, row]));
    const fed: Fed[] = [];
    for (let [i, bytes] = [0, 0]; i < found.length && bytes < mostBytes; i++) {
      const row = byId.get(ids[i]!);
      if (row === undefined) break;
      bytes += row.item.length;
      fed.push({ ...found[i]!, row });
    }
    return fed;
  }
}
