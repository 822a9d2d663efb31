import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import { maxListDepth } from '#contracts';
import { asking, longestMs } from './asking.js';
import { Documents, type Asked, type Slice } from './documents.store.js';
import { gambleMs, Gambles } from './gambles.js';
import { keptLately } from './kept-lately.js';
import { LargeCounts, type Count } from './large-counts.js';
import type { Condition } from './list-conditions.js';
import { merged, orders, type SortField } from './list-order.js';
import { queryOf, rareUpTo, type Plan, type Query, type Wanted } from './list-plan.js';
import type { TicketView } from './ticket-view.projection.js';
import { Weights } from './weights.store.js';

/** How long totals are remembered where it matters how much there is, ms, and moments that lay far into lists. */
const [memoryMs, milestoneMs] = [60_000, 600_000];
/** Totals above this many may be told again for a while: counting them is most of a list's cost. */
const exactUpTo = 1_000;
/** Each of several ways reads so many documents at most: all but so many are thrown away when they are merged. */
const mostMerged = 1_100;
/** Up to so many ways cost less than walking, whatever is met on the way. */
const fewWays = 8;
/** So few tickets are all gathered by the index that finds what meets several conditions on it, and sorted here. */
const mostGathered = rareUpTo;
/** What it takes to sort. */
const placing: Record<Exclude<SortField, '_id'>, 1> = { createdAt: 1, updatedAt: 1, priority: 1, number: 1, dueAt: 1 };

/** A part of a list, as far as it is known where that lies. */
interface Stretch extends Slice {
  /** How many come before the place where it begins, where that is known: few are soon passed over. */
  passed?: number | undefined;
}

type Divided = NonNullable<Query['led']> & { ways: readonly Plan[] };
const isMerged = (led: NonNullable<Query['led']>, { skip, limit }: Slice): led is Divided => led.ways !== undefined && skip + limit <= mostMerged;

/** Whether what is wanted stands near the beginning of what leads to it, in its order. */
function isSoon(led: NonNullable<Query['led']>, piece: Stretch): boolean {
  if (led.isSkipping && (piece.passed ?? Infinity) > mostMerged) return false;
  return led.isOrdered || (isMerged(led, piece) && led.ways.length <= fewWays);
}

/** Whether nothing is quicker to count by. Entries of words are passed over twenty times as quickly as documents are looked at, even where many words begin alike. */
const isSure = ({ isSingle, isRare, ways, hint }: NonNullable<Query['led']>) => isSingle || isRare || ways !== undefined || hint === 'byWord';

const within = ({ filter, hint }: Plan, field: string, range: object): Plan => ({ filter: { ...filter, [field]: range }, hint });

type Read<T> = (plan: Plan, maxTimeMS: number) => Promise<T>;

/** Runs queries by their plans and remembers what large counts came to. Knows nothing of access: who asks has made it part of the query. */
export class PlannedReads<T extends { _id: string }> {
  private readonly documents: Documents<T>;
  private readonly weights: Weights<T>;
  private readonly gambles = new Gambles();
  private readonly large = new LargeCounts(exactUpTo);
  /** What was found lately, where it matters how much it is. */
  private readonly totals = keptLately<number>(20_000, memoryMs);
  /** Moments that lay far into lists, one for each stride. */
  private readonly milestones = new LRUCache<string, Date>({ max: 5_000, ttl: milestoneMs });

  /** @param stride so far into a list that leaves nothing out, what comes before a page is counted, not passed over */
  constructor(
    db: mongoose.mongo.Db,
    collection: string,
    private readonly stride = 1_000,
  ) {
    this.documents = new Documents(db, collection);
    this.weights = new Weights(this.documents);
  }

  /**
   * Conditions with how many documents each of those with an index leads to, as far as it matters and was counted lately. That decides how a query is
   * run, never what it answers: so it counts what the asker may not see, too.
   */
  async weighed(base: object, conditions: readonly Condition[]): Promise<Condition[]> {
    return Promise.all(conditions.map((one) => this.weights.weighed(base, one)));
  }

  /** Plans a query by how many documents its conditions lead to. */
  async plan(wanted: Wanted): Promise<Query> {
    return queryOf({ ...wanted, conditions: await this.weighed(wanted.base, wanted.conditions) });
  }

  /** Documents of a page in the list's order. */
  async find(query: Query, piece: Stretch, projection: object): Promise<T[]> {
    const { sort, walk, led, isWhole } = query;
    const asked = { piece, projection, maxTimeMS: longestMs };
    if (isWhole && piece.skip >= this.stride) return asking(() => this.readFar(query, asked));
    return !led || led.common ? asking(() => this.documents.read(sort, walk, asked)) : this.findLed(query, led, asked);
  }

  private async findLed(query: Query, led: NonNullable<Query['led']>, { piece, projection }: Asked & { piece: Stretch }): Promise<T[]> {
    const { scope, sort, walk } = query;
    const { limit } = piece;
    const read: Read<T[]> = (plan, maxTimeMS) => this.documents.read(sort, plan, { piece, projection, maxTimeMS });
    const gather = async () => {
      if (isMerged(led, piece)) return this.merge(sort, led.ways, { piece, projection });
      return read(led.isOrdered || (await this.isSortable(scope, led)) ? led : walk, longestMs);
    };
    const few = led.isMeeting && this.isFew(scope) ? await this.gathered(query, led.all, { piece, projection }) : undefined;
    if (few) return few;
    if (led.isRare || isSoon(led, piece)) return asking(gather);
    return this.gambles.play(`find ${limit > exactUpTo} ${sort} ${scope}`, { first: (ms) => read(walk, ms), second: gather, stakeMs: gambleMs + limit / 20 });
  }

