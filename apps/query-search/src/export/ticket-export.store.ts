import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { maxListDepth, type ExportQuery, type Principal } from '#contracts';
import { ProblemError } from '#observability';
import type { Database } from '#persistence';
import { asking, longestMs } from '../asking.js';
import type { Collections } from '../collections.js';
import { conditionsOf, dueIn, viewBase, type ListFilters } from '../list-conditions.js';
import { behind, compare, orders, positionOf, type Position } from '../list-order.js';
import { queryOf } from '../list-plan.js';
import { PlannedReads } from '../planned-reads.store.js';
import { divided } from '../search/search-plan.js';
import { SearchPort, type Hit } from '../search/search.port.js';
import { COLLECTIONS, STORE } from '../store.js';
import type { TicketView } from '../ticket-view.projection.js';
import { demandReading } from '../ticket-view.store.js';
import type { ExportedTicket } from './export-text.js';

/** Tickets whose places are looked up at once: a place is small, and each look begins with finding where the last one ended. */
const step = 1_000;
/** Tickets that are held at once; each may have 50,000 characters of description and as much of custom fields. */
const slice = 50;

const placing = { createdAt: 1, updatedAt: 1, priority: 1, number: 1, dueAt: 1 };
const contents = { ticket: 1, description: 1 };

/** Everything a ticket is asked for but its words. */
type Filters = Omit<ExportQuery, 'q' | 'format'> & ListFilters;

/** Reads everything that a list would show, a little at a time, so that memory does not grow with it. Sight is part of every read. */
@Injectable()
export class TicketExport {
  private readonly views: mongoose.mongo.Collection<TicketView>;
  private readonly reads: PlannedReads<TicketView>;

  constructor(
    @Inject(STORE) { db }: Database,
    @Inject(COLLECTIONS) collections: Collections,
    private readonly search: SearchPort,
  ) {
    this.views = db.collection(collections.views);
    this.reads = new PlannedReads(db, collections.views);
  }

  /**
   * All tickets that the principal sees, in order. What existed throughout is there once, by creation and by number; by other keys a ticket that
   * changes meanwhile may be missed or repeated. Each is told as it is when its turn comes, if it still matches.
   * @throws ProblemError forbidden, validation-failed, dependency-unavailable; the first two before anything was told
   */
  async *tickets(principal: Principal, { q, format: _format, ...asked }: ExportQuery): AsyncGenerator<ExportedTicket[], void> {
    demandReading(principal);
    const filters = { ...asked, ...dueIn(asked.sort) };
    for await (const hits of this.places(principal, q, filters)) {
      for (let at = 0; at < hits.length; at += slice) yield await this.contents(principal, filters, hits.slice(at, at + slice));
    }
  }

  private places(principal: Principal, q: string | undefined, filters: Filters): AsyncGenerator<readonly Hit[], void> {
    if (q === undefined) return inSteps((from) => this.browse(principal, filters, from));
    // What changes often is asked of the views alone: looking for words among them would not end in time where few pass.
    const { sort } = filters;
    const lookUp = (by: typeof sort) => inSteps((from) => this.search.find({ principal, q, sort: by, filters: divided(filters).early, askedAt: performance.now() }, { from, skip: 0, limit: step }));
    return orders[sort].byCreation ? lookUp(sort) : this.sorted(principal, filters, lookUp('-createdAt'));
  }

  /** Where the next tickets of the list are. */
  private async browse(principal: Principal, filters: Filters, from: Position | undefined): Promise<Hit[]> {
    const { sort } = filters;
    const query = await this.reads.plan({ base: viewBase(principal), sort, conditions: conditionsOf(principal, filters), from: from && behind(sort, from) });
    const views = await this.reads.find(query, { skip: 0, limit: step }, placing);
    return views.map((view) => ({ id: view._id, position: positionOf(sort, view) }));
  }

  /** Words lead to tickets in order of creation. In another order they come once all places are known, so there must not be too many. */
  private async *sorted(principal: Principal, filters: Filters, steps: AsyncIterable<readonly Hit[]>): AsyncGenerator<readonly Hit[], void> {
    const { sort } = filters;
    const hits: Hit[] = [];
    let looked = 0;
    for await (const found of steps) {
      looked += found.length;
      if (looked > maxListDepth) throw tooMany();
      const views = await this.read(principal, filters, found, placing);
      hits.push(...views.map((view) => ({ id: view._id, position: positionOf(sort, view) })));
    }
    yield hits.sort((one, other) => compare(sort, one.position, other.position));
  }

  private async contents(principal: Principal, filters: Filters, hits: readonly Hit[]): Promise<ExportedTicket[]> {
    const byId = new Map((await this.read(principal, filters, hits, contents)).map((view) => [view._id, view]));
    return hits.flatMap(({ id }) => byId.get(id) ?? []);
  }

  /** Of these tickets those that pass the filters now: what left them meanwhile, or somebody's sight, is none of it. */
  private read(principal: Principal, filters: Filters, hits: readonly Hit[], projection: object): Promise<TicketView[]> {
    const { walk } = queryOf({ base: viewBase(principal), sort: filters.sort, conditions: conditionsOf(principal, filters) });
    const filter = { ...walk.filter, _id: { $in: hits.map(({ id }) => id) } };
    return asking(() => this.views.find(filter, { projection, hint: '_id_', maxTimeMS: longestMs }).toArray());
  }
}

/** Goes on from the last place until there is no more. */
async function* inSteps(find: (from: Position | undefined) => Promise<Hit[]>): AsyncGenerator<readonly Hit[], void> {
  for (let from: Position | undefined; ; ) {
    const hits = await find(from);
    if (hits.length > 0) yield hits;
    if (hits.length < step) return;
    from = hits.at(-1)!.position;
  }
}

const tooMany = () =>
  new ProblemError('validation-failed', 'The request is not valid.', {
    errors: [{ pointer: '?sort', code: 'too_many', message: `more than ${maxListDepth} tickets have these words: export them by creation` }],
  });
