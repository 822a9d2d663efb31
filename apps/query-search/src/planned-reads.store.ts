import { LRUCache } from 'lru-cache';
import mongoose from 'mongoose';
import { maxListDepth } from '#contracts';
import { asking } from './asking.js';
import { orders } from './list-order.js';
import { queryOf, type Condition, type Plan, type Query, type Wanted } from './list-plan.js';

/** No query works longer, ms. */
export const longestMs = 2_000;
/** A plan that gambles gets so long, ms: a good guess needs a fraction, and more than that costs less by the other plan. */
const gambleMs = 80;
/** How long a lost gamble is remembered, ms. */
const memoryMs = 60_000;
/** Totals above this many may be told again for a while: counting them is most of a list's cost. */
const exactUpTo = 1_000;
const oldestCountMs = 5_000;
/** Documents that make a condition common: how many more does not matter. */
const mostCounted = 10_000;

/** A number of tickets; counting stops at 10,000. */
export interface Count {
  total: number;
  isExact: boolean;
}

type Read<T> = (plan: Plan, maxTimeMS: number) => Promise<T>;

/** Runs queries by their plans and remembers what large counts came to. Knows nothing of access: who asks has made it part of the query. */
export class PlannedReads<T extends { _id: string }> {
  private readonly lostGambles = new LRUCache<string, true>({ max: 5_000, ttl: memoryMs });
  private readonly large = new LRUCache<string, { count: Count; at: number }>({ max: 5_000, ttl: memoryMs });
  private readonly counting = new Map<string, Promise<Count>>();
  private readonly sizes = new LRUCache<string, number>({ max: 20_000, ttl: memoryMs });

  constructor(private readonly documents: Pick<mongoose.mongo.Collection<T>, 'find' | 'countDocuments'>) {}

  /**
   * Conditions with how many documents each of those with an index leads to, as far as it matters and was counted lately. That decides how a query is
   * run, never what it answers: so it counts what the asker may not see, too.
   */
  async weighed(base: object, conditions: readonly Condition[]): Promise<Condition[]> {
    return Promise.all(conditions.map(async (one) => (one.lead ? { ...one, lead: { ...one.lead, size: await this.size(base, one) } } : one)));
  }

  /** Plans a query by how many documents its conditions lead to. */
  async plan(wanted: Wanted): Promise<Query> {
    return queryOf({ ...wanted, conditions: await this.weighed(wanted.base, wanted.conditions) });
  }

  private async size(base: object, { filter, lead }: Condition): Promise<number> {
    const { scope } = queryOf({ base, sort: '-createdAt', conditions: [{ filter }] });
    const known = this.sizes.get(scope);
    if (known !== undefined) return known;
    const size = await asking(() => this.documents.countDocuments({ ...base, ...filter } as never, { limit: mostCounted, hint: lead!.index, maxTimeMS: longestMs }));
    this.sizes.set(scope, size);
    return size;
  }

  /** Documents of a page in the list's order. */
  async find({ scope, sort, walk, led }: Query, { skip, limit }: { skip: number; limit: number }, projection: object): Promise<T[]> {
    const order = new Map(orders[sort].fields);
    const read: Read<T[]> = ({ filter, hint }, maxTimeMS) =>
      this.documents.find(filter, { projection, maxTimeMS, hint }).sort(order).skip(skip).limit(limit).toArray() as Promise<T[]>;
    if (!led) return asking(() => read(walk, longestMs));
    const gather = async () => read(led.isOrdered || (await this.isSortable(led)) ? led : walk, longestMs);
    if (led.isRare || (led.isOrdered && !led.isSkipping)) return asking(gather);
    return this.gamble(`find ${limit > exactUpTo} ${sort} ${scope}`, (ms) => read(walk, ms), gather, gambleMs + limit / 20);
  }

  /** Whether what a plan gathers is not too much to be sorted. */
  private async isSortable(plan: Plan): Promise<boolean> {
    return (await this.counted(plan, longestMs)) <= maxListDepth;
  }

  private counted({ filter, hint }: Plan, maxTimeMS: number): Promise<number> {
    return this.documents.countDocuments(filter, { limit: maxListDepth + 1, maxTimeMS, hint });
  }

  /** How many tickets there are. Where there are many, the newest seconds may be missing, and who asks meanwhile shares the answer. */
  async count(query: Query): Promise<Count> {
    const { scope } = query;
    const known = this.large.get(scope);
    if (known && Date.now() - known.at < oldestCountMs) return known.count;
    const shared = known && this.counting.get(scope);
    if (shared) return shared;
    const counting = this.countNow(query).finally(() => this.counting.delete(scope));
    this.counting.set(scope, counting);
    return counting;
  }

  /**
   * The order is no matter here. Tickets of one condition are counted one by one up to the limit. Those of several values are gathered
   * first; where there are too many for that, walking soon comes to the limit.
   */
  private async countNow({ scope, walk, led }: Query): Promise<Count> {
    const at = Date.now();
    const isSure = !led || led.isSingle;
    const found = await (isSure
      ? asking(() => this.counted(led ?? walk, longestMs))
      : this.gamble(`count ${scope}`, (ms) => this.counted(led, ms), () => this.counted(walk, longestMs)));
    const count = { total: Math.min(found, maxListDepth), isExact: found <= maxListDepth };
    if (found > exactUpTo) this.large.set(scope, { count, at });
    else this.large.delete(scope);
    return count;
  }

  /** Tries the first way for a moment, unless it lost to the second lately. */
  private async gamble<R>(memory: string, first: (ms: number) => Promise<R>, second: () => Promise<R>, stakeMs = gambleMs): Promise<R> {
    const isLost = this.lostGambles.has(memory);
    const tried = isLost ? undefined : await asking(() => this.inTime(first(stakeMs)));
    if (tried) return tried.value;
    const start = performance.now();
    const value = await asking(second);
    // Where both are slow the store is busy, and the first may be the better one all the same.
    if (performance.now() - start < gambleMs) this.lostGambles.set(memory, true);
    else this.lostGambles.delete(memory);
    return value;
  }

  /** Undefined when time was up. */
  private async inTime<R>(reading: Promise<R>): Promise<{ value: R } | undefined> {
    try {
      return { value: await reading };
    } catch (error) {
      if (error instanceof mongoose.mongo.MongoServerError && error.code === timeIsUp) return undefined;
      throw error;
    }
  }
}

/** `MaxTimeMSExpired` */
const timeIsUp = 50;
