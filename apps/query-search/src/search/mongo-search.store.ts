import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import { maxListDepth } from '#contracts';
import type { Database } from '#persistence';
import { asking, tooLong } from '../asking.js';
import { collections } from '../collections.js';
import { behind, orders } from '../list-order.js';
import { queryOf, type Condition } from '../list-plan.js';
import { longestMs, PlannedReads, type Count } from '../planned-reads.store.js';
import { STORE } from '../store.js';
import { judged, ViewFacts, type Facts } from './view-facts.store.js';
import type { SearchEntry } from './search-entry.projection.js';
import { divided, entryConditions, type Commonness } from './search-plan.js';
import { SearchPort, type Hit, type Piece, type Question } from './search.port.js';
import { asked, beginsWith, type Asked } from './words.js';

/** Words of one search whose rarity is looked up. */
const mostProbed = 4;
/** Tickets that make a word common: how many more does not matter. */
const commonWord = 1_000;
/** Up to so many tickets a beginning is rare: they are sorted in a few ms. From so many on, walking the newest tickets meets enough at once. */
const [rareBeginning, commonBeginning] = [500, 10_000];
const memoryMs = 60_000;
/** Entries read at once on the way along the newest ones, at first and at most. */
const [firstStep, longestStep] = [100, 2_000];

/** Who is asked what, resolved: conditions for the entries, and what views are asked afterwards. */
interface Plan {
  question: Question;
  conditions: Condition[];
  isLate: boolean;
}

/** Search in the store of the read models: a multikey index over words, in the order of creation. */
@Injectable()
export class MongoSearch extends SearchPort {
  private readonly entries: mongoose.mongo.Collection<SearchEntry>;
  private readonly reads: PlannedReads<SearchEntry>;
  private readonly facts: ViewFacts;
  private readonly counts = new LRUCache<string, number>({ max: 20_000, ttl: memoryMs });

  constructor(@Inject(STORE) { db }: Database) {
    super();
    this.entries = db.collection(collections.search);
    this.reads = new PlannedReads(this.entries);
    this.facts = new ViewFacts(db);
  }

  override async find(question: Question, piece: Piece): Promise<Hit[]> {
    const plan = await this.plan(question);
    if (!plan) return [];
    const { byCreation } = orders[question.sort];
    if (byCreation && !plan.isLate) return hitsOf(await this.walk(plan, piece));
    if (byCreation && piece.skip === 0) return this.walkJudging(plan, piece);
    const { matching } = await this.judged(plan);
    return judged(matching, question, piece);
  }

  override async count(question: Question): Promise<Count> {
    const plan = await this.plan(question, 'counting');
    if (!plan) return { total: 0, isExact: true };
    if (!plan.isLate) return this.reads.count(this.query(plan));
    const { matching, isAll } = await this.judged(plan);
    const { length } = judged(matching, question);
    return { total: length, isExact: isAll };
  }

  /** Entries in the order of creation. */
  private walk(plan: Plan, { from, skip, limit }: Piece): Promise<SearchEntry[]> {
    return this.reads.find(this.query(plan, from && behind(plan.question.sort, from)), { skip, limit }, { createdAt: 1 });
  }

  /** The same, looking at the views of what comes until enough of them match. */
  private async walkJudging(plan: Plan, { limit, ...piece }: Piece): Promise<Hit[]> {
    const { question } = plan;
    const start = performance.now();
    const hits: Hit[] = [];
    for (let [from, step] = [piece.from, firstStep]; ; step = Math.min(2 * step, longestStep)) {
      const entries = await this.walk(plan, { from, skip: 0, limit: step });
      hits.push(...judged(await this.facts.of(question.principal, entries), question));
      if (hits.length >= limit || entries.length < step) return hits.slice(0, limit);
      if (performance.now() - start > longestMs) throw tooLong();
      from = hitsOf(entries.slice(-1))[0]!.position;
    }
  }

  /** The newest matches with what their views say; in another order than creation's, they are all there is. */
  private judged(plan: Plan): Promise<{ matching: Facts[]; isAll: boolean }> {
    const query = this.query({ ...plan, question: { ...plan.question, sort: '-createdAt' } });
    return this.facts.shared(query.scope, async () => {
      const entries = await this.reads.find(query, { skip: 0, limit: maxListDepth + 1 }, { _id: 1 });
      const matching = await this.facts.of(plan.question.principal, entries.slice(0, maxListDepth));
      return { matching, isAll: entries.length <= maxListDepth };
    });
  }

  private query({ question: { principal, sort }, conditions }: Plan, from?: object[]) {
    const { byCreation } = orders[sort];
    return queryOf({ orgId: principal.orgId, sort: byCreation ? sort : '-createdAt', conditions, from });
  }

  /** Undefined when nothing can match. Counting needs no order, so whatever leads to few entries will do. */
  private async plan(question: Question, purpose: 'finding' | 'counting' = 'finding'): Promise<Plan | undefined> {
    const { principal, q, filters, sort } = question;
    const search = asked(q);
    if (!search) return undefined;
    const words = await this.rarestFirst(principal.orgId, search.words);
    const commonness = purpose === 'finding' ? await this.commonness(principal.orgId, search) : 'middling';
    const conditions = entryConditions(principal, filters, { ...search, words, commonness });
    return { question, conditions, isLate: divided(filters).isLate || !orders[sort].byCreation };
  }

  /** Words, the rarest first, as far as it matters and was seen lately. */
  private async rarestFirst(orgId: string, words: readonly string[]): Promise<string[]> {
    if (words.length < 2) return [...words];
    const probed = [...words].sort((one, other) => other.length - one.length).slice(0, mostProbed);
    const counts = await Promise.all(probed.map((word) => this.entriesWith(orgId, word, commonWord)));
    const rarest = probed[counts.indexOf(Math.min(...counts))]!;
    return [rarest, ...words.filter((word) => word !== rarest)];
  }

  /** Matters only where no whole word leads. */
  private async commonness(orgId: string, { words, prefix }: Asked): Promise<Commonness> {
    if (words.length > 0) return 'middling';
    const count = await this.entriesWith(orgId, beginsWith(prefix), commonBeginning);
    return count <= rareBeginning ? 'rare' : count < commonBeginning ? 'middling' : 'common';
  }

  /** Decides how a query is run, never what it answers: so it looks at tickets that the asker may not see. */
  private async entriesWith(orgId: string, tokens: string | RegExp, limit: number): Promise<number> {
    const name = `${orgId}/${String(tokens)}`;
    const known = this.counts.get(name);
    if (known !== undefined) return known;
    const count = await asking(() => this.entries.countDocuments({ orgId, tokens }, { limit, hint: 'byWord', maxTimeMS: longestMs }));
    this.counts.set(name, count);
    return count;
  }
}

const hitsOf = (entries: readonly SearchEntry[]): Hit[] => entries.map(({ _id, createdAt }) => ({ id: _id, position: [createdAt.getTime(), _id] }));
