import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { Database } from '#persistence';
import { longestMs, tooLong } from '../asking.js';
import type { Collections } from '../collections.js';
import { COLLECTIONS, STORE } from '../store.js';
import { key } from '../ticket-keys.js';
import type { TicketView } from '../ticket-view.projection.js';
import { factsOf, type Facts } from './cell.projection.js';
import { everything } from './cells.store.js';
import type { Interval } from './range.js';

/** A batch is worked on at one go while others wait for an answer: small where nobody waits for this one. */
const [smallBatch, largeBatch] = [100, 1_000];
/** Assistants whose tickets are looked up; those of more are picked from among all. */
const fewScopes = 8;
/** Tells the driver that reads of this kind may work as long as they need. */
const unlimited = 0;

/** Reads views one after the other, so that it takes no more memory for many of them. */
@Injectable()
export class CountedViews {
  private readonly views: mongoose.mongo.Collection<TicketView>;

  constructor(@Inject(STORE) { db }: Database, @Inject(COLLECTIONS) collections: Collections) {
    this.views = db.collection(collections.views);
  }

  /** Every ticket that was created on a day (UTC), in batches. */
  async *ofDay(orgId: string, day: string): AsyncGenerator<Facts[]> {
    const from = Date.parse(day);
    yield* this.found({ orgId, deleted: false, createdAt: created({ from, to: from + 86_400_000 }) }, 'byCreation', unlimited);
  }

  /** Tickets of scopes that were created in an interval. @throws ProblemError dependency-unavailable when that takes too long */
  async *created(orgId: string, scopes: readonly string[], interval: Interval): AsyncGenerator<Facts[]> {
    const filter = { orgId, deleted: false, createdAt: created(interval) };
    const isFew = scopes.length <= fewScopes && !scopes.includes(everything);
    if (isFew) yield* this.found({ ...filter, keys: { $in: scopes.map(key.assistant) } }, 'byKey');
    else yield* this.pickedFrom(filter, scopes);
  }

  private async *pickedFrom(filter: mongoose.mongo.Filter<TicketView>, scopes: readonly string[]): AsyncGenerator<Facts[]> {
    const wanted = new Set<string | null>(scopes);
    const isWanted = wanted.has(everything) ? () => true : ({ assistantId }: Facts) => wanted.has(assistantId);
    for await (const batch of this.found(filter, 'byCreation')) yield batch.filter(isWanted);
  }

  /** Tickets with one of these keys that were created in an interval. @throws as `created` */
  concerning(orgId: string, keys: readonly string[], interval: Interval): AsyncGenerator<Facts[]> {
    return this.found({ orgId, deleted: false, keys: { $in: keys }, createdAt: created(interval) }, 'byKey');
  }

  private async *found(filter: mongoose.mongo.Filter<TicketView>, hint: string, maxTimeMS: number = longestMs): AsyncGenerator<Facts[]> {
    const until = maxTimeMS === unlimited ? Infinity : performance.now() + maxTimeMS;
    const pace = maxTimeMS === unlimited ? { batchSize: smallBatch } : { batchSize: largeBatch, maxTimeMS };
    const cursor = this.views.find(filter, { projection: { ticket: 1 }, hint, ...pace });
    try {
      while (await cursor.hasNext()) {
        if (performance.now() > until) throw tooLong();
        yield (cursor.readBufferedDocuments() as TicketView[]).map(factsOf);
      }
    } finally {
      await cursor.close();
    }
  }
}

const created = ({ from, to }: Interval) => ({ $gte: new Date(from), $lt: new Date(to) });
