import { LRUCache } from 'lru-cache';
import mongoose from 'mongoose';
import { maxListDepth } from '#contracts';
import { asking } from './asking.js';
import { orders } from './list-order.js';
import type { Plan, Query } from './list-plan.js';
import type { TicketView } from './ticket-view.projection.js';

type Views = mongoose.mongo.Collection<TicketView>;

/** No query works longer, ms. */
export const longestMs = 2_000;
/** A plan that gambles gets so long, ms: a good guess needs a fraction, and more than that costs less by the other plan. */
const gambleMs = 80;
/** How long a lost gamble is remembered, ms. */
const memoryMs = 60_000;
/** Totals above this many may be told again for a while: counting them is most of a list's cost. */
const exactUpTo = 1_000;
const oldestCountMs = 5_000;

/** Words of one search whose rarity is looked up, and how many tickets make a word common. */
const mostProbed = 4;
const commonFrom = 1_000;

/** A number of tickets; counting stops at 10,000. */
export interface Count {
  total: number;
  isExact: boolean;
}

/** Runs queries by their plans and remembers what large counts came to. Knows nothing of access: its one user is `TicketViewStore`. */
export class PlannedReads {
  private readonly lostGambles = new LRUCache<string, true>({ max: 5_000, ttl: memoryMs });
  private readonly words = new LRUCache<string, number>({ max: 20_000, ttl: memoryMs });
  private readonly counts = new LRUCache<string, Count>({ max: 5_000, ttl: oldestCountMs });

  constructor(private readonly views: Views) {}

  /** Tickets of a page in the list's order. */
  async find(query: Query, { skip, limit }: { skip: number; limit: number }, projection: object): Promise<TicketView[]> {
    const sort = new Map(orders[query.sort].fields);
    return this.run(query, ({ filter, hint }, maxTimeMS) =>
      this.views.find(filter, { projection, maxTimeMS, hint }).sort(sort).skip(skip).limit(limit).toArray(),
    );
  }

  /** How many tickets there are, of which the newest seconds may be missing where there are many. */
  async count(query: Query): Promise<Count> {
    const told = this.counts.get(query.scope);
    if (told) return told;
    const found = await this.run(query, ({ filter, hint }, maxTimeMS) => this.views.countDocuments(filter, { limit: maxListDepth + 1, maxTimeMS, hint }));
    const count = { total: Math.min(found, maxListDepth), isExact: found <= maxListDepth };
    if (found > exactUpTo) this.counts.set(query.scope, count);
    return count;
  }

  /** Words of a search, the rarest first, as far as it matters and was seen lately. */
  async rarestFirst(orgId: string, words: readonly string[]): Promise<string[]> {
    if (words.length < 2) return [...words];
    const probed = [...words].sort((one, other) => other.length - one.length).slice(0, mostProbed);
    const counts = await Promise.all(probed.map((word) => this.commonness(orgId, word)));
    const rarest = probed[counts.indexOf(Math.min(...counts))]!;
    return [rarest, ...words.filter((word) => word !== rarest)];
  }

  /** Decides how a query is run, never what it answers: so it looks at tickets that the asker may not see. */
  private async commonness(orgId: string, word: string): Promise<number> {
    const known = this.words.get(`${orgId}/${word}`);
    if (known !== undefined) return known;
    const options = { limit: commonFrom, hint: 'byWord', maxTimeMS: longestMs };
    const count = await asking(() => this.views.countDocuments({ orgId, tokens: word }, options));
    this.words.set(`${orgId}/${word}`, count);
    return count;
  }

  private async run<T>({ plans, scope, sort }: Query, read: (plan: Plan, maxTimeMS: number) => Promise<T>): Promise<T> {
    const memory = `${sort} ${scope}`;
    const [first, second] = plans;
    if (!second) return asking(() => read(first, longestMs));
    if (this.lostGambles.has(memory)) return asking(() => read(second, longestMs));
    try {
      return await read(first, gambleMs);
    } catch (error) {
      if (!(error instanceof mongoose.mongo.MongoServerError) || error.code !== timeIsUp) return asking(() => Promise.reject(error as Error));
      this.lostGambles.set(memory, true);
      return asking(() => read(second, longestMs));
    }
  }
}

/** `MaxTimeMSExpired` */
const timeIsUp = 50;
