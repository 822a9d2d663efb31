import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { addMissing, guarded, type Database } from '#persistence';
import { oneByOne, STORE } from '../store.js';
import type { TicketFacts } from './condition.policy.js';
import type { EndedWork, NeedyTicket } from './ticket-course.projection.js';

/** Rehearsals look back so far, seconds. */
const keptSeconds = 180 * 86_400;

interface StoredNeed {
  /** organisation/ticket/version */
  _id: string;
  orgId: string;
  ticketId: string;
  /** When it began. */
  at: Date;
  /** When the ticket was work no more. */
  doneAt: Date | null;
  former: string | null;
  /** JSON text */
  facts: string;
}

/** A need of the past. */
export interface PastNeed {
  ticketId: string;
  at: Date;
  doneAt: Date | null;
  former: string | null;
  facts: TicketFacts;
}

/** When tickets needed somebody, for rehearsals. */
@Injectable()
export class NeedsLog {
  private readonly needs: mongoose.mongo.Collection<StoredNeed>;

  constructor(@Inject(STORE) { db }: Database) {
    this.needs = db.collection('needs');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.needs.createIndexes([{ key: { orgId: 1, at: 1, _id: 1 } }, { key: { orgId: 1, ticketId: 1 } }, { key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** Adds needs, those that are there stay, and notes when their tickets were done. @throws StoreFault */
  async note(begun: readonly NeedyTicket[], ended: readonly EndedWork[]): Promise<void> {
    const documents = begun.map(({ orgId, ticketId, facts, need: { version, at, former } }) => ({ _id: `${orgId}/${ticketId}/${version}`, orgId, ticketId, at: new Date(at), doneAt: null, former, facts: JSON.stringify(facts) }));
    await addMissing(this.needs, [...new Map(documents.map((document) => [document._id, document])).values()]);
    const done = ended.map(({ orgId, ticketId, at }) => ({ updateMany: { filter: { orgId, ticketId, doneAt: null, at: { $lte: new Date(at) } }, update: { $set: { doneAt: new Date(at) } } } }));
    if (done.length > 0) await guarded(() => this.needs.bulkWrite(done));
  }

  /** Needs that began in a stretch of time, oldest first, read as they are asked for: tickets may be large. Iterating throws StoreFault. */
  async *between(orgId: string, { from, to }: { from: string; to: string }, limit: number): AsyncGenerator<PastNeed> {
    const found = this.needs.find({ orgId, at: { $gte: new Date(from), $lt: new Date(to) } }, { batchSize: 25 });
    for await (const { ticketId, at, doneAt, former, facts } of oneByOne(found.sort({ at: 1, _id: 1 }).limit(limit))) {
      yield { ticketId, at, doneAt, former, facts: JSON.parse(facts) as TicketFacts };
    }
  }
}
