import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import type { Principal, TicketFilters } from '#contracts';
import type { Database } from '#persistence';
import { asking } from '../asking.js';
import { collections } from '../collections.js';
import { compare, positionOf } from '../list-order.js';
import { priorityRank, type TicketView } from '../ticket-view.projection.js';
import { sightKeys } from '../ticket-keys.js';
import { longestMs } from '../planned-reads.store.js';
import type { Hit, Piece, Question } from './search.port.js';

/** What only views know of a ticket that matches: it changes too often to be kept beside its words. */
export type Facts = Pick<TicketView, '_id' | 'status' | 'priority' | 'createdAt' | 'updatedAt' | 'number'>;

/** What was found, newest first, and whether that is all of it. */
export interface Found {
  matching: Facts[];
  isAll: boolean;
}

const projection = { status: 1, priority: 1, createdAt: 1, updatedAt: 1, number: 1 };
/** Views read with one query. */
const chunk = 1_000;
/** So long large answers are shared, ms: who pages, types on or counts by status asks for the same again. */
const sharedMs = 2_000;
const [sharedFrom, mostShared] = [1_000, 40_000];

/** Reads what views say of search entries, as they are now and as far as the principal sees them. */
export class ViewFacts {
  private readonly views: mongoose.mongo.Collection<TicketView>;
  private readonly asked = new Map<string, Promise<Found>>();
  private readonly large = new LRUCache<string, Found>({ ttl: sharedMs, maxSize: mostShared, sizeCalculation: ({ matching }) => Math.max(1, matching.length) });

  constructor(db: Database['db']) {
    this.views = db.collection(collections.views);
  }

  /** Facts of these tickets in their order; of those deleted or out of sight by now none. */
  async of(principal: Principal, entries: readonly { _id: string }[]): Promise<Facts[]> {
    const keys = sightKeys(principal);
    const ids = entries.map(({ _id }) => _id);
    const chunks = Array.from({ length: Math.ceil(ids.length / chunk) }, (_, i) => ids.slice(i * chunk, (i + 1) * chunk));
    const sighted = { deleted: false, ...(keys && { keys: { $in: keys } }) };
    const read = (some: string[]) => asking(() => this.views.find({ _id: { $in: some }, ...sighted }, { projection, hint: '_id_', maxTimeMS: longestMs }).toArray());
    const found = new Map((await Promise.all(chunks.map(read))).flat().map((facts) => [facts._id, facts]));
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** Reads once for all who ask the same meanwhile; what was much is kept for a moment. */
  async shared(scope: string, read: () => Promise<Found>): Promise<Found> {
    const known = this.large.get(scope) ?? this.asked.get(scope);
    if (known) return known;
    const reading = read().finally(() => this.asked.delete(scope));
    this.asked.set(scope, reading);
    const found = await reading;
    if (found.matching.length > sharedFrom) this.large.set(scope, found);
    return found;
  }
}

/** Of facts those that pass the filters only views know, in the order asked for; a piece of them where one is given. */
export function judged(facts: readonly Facts[], { sort, filters }: Question, { from, skip, limit }: Piece = { skip: 0, limit: Infinity }): Hit[] {
  const hits = facts
    .filter(passes(filters))
    .sort((one, other) => compare(sort, positionOf(sort, one), positionOf(sort, other)))
    .map((one) => ({ id: one._id, position: positionOf(sort, one) }));
  return (from ? hits.filter(({ position }) => compare(sort, position, from) > 0) : hits).slice(skip, skip + limit);
}

function passes({ status, priority, updatedFrom, updatedTo }: Omit<TicketFilters, 'q'>): (facts: Facts) => boolean {
  const ranks = priority?.map(priorityRank);
  const [from, to] = [updatedFrom === undefined ? -Infinity : Date.parse(updatedFrom), updatedTo === undefined ? Infinity : Date.parse(updatedTo)];
  return (facts) =>
    (!status || status.includes(facts.status)) && (!ranks || ranks.includes(facts.priority)) && facts.updatedAt.getTime() >= from && facts.updatedAt.getTime() < to;
}
