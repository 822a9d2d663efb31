import { Inject, Injectable, Optional } from '@nestjs/common';
import type mongoose from 'mongoose';
import { maxListDepth, Status } from '#contracts';
import type { Database } from '#persistence';
import { asking, longestMs, tooLong } from '../asking.js';
import type { Collections } from '../collections.js';
import { LargeCounts, type Count } from '../large-counts.js';
import { conditionsOf, keyConditions, viewBase, type Condition } from '../list-conditions.js';
import { behind, compare, orders, positionOf, type Position } from '../list-order.js';
import { queryOf, type Query } from '../list-plan.js';
import { PlannedReads } from '../planned-reads.store.js';
import { shapeWithKeys } from '../shape.js';
import { COLLECTIONS, SHAPE, STORE } from '../store.js';
import { sightKeys } from '../ticket-keys.js';
import type { TicketView } from '../ticket-view.projection.js';
import { countIn, idsOf, LateCounts, type Tally } from './late-counts.store.js';
import { NewestWords } from './newest-words.store.js';
import type { SearchEntry } from './search-entry.projection.js';
import { divided, entryBase, entryConditions, keylessConditions, nameOf, wordConditions } from './search-plan.js';
import { SearchPort, type Hit, type Piece, type Question } from './search.port.js';
import { Vocabulary } from './vocabulary.store.js';
import { asked } from './words.js';

/** Where one way of searching gives way to another; specs lower them. */
export interface SearchLimits {
  /** Up to so many tickets with a word, all of them are looked at. */
  few: number;
  /** Up to so many tickets that pass the filters, their words are looked at: those are fewer than have the words. */
  narrow: number;
  /** Tickets looked at with one query, at first and at most. */
  steps: readonly [number, number];
}

export const SEARCH_LIMITS = Symbol('search limits');
const usual: SearchLimits = { few: 1_000, narrow: 2_000, steps: [100, 1_000] };

const placing = { createdAt: 1, updatedAt: 1, priority: 1, number: 1, dueAt: 1 };

/** A question, resolved. */
interface Plan extends Question {
  /** On entries. */
  conditions: Condition[];
  /** Words alone, to ask of entries known by their id. */
  said: object[];
  /** Whether entries cannot answer it by themselves. */
  isLate: boolean;
  /** At most so many entries match, as far as that is known; a guess where they are many. */
  most: number;
}

/** Search in the store of the read models: a multikey index over words, in the order of creation, beside the views. */
@Injectable()
export class MongoSearch extends SearchPort {
  private readonly entries: mongoose.mongo.Collection<SearchEntry>;
  private readonly views: mongoose.mongo.Collection<TicketView>;
  private readonly entryReads: PlannedReads<SearchEntry>;
  private readonly viewReads: PlannedReads<TicketView>;
  private readonly late: LateCounts;
  private readonly large: LargeCounts;
  private readonly largeByStatus: LargeCounts<ByStatus>;
  private readonly newest: NewestWords;

  constructor(
    @Inject(STORE) { db }: Database,
    @Inject(COLLECTIONS) collections: Collections,
    private readonly vocabulary: Vocabulary,
    @Inject(SHAPE) private readonly shape: () => number | undefined,
    @Optional() @Inject(SEARCH_LIMITS) private readonly limits: SearchLimits = usual,
  ) {
    super();
    this.entries = db.collection(collections.search);
    this.views = db.collection(collections.views);
    this.entryReads = new PlannedReads(db, collections.search);
    this.viewReads = new PlannedReads(db, collections.views);
    this.late = new LateCounts(this.entries, this.views);
    this.large = new LargeCounts(limits.few);
    this.largeByStatus = new LargeCounts(limits.few);
    this.newest = new NewestWords(this.entries);
  }

  override async find(question: Question, piece: Piece): Promise<Hit[]> {
    const plan = await this.plan(question);
    if (!plan) return [];
    if (!plan.isLate && orders[plan.sort].byCreation) return this.walkEntries(plan, piece);
    return plan.most <= this.limits.few ? this.lookAtAll(plan, piece) : this.walkViews(plan, piece);
  }

  override async count(question: Question): Promise<Count> {
    const search = asked(question.q);
    return search ? this.large.told(nameOf(question, search), () => this.countNow(question)) : nothing;
  }

  /** Counted together, and told again together where they are many: see `LargeCounts`. */
  override async countByStatus(question: Question): Promise<Count[]> {
    const search = asked(question.q);
    const { each } = search ? await this.largeByStatus.told(nameOf(question, search), () => this.countEach(question)) : summed([]);
    return each;
  }

