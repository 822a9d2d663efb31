import { Inject, Injectable } from '@nestjs/common';
import { maxListDepth, Status, type Comment, type CountsQuery, type ListQuery, type Message, type Moment, type Page, type PageQuery, type Principal, type Sort, type SuggestQuery, type Suggestions, type Ticket, type TicketCounts, type TicketFilters, type TimelineQuery } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { readOnce, type Database, type ShortQuestion } from '#persistence';
import { Arrivals } from './arrivals.js';
import { asking, inTime, longestMs, tooLong } from './asking.js';
import type { Collections } from './collections.js';
import type { Count } from './large-counts.js';
import { conditionsOf, dueIn, viewBase, type ListFilters } from './list-conditions.js';
import { ListCursors } from './list-cursor.js';
import { behind, orders, positionOf, type Position } from './list-order.js';
import { PlannedReads } from './planned-reads.store.js';
import { COLLECTIONS, SHAPE, STORE } from './store.js';
import { gone, TicketMoments, type SeenTicket } from './history/ticket-moments.store.js';
import { TimelineRows } from './history/timeline-rows.store.js';
import { TicketHistory, type Reading } from './ticket-history.store.js';
import { assigneeKey, sightKeys } from './ticket-keys.js';
import { viewId } from './events.js';
import { suggestionsOf } from './search/suggestions.js';
import { SearchPort, type Hit, type Piece } from './search/search.port.js';
import { SharedReads } from './shared-reads.js';
import type { TicketView } from './ticket-view.projection.js';

/** A ticket in a list. */
export type ListedTicket = Pick<TicketView, 'status' | 'ticket' | 'snippet' | 'deadlines'>;

/** A page of a list. `next` leads on where there is more. */
export interface TicketPage extends Count {
  items: ListedTicket[];
  next: string | null;
}

/** A ticket that was found, and where it stood in the order then. */
interface Found {
  view: TicketView;
  position: () => Position;
}

/** Who reads, and which version of a ticket the answer must have reached. */
export interface Reader {
  principal: Principal;
  minVersion?: number | undefined;
}

/** A ticket's id (lower case) or number. */
export type TicketRef = string | number;

const forDetail = { version: 1, status: 1, deleted: 1, ticket: 1, description: 1, deadlines: 1 };
const forList = { status: 1, ticket: 1, snippet: 1, deadlines: 1 };
/** With what a place in its order is made of, and no more: each field costs store and service. */
const forPage = (sort: Sort) => ({ ...forList, ...Object.fromEntries(orders[sort].fields.map(([field]) => [field, 1])) });

/** Tickets that suggestions are taken from. */
const lookedThrough = 100;
/** Hits that are looked up at once, where those before were out of sight. */
const mostLookedUp = 1_000;
/** A total gets so long even where finding the page took all the time there was, ms. */
const shortCountMs = 500;
/** How long a reader waits for a version, and between looks at the store, ms. */
const waitMs = 1_000;
const [firstLookMs, longestLookMs] = [20, 100];

/**
 * The way to read tickets; exports have their own. Every method takes the principal, and with it the organisation; what they may see is part of every
 * filter, so nothing else is ever found, counted or waited for.
 */
@Injectable()
export class TicketViewStore {
  private readonly reads: PlannedReads<TicketView>;
  private readonly history: TicketHistory;
  private readonly moments: TicketMoments;
  private readonly lists = new SharedReads<TicketPage>();
  private readonly tallies = new SharedReads<TicketCounts>();

  constructor(
    @Inject(STORE) private readonly store: Database,
    @Inject(COLLECTIONS) private readonly collections: Collections,
    private readonly cursors: ListCursors,
    private readonly arrivals: Arrivals,
    private readonly search: SearchPort,
    @Inject(SHAPE) private readonly shape: () => number | undefined,
  ) {
    const { db } = store;
    this.reads = new PlannedReads(db, collections.views);
    const rows = new TimelineRows(db.collection(collections.timeline));
    this.history = new TicketHistory(rows);
    this.moments = new TicketMoments(rows);
  }

