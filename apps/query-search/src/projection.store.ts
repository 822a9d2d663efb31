import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { addMissing, type Database, duplicates, guarded, type Put, putNewer } from '#persistence';
import { Arrivals } from './arrivals.js';
import { prepareViews, type Collections } from './collections.js';
import type { TicketDeadlinesView } from './deadlines.projection.js';
import type { SearchEntry } from './search/search-entry.projection.js';
import { Vocabulary } from './search/vocabulary.store.js';
import { COLLECTIONS, STORE } from './store.js';
import type { TicketView, TimelineRow } from './ticket-view.projection.js';

/** What the projectors write. Reads for people are `TicketViewStore`'s. Every operation may come again, late, or from two instances at once. */
@Injectable()
export class ProjectionStore {
  private readonly views: mongoose.mongo.Collection<TicketView>;
  private readonly timeline: mongoose.mongo.Collection<TimelineRow>;
  private readonly search: mongoose.mongo.Collection<SearchEntry>;
  private preparation: Promise<void> | undefined;

  constructor(
    @Inject(STORE) private readonly store: Database,
    @Inject(COLLECTIONS) private readonly collections: Collections,
    private readonly arrivals: Arrivals,
    private readonly vocabulary: Vocabulary,
  ) {
    this.views = store.db.collection(collections.views);
    this.timeline = store.db.collection(collections.timeline);
    this.search = store.db.collection(collections.search);
  }

  /** Makes the indexes once per process. Queries name them, so nothing is written or read before. @throws StoreFault */
  async prepare(): Promise<void> {
    this.preparation ??= this.prepareAll().catch((error: unknown) => {
      this.preparation = undefined;
      throw error;
    });
    await this.preparation;
  }

  private async prepareAll(): Promise<void> {
    await prepareViews(this.store, this.collections);
    await this.vocabulary.prepare();
  }

  /** Versions of the views that are stored, by `_id`. @throws StoreFault */
  async versions(ids: readonly string[]): Promise<Map<string, number>> {
    const found = await readAll(this.views, ids, { version: 1 });
    return new Map(found.map(({ _id, version }) => [_id, version]));
  }

  /** What is known of tickets for searching, by `_id`. @throws StoreFault */
  async heard(ids: readonly string[]): Promise<Map<string, SearchEntry>> {
    const found = await readAll(this.search, ids, { version: 1, said: 1, noted: 1 });
    return new Map(found.map((entry) => [entry._id, entry]));
  }

  /** Adds rows that are not there yet, and answers the others. @throws StoreFault */
  async append(rows: readonly TimelineRow[]): Promise<TimelineRow[]> {
    return addMissing(this.timeline, rows);
  }

  /** Stores views; none ever replaces a newer one. @throws StoreFault */
  async putViews(views: readonly Put<TicketView>[]): Promise<void> {
    await putNewer(this.views, views, { beside: true });
    this.arrivals.announce(views.map(({ document }) => document._id));
  }

  /**
   * Stores the deadlines of tickets beside what their events say; none ever replaces a newer one. Of a ticket whose first event has not come there is nothing else then,
   * and nobody finds it.
   * @throws StoreFault
   */
  async putDeadlines(tickets: readonly TicketDeadlinesView[]): Promise<void> {
    if (tickets.length === 0) return;
    const writes = [...tickets].sort((one, other) => (one._id < other._id ? -1 : 1)).map(({ _id, deadlinesRevision, ...view }) => ({
      updateOne: {
        filter: { _id, deadlinesRevision: { $not: { $gte: deadlinesRevision } } },
        update: { $set: { deadlinesRevision, ...set(view) }, $unset: unset(view), $setOnInsert: { version: 0 } } as never,
        upsert: true,
      },
    }));
    const met = await this.write(writes);
    // The document of its key is there: it has a newer one, or the ticket's first event has brought it just now; the guard decides.
    if (met.length > 0) await this.write(met.map((i) => ({ updateOne: { ...writes[i]!.updateOne, upsert: false } })));
  }

  /** @returns the places of those that met a document of their key */
  private write(writes: mongoose.mongo.AnyBulkWriteOperation<TicketView>[]): Promise<number[]> {
    return guarded(() => this.views.bulkWrite(writes, { ordered: false }).then(() => [], duplicates));
  }

  /** Stores what tickets are found by; nothing ever replaces a newer one. @throws StoreFault */
  async putEntries(entries: readonly Put<SearchEntry>[]): Promise<void> {
    await this.vocabulary.note(entries.map(({ document }) => document));
    await putNewer(this.search, entries);
  }
}

type Fields = Omit<TicketDeadlinesView, '_id' | 'deadlinesRevision'>;
const set = (fields: Fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
const unset = (fields: Fields) => Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === null ? [[name, '']] : [])));

async function readAll<T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, ids: readonly string[], projection: object): Promise<T[]> {
  if (ids.length === 0) return [];
  const filter = { _id: { $in: ids } } as mongoose.mongo.Filter<T>;
  return guarded(() => collection.find(filter, { projection }).toArray()) as Promise<T[]>;
}