  private async countNow(question: Question): Promise<Count> {
    const plan = await this.plan({ ...question, sort: '-createdAt' });
    if (!plan) return nothing;
    // An entry may lag behind what its ticket's view says of who sees it: whoever does not see everything is told what the views say.
    if (!plan.isLate && sightKeys(plan.principal) === null) return this.entryReads.countNow(this.entryQuery(plan));
    if (plan.most > this.limits.few) return plan.isLate ? this.countMany(plan) : countIn(await this.tally(plan));
    const { length } = await this.lookAtAll(plan, { skip: 0, limit: Infinity });
    return { total: length, isExact: length < maxListDepth }; // how many there were was seen a minute ago at most
  }

  private async countEach(question: Question): Promise<ByStatus> {
    const plan = await this.plan({ ...question, sort: '-createdAt' });
    if (!plan) return summed([]);
    const tally = await this.tally(plan);
    const ofStatus = (one: Status) => ({ ...plan, filters: { ...plan.filters, status: [one] } });
    const count = async (one: Status) => (tally.isWhole ? countIn(tally, [one]) : this.countMany(ofStatus(one), tally));
    return summed(await Promise.all(Status.options.map(count)));
  }

  /** Entries know enough, and have the order. */
  private async walkEntries(plan: Plan, { from, skip, limit }: Piece): Promise<Hit[]> {
    const entries = await this.entryReads.find(this.entryQuery(plan, from), { skip, limit }, { createdAt: 1 });
    return entries.map(({ _id, createdAt }) => ({ id: _id, position: [createdAt.getTime(), _id] }));
  }

  /** Few tickets have the words: all their views are looked at, and sorted here. */
  private async lookAtAll(plan: Plan, { from, skip, limit }: Piece): Promise<Hit[]> {
    const { sort } = plan;
    const { walk, led } = this.entryQuery({ ...plan, sort: '-createdAt' });
    const views = await this.viewsOf(plan, await idsOf(this.entries, led?.all ?? walk, { limit: maxListDepth }));
    const hits = views.map((view) => ({ id: view._id, position: positionOf(sort, view) })).sort((one, other) => compare(sort, one.position, other.position));
    return (from ? hits.filter(({ position }) => compare(sort, position, from) > 0) : hits).slice(skip, skip + limit);
  }

  /** Many have them: along the list's own order, asking for the words of what comes, until there is enough. */
  private async walkViews(plan: Plan, { from, skip, limit }: Piece): Promise<Hit[]> {
    const { sort } = plan;
    const [firstStep, longestStep] = this.limits.steps;
    const hits: Hit[] = [];
    const start = performance.now();
    for (let [place, step, passed] = [from, firstStep, from && Infinity]; ; step = Math.min(2 * step, longestStep)) {
      const views = await this.viewReads.find(await this.viewQuery(plan, place), { skip: 0, limit: step, passed }, placing);
      const saying = await this.saying(plan, views.map(({ _id }) => _id));
      hits.push(...views.filter(({ _id }) => saying.has(_id)).map((view) => ({ id: view._id, position: positionOf(sort, view) })));
      if (hits.length >= skip + limit || views.length < step) return hits.slice(skip, skip + limit);
      if (performance.now() - start > longestMs) throw tooLong();
      place = positionOf(sort, views.at(-1)!);
      passed = (passed ?? 0) + views.length;
    }
  }

  /** Many tickets have the words. Where fewer pass the filters, those are asked for the words; else 10,000 with the words are looked at, or looked for among those that pass. */
  private async countMany(plan: Plan, tally?: Tally): Promise<Count> {
    const query = await this.viewQuery(plan);
    const passing = await this.viewReads.count(query);
    if (passing.total <= this.limits.narrow && passing.total < plan.most) return this.countNarrow(plan, query);
    if (tally || !passing.isExact) return countIn(tally ?? (await this.tally(plan)), plan.filters.status);
    const { total, isWhole } = await this.ofEntries(plan, (entries) => this.late.shared(entries, query.led?.all ?? query.walk));
    return { total, isExact: isWhole };
  }

  private async countNarrow({ said }: Plan, { walk, led }: Query): Promise<Count> {
    return { total: await this.late.having(led?.all ?? walk, said), isExact: true };
  }