  /**
   * One ticket, as it is or was at a moment; waits up to 1 s for the version that the reader names, which is about the ticket as it is.
   * @throws ProblemError not-found, gone, not-yet, forbidden, dependency-unavailable
   */
  async ticket(reader: Reader, ref: TicketRef, moment: Moment = {}): Promise<SeenTicket> {
    return this.moments.ticket(reader.principal.orgId, await this.seen(reader, ref), moment);
  }

  /** Whether somebody may see a ticket is judged by the ticket as it is now, whatever moment of it they ask for. */
  private async seen(reader: Reader, ref: TicketRef): Promise<SeenTicket> {
    const { principal, minVersion } = reader;
    demandReading(principal);
    const seen = minVersion === undefined ? await this.find(principal, ref) : await this.await(principal, ref, minVersion);
    if (!seen) throw new ProblemError('not-found', 'There is no such ticket.');
    if (seen.deleted) throw gone();
    return seen;
  }

  /** A page of the tickets that the principal sees. @throws ProblemError page-too-deep, invalid-cursor, forbidden, dependency-unavailable */
  async list({ principal }: Reader, query: ListQuery): Promise<TicketPage> {
    demandReading(principal);
    return this.lists.read(nameOf(principal, query), () => this.page(principal, query));
  }

  private async page(principal: Principal, query: ListQuery): Promise<TicketPage> {
    const beganAt = performance.now();
    const from = this.placeOf(principal, query);
    const { pageSize } = query;
    const piece = { from, skip: from ? 0 : skipped(query), limit: pageSize + 1 };
    const found = await (query.q === undefined ? this.browse(principal, query, piece) : this.lookUp(principal, { ...query, q: query.q }, piece));
    const shown = found.slice(0, pageSize);
    const next = found.length > pageSize ? this.cursorAt(principal, query, shown.at(-1)!) : null;
    const total = (tellsTotal(principal, query, piece) && countedBy(found, piece.skip, pageSize)) || (await this.total(principal, query, { known: piece.skip + found.length, beganAt, isShown: found.length > 0 }));
    return { items: shown.map(({ view }) => view), next, ...total };
  }

  /** How many a page is of. Who looks for a ticket wants to see what was found, however long the rest takes to count: then so many as are known of, and no exact number. */
  private async total(principal: Principal, query: ListQuery, { known, beganAt, isShown }: { known: number; beganAt: number; isShown: boolean }): Promise<Count> {
    const count = this.count(principal, filtersOf(query), beganAt);
    const until = Math.max(beganAt + longestMs, performance.now() + shortCountMs);
    return isShown ? inTime(count, until, { total: known, isExact: false }) : count;
  }

  /** Tickets by what their views say. */
  private async browse(principal: Principal, asked: ListQuery, { from, ...piece }: Piece): Promise<Found[]> {
    const { sort } = asked;
    const query = await this.reads.plan({ base: viewBase(principal), sort, conditions: conditionsOf(principal, filtersOf(asked), this.shape()), from: from && behind(sort, from) });
    const views = await this.reads.find(query, piece, forPage(sort));
    return views.map((view) => ({ view, position: () => positionOf(sort, view) }));
  }

  /**
   * Tickets by their words, as they are now. What is out of sight or deleted by now is passed over, however late the search is, and what comes behind takes its place: nothing
   * of it is shown, nor counted, nor named by a cursor. Only tickets before a numbered page are not looked at.
   */
  private async lookUp(principal: Principal, { sort, q, ...filters }: ListQuery & { q: string }, { limit, ...piece }: Piece): Promise<Found[]> {
    const start = performance.now();
    const question = { principal, q, filters: { ...filters, ...dueIn(sort) }, sort, askedAt: start };
    const found: Found[] = [];
    for (let [place, step] = [piece, limit]; ; step = Math.min(2 * step, mostLookedUp)) {
      const hits = await this.search.find(question, { ...place, limit: step });
      found.push(...(await this.inSight(principal, hits)));
      if (found.length >= limit || hits.length < step) return found.slice(0, limit);
      if (performance.now() - start > longestMs) throw tooLong();
      place = { from: hits.at(-1)!.position, skip: 0 };
    }
  }