  private isFew(scope: string): boolean {
    return (this.totals.get(scope) ?? Infinity) <= mostGathered;
  }

  /** Out of the few documents that a plan leads to, in no order. Undefined where they are not few any more. */
  private async gathered({ scope, sort }: Query, plan: Plan, { piece, projection }: Pick<Asked, 'piece' | 'projection'>): Promise<T[] | undefined> {
    const { skip, limit } = piece;
    const found = await asking(() => this.documents.gather<T & Pick<TicketView, SortField>>(plan, { projection: placing, limit: mostGathered + 1, maxTimeMS: longestMs }));
    if (found.length > mostGathered) return void this.totals.delete(scope);
    const page = merged(sort, [found]).slice(skip, skip + limit);
    if (page.length === 0 || Object.keys(projection).every((field) => Object.hasOwn(placing, field))) return page;
    const known = { filter: { ...plan.filter, _id: { $in: page.map(({ _id }) => _id) } }, hint: '_id_' };
    const filled = await asking(() => this.documents.gather(known, { projection, limit: page.length, maxTimeMS: longestMs }));
    const byId = new Map(filled.map((one) => [one._id, one]));
    return page.flatMap(({ _id }) => byId.get(_id) ?? []);
  }

  /**
   * Far into a list of everything. What comes before a moment that lay there lately is counted, which takes its index alone: a third of what passing over it takes.
   * So the page is that of now, whatever has come and gone since.
   */
  private async readFar({ sort, scope, walk }: Query, asked: Asked): Promise<T[]> {
    const { piece } = asked;
    const [field, direction] = orders[sort].fields[0]!;
    const stone = `${sort} ${Math.floor(piece.skip / this.stride)} ${scope}`;
    const value = this.milestones.get(stone);
    if (value !== undefined) {
      const [before, behind] = direction === 1 ? ['$lt', '$gte'] : ['$gt', '$lte'];
      const passed = await this.documents.count(within(walk, field, { [before!]: value }), { limit: piece.skip + 1, maxTimeMS: longestMs });
      if (passed <= piece.skip) return this.documents.read(sort, within(walk, field, { [behind!]: value }), { ...asked, piece: { ...piece, skip: piece.skip - passed } });
    }
    const found = await this.documents.read(sort, walk, asked);
    const first = (found[0] as Partial<TicketView> | undefined)?.[field];
    if (first instanceof Date) this.milestones.set(stone, first);
    return found;
  }

  /** From each way as many as may be wanted of it. */
  private async merge(sort: Query['sort'], ways: readonly Plan[], { piece: { skip, limit }, projection }: Pick<Asked, 'piece' | 'projection'>): Promise<T[]> {
    const asked = { piece: { skip: 0, limit: skip + limit }, projection: { ...projection, createdAt: 1 }, maxTimeMS: longestMs };
    const lists = await Promise.all(ways.map((way) => this.documents.read(sort, way, asked)));
    return merged(sort, lists as (T & Pick<TicketView, SortField>)[][]).slice(skip, skip + limit);
  }

  /** Whether what a plan gathers is not too much to be sorted: counted, unless it was far from it lately. */
  private async isSortable(scope: string, plan: Plan): Promise<boolean> {
    const known = this.totals.get(scope);
    if (known !== undefined && known <= maxListDepth / 2) return true;
    return (await this.counted(plan, longestMs)) <= maxListDepth;
  }

  private counted(plan: Plan, maxTimeMS: number): Promise<number> {
    return this.documents.count(plan, { limit: maxListDepth + 1, maxTimeMS });
  }

  /** How many tickets there are. Where there are many, the newest seconds may be missing, and who asks meanwhile shares the answer. */
  async count(query: Query): Promise<Count> {
    return this.large.told(query.scope, () => this.countNow(query));
  }

  /**
   * How many there are at this moment. The order is no matter here. Tickets of one value, or of few that are known, are counted one by one up to the limit. Others are gathered
   * first; where there are too many for that, walking soon comes to the limit.
   */
  async countNow(query: Query): Promise<Count> {
    const found = await this.found(query);
    this.totals.set(query.scope, found);
    return { total: Math.min(found, maxListDepth), isExact: found <= maxListDepth };
  }

  private async found({ scope, walk, led }: Query): Promise<number> {
    const sure = (plan: Plan) => asking(() => this.counted(plan, longestMs));
    if (!led) return sure(walk);
    const some = led.some ? await sure(led.some) : 0;
    if (some > maxListDepth) return some;
    if (led.common) return sure(led.common.isMost ? walk : led.all);
    if (isSure(led)) return sure(led.all);
    return this.gambles.play(`count ${scope}`, { first: (ms) => this.counted(led.all, ms), second: () => this.counted(walk, longestMs) });
  }
}