  /** Whatever their status. */
  private tally(plan: Plan): Promise<Tally> {
    const { status: _status, ...filters } = plan.filters;
    const isShort = plan.most <= this.limits.few;
    return this.ofEntries(plan, (entries) => this.late.tally(entries, { viewFilter: viewFilter({ ...plan, filters }), isShort }));
  }

  /** Of those with a frequent word alone, where they are as many as anybody looks at; else of all. */
  private async ofEntries<T extends { isWhole: boolean }>(plan: Plan, count: (entries: Query['walk']) => Promise<T>): Promise<T> {
    const { walk, led } = this.entryQuery(plan);
    const frequent = led?.some && (await count(led.some));
    return frequent?.isWhole === false ? frequent : count(led && !led.common?.isMost ? led.all : walk);
  }

  private entryQuery({ principal, sort, conditions }: Plan, from?: Position) {
    return queryOf({ base: entryBase(principal), sort, conditions, from: from && behind(sort, from) });
  }

  private viewQuery({ principal, sort, filters }: Plan, from?: Position): Promise<Query> {
    return this.viewReads.plan({ base: viewBase(principal), sort, conditions: conditionsOf(principal, filters, this.shape()), from: from && behind(sort, from) });
  }

  /** Of these tickets those that pass all filters as they are now. */
  private async viewsOf(plan: Plan, ids: readonly string[]): Promise<TicketView[]> {
    const read = (some: string[]) => this.views.find({ _id: { $in: some }, ...viewFilter(plan) }, { projection: placing, hint: '_id_', maxTimeMS: longestMs, batchSize: some.length }).toArray();
    return this.inSteps(ids, read);
  }

  /** Of these tickets those that have the words. */
  private async saying({ said }: Plan, ids: readonly string[]): Promise<Set<string>> {
    const read = (some: string[]) =>
      this.entries.find({ _id: { $in: some }, $and: said }, { projection: { _id: 1 }, hint: '_id_', maxTimeMS: longestMs, batchSize: some.length }).toArray();
    return new Set((await this.inSteps(ids, read)).map(({ _id }) => _id));
  }

  private async inSteps<T>(ids: readonly string[], read: (some: string[]) => Promise<T[]>): Promise<T[]> {
    const [, step] = this.limits.steps;
    const parts = Array.from({ length: Math.ceil(ids.length / step) }, (_, i) => ids.slice(i * step, (i + 1) * step));
    return (await Promise.all(parts.map((part) => asking(() => read(part))))).flat();
  }

  /** Whether entries tell whom a ticket concerns: else views are asked for it. */
  private hasKeys(): boolean {
    return (this.shape() ?? 0) >= shapeWithKeys;
  }

  /** Undefined when nothing can match. */
  private async plan(question: Question): Promise<Plan | undefined> {
    const { principal, q, filters, askedAt } = question;
    const typed = asked(q);
    if (!typed) return undefined;
    const beginnings = await this.vocabulary.beginnings(principal.orgId, typed.prefix, askedAt);
    if (beginnings?.length === 0) return undefined;
    const search = { ...typed, beginnings, common: beginnings ? undefined : await this.newest.common(principal.orgId, typed.prefix) };
    const hasKeys = this.hasKeys();
    const conditions = await this.entryReads.weighed(entryBase(principal), (hasKeys ? entryConditions : keylessConditions)(principal, filters, search));
    const said = wordConditions(principal, search).map(({ filter }) => filter);
    const isKeyless = !hasKeys && keyConditions(principal, filters).length > 0;
    return { ...question, conditions, said, isLate: isKeyless || isLate(question), most: fewest(conditions) };
  }
}

const isLate = ({ filters, sort }: Question) => divided(filters).isLate || !orders[sort].byCreation;
const fewest = (conditions: readonly Condition[]) => Math.min(...conditions.map(({ lead }) => lead?.size ?? Infinity));
const nothing: Count = { total: 0, isExact: true };

/** Counts of every status, in their order, and what they come to. */
interface ByStatus extends Count {
  each: Count[];
}

const summed = (counts: readonly Count[]): ByStatus => {
  const each = Status.options.map((_, i) => counts[i] ?? nothing);
  return { each, total: each.reduce((sum, { total }) => sum + total, 0), isExact: each.every(({ isExact }) => isExact) };
};

/** What a view must say, but for the words. */
const viewFilter = ({ principal, filters }: Plan) => {
  const all = conditionsOf(principal, filters).map(({ filter }) => filter);
  return { deleted: false, ...(all.length > 0 && { $and: all }) };
};