  /** What is left of hits, in their order. */
  private async inSight(principal: Principal, hits: readonly Hit[]): Promise<Found[]> {
    if (hits.length === 0) return [];
    const keys = sightKeys(principal);
    const filter = { _id: { $in: hits.map(({ id }) => id) }, deleted: false, ...(keys && { keys: { $in: keys } }) };
    const views = await this.read({ filter, projection: forList, limit: hits.length });
    const byId = new Map(views.map((view) => [view._id, view]));
    return hits.flatMap(({ id, position }) => (byId.has(id) ? { view: byId.get(id)!, position: () => position } : []));
  }

  /** What matches a search box so far, out of the newest tickets that do. @throws ProblemError forbidden, dependency-unavailable */
  async suggest({ principal }: Reader, { q }: SuggestQuery): Promise<Suggestions> {
    demandReading(principal);
    const found = await this.lookUp(principal, { q, sort: '-createdAt', pageSize: lookedThrough }, { skip: 0, limit: lookedThrough });
    return suggestionsOf(q, found.map(({ view }) => JSON.parse(view.ticket) as Ticket));
  }

  /** How many tickets the principal sees, by status. @throws ProblemError forbidden, dependency-unavailable */
  async counts({ principal }: Reader, filters: CountsQuery): Promise<TicketCounts> {
    demandReading(principal);
    return this.tallies.read(nameOf(principal, filters), () => this.tally(principal, filters));
  }

  private async tally(principal: Principal, filters: CountsQuery): Promise<TicketCounts> {
    const counts = await this.countEach(principal, filters);
    const byStatus = Object.fromEntries(Status.options.map((status, i) => [status, counts[i]!.total])) as Record<Status, number>;
    return { ...byStatus, total: counts.reduce((sum, { total }) => sum + total, 0), isExact: counts.every(({ isExact }) => isExact) };
  }

  /** Every event of a ticket, as JSON texts. @throws ProblemError as `ticket`, and invalid-cursor */
  async timeline(reader: Reader, id: string, page: TimelineQuery): Promise<Page<string>> {
    return this.history.timeline(await this.reading(reader, id, page), page);
  }

  /** The thread of a ticket. @throws ProblemError as `ticket`, and invalid-cursor */
  async comments(reader: Reader, id: string, page: PageQuery): Promise<Page<Comment>> {
    return this.history.comments(await this.reading(reader, id, page), page);
  }

  /** The conversation linked with a ticket. @throws ProblemError as `ticket`, and invalid-cursor */
  async conversation(reader: Reader, id: string, page: PageQuery): Promise<Page<Message>> {
    return this.history.conversation(await this.reading(reader, id, page), page);
  }

  private async reading(reader: Reader, id: string, moment: Moment): Promise<Reading> {
    const { principal } = reader;
    const { orgId } = principal;
    const past = await this.moments.find(orgId, await this.seen(reader, id), moment);
    return { orgId, id, to: past?.version, notes: lacks(principal, 'read-notes') === null };
  }

  private async find(principal: Principal, ref: TicketRef): Promise<SeenTicket | null> {
    const keys = sightKeys(principal);
    const { orgId } = principal;
    const which = typeof ref === 'number' ? { filter: { orgId, number: ref }, hint: 'byNumber' } : { filter: { _id: viewId(orgId, ref) } };
    const [found = null] = await this.read({ ...which, filter: { ...which.filter, ...(keys && { keys: { $in: keys } }) }, projection: forDetail, limit: 1 });
    // Deadlines may come before their ticket's first event: they have its version 0.
    return found?.version ? found : null;
  }

  /** Whoever names tickets by `_id` needs no hint: no other index has any part in it. */
  private read(question: Omit<ShortQuestion, 'maxTimeMS'>): Promise<TicketView[]> {
    return asking(() => readOnce(this.store.db, this.collections.views, { ...question, maxTimeMS: longestMs }));
  }

  /** Absent, invisible and late tickets are waited for alike. */
  private async await(principal: Principal, ref: TicketRef, version: number): Promise<SeenTicket> {
    const deadline = Date.now() + waitMs;
    for (let pause = firstLookMs; ; pause = Math.min(2 * pause, longestLookMs)) {
      const remaining = deadline - Date.now();
      const arrival = this.arrivals.next(viewId(principal.orgId, String(ref)), Math.min(pause, Math.max(0, remaining)));
      const seen = await this.find(principal, ref);
      if (seen && seen.version >= version) return seen;
      if (remaining <= 0) throw new ProblemError('not-yet', `Version ${version} has not arrived yet.`, {}, { 'retry-after': '1' });
      await arrival;
    }
  }

  /** In the order of statuses. */
  private async countEach(principal: Principal, { q, ...filters }: CountsQuery): Promise<Count[]> {
    if (q !== undefined) return this.search.countByStatus({ principal, q, filters, sort: '-createdAt', askedAt: performance.now() });
    return Promise.all(Status.options.map((status) => this.count(principal, { ...filters, status: [status] })));
  }

  private async count(principal: Principal, { q, ...filters }: ListFilters & Pick<TicketFilters, 'q'>, askedAt = performance.now()): Promise<Count> {
    if (q !== undefined) return this.search.count({ principal, q, filters, sort: '-createdAt', askedAt });
    // Counting needs no order: any index will do that leads to few tickets.
    return this.reads.count(await this.reads.plan({ base: viewBase(principal), sort: '-createdAt', conditions: conditionsOf(principal, filters, this.shape()) }));
  }

  private placeOf({ orgId }: Principal, query: ListQuery): Position | undefined {
    if (query.cursor === undefined) return undefined;
    const position = this.cursors.read({ orgId, sort: query.sort, filters: filtersOf(query) }, query.cursor);
    if (!position) throw new ProblemError('invalid-cursor', 'The cursor is not one of this list.');
    return position;
  }

  private cursorAt({ orgId }: Principal, query: ListQuery, { position }: Found): string {
    return this.cursors.write({ orgId, sort: query.sort, filters: filtersOf(query) }, position());
  }
}

/** The same for whoever asks the same and is to be told the same: they see the same tickets and words, and mean the same people. */
const nameOf = (principal: Principal, query: ListQuery | CountsQuery): string =>
  JSON.stringify([principal.orgId, sightKeys(principal), lacks(principal, 'read-notes'), query.assignee?.map((one) => assigneeKey(one, principal)), query]);

/** Tickets before a numbered page. */
function skipped({ page = 1, pageSize }: ListQuery): number {
  if (page * pageSize > maxListDepth) throw new ProblemError('page-too-deep', `Pages end at ${maxListDepth} tickets; go on with \`cursor\`.`);
  return (page - 1) * pageSize;
}

/** Whether all that comes before a page is still to be seen: a search that lags may pass over what is not. */
const tellsTotal = (principal: Principal, { q }: ListQuery, { from, skip }: Piece): boolean => !from && (skip === 0 || q === undefined || sightKeys(principal) === null);

/** The last page tells the total by itself. */
function countedBy(found: readonly unknown[], skip: number, pageSize: number): Count | undefined {
  const isLast = found.length <= pageSize && (found.length > 0 || skip === 0);
  return isLast ? { total: skip + found.length, isExact: true } : undefined;
}

function filtersOf({ sort, page: _page, pageSize: _pageSize, cursor: _cursor, ...filters }: ListQuery): ListFilters & Pick<TicketFilters, 'q'> {
  return { ...filters, ...dueIn(sort) };
}

/** @throws ProblemError forbidden */
export function demandReading(principal: Principal) {
  const missing = lacks(principal, 'read');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
}
