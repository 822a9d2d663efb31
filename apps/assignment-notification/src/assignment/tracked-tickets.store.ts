import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { TicketEvent } from '#contracts';
import { duplicates, guarded, type Database } from '#persistence';
import { oneByOne, STORE } from '../store.js';
import { keyOf } from './choice.policy.js';
import type { TicketFacts } from './condition.policy.js';
import type { Need } from './need.projection.js';
import { courseOf, idOf, isSameNeed, keyOrNull, type Course, type EndedWork, type NeedState, type NeedyTicket, type StoredChoice, type StoredNeed, type StoredTicket } from './ticket-course.projection.js';

/** A ticket that needs somebody, with how far that has come. */
export type FoundTicket = NeedyTicket & { need: Pick<StoredNeed, 'state'> };

/** What was found out about a need. `edition`: of the rules that said so, where a newer one may say otherwise. */
export type Finding = { ticket: FoundTicket } & ({ state: 'waits'; ruleId: string; edition: number } | { state: 'idle'; edition?: number } | { state: 'chosen'; choice: StoredChoice });

/** How much may still be taken in hand at once: what rules look at of a ticket may be 200 KB. */
export class Room {
  #tickets = 200;
  #characters = 4 * 1024 * 1024;

  get tickets() {
    return this.#tickets;
  }

  get isFull() {
    return this.#tickets <= 0 || this.#characters <= 0;
  }

  take({ facts }: Pick<StoredTicket, 'facts'>): void {
    this.#tickets -= 1;
    this.#characters -= facts.length;
  }
}

/** Fresh needs in their order: no backlog is sorted. */
const freshFirst = { orgId: 1, 'need.state': 1, 'need.at': 1 } as const;

type Write = mongoose.mongo.AnyBulkWriteOperation<StoredTicket>;

/**
 * What rules need to know of tickets, and how far each has come. Consumers write what events say, a newer version over an older one; whoever deals out
 * writes what became of a need. Neither overwrites what the other has written of a newer need.
 */
@Injectable()
export class TrackedTickets {
  private readonly tickets: mongoose.mongo.Collection<StoredTicket>;

  constructor(@Inject(STORE) { db }: Database) {
    this.tickets = db.collection('tickets');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    const keys = [
      { orgId: 1, assigneeKey: 1, isWork: 1 },
      freshFirst,
      { orgId: 1, 'need.state': 1, 'need.ruleId': 1, 'need.at': 1 },
      { orgId: 1, 'need.state': 1, 'need.edition': 1, 'need.at': 1 },
    ] as const;
    await guarded(() => this.tickets.createIndexes(keys.map((key) => ({ key }))));
  }

  /**
   * Takes in events; those that come late or again change nothing. Answers the organisations in which somebody may have something to do now. Where all of a
   * ticket's events came again, too: who took them in before may have died before it told.
   * @param note keeps needs that begin, and work that ends; called before they are stored, perhaps more than once
   * @throws StoreFault
   */
  async follow(events: readonly TicketEvent[], note: (begun: readonly NeedyTicket[], ended: readonly EndedWork[]) => Promise<void>): Promise<Set<string>> {
    const restless = new Set<string>();
    for (let pending = events; pending.length > 0; ) {
      const courses = await this.courses(pending);
      for (const { orgId, isRestless } of courses) if (isRestless) restless.add(orgId);
      await note(courses.flatMap(({ begins }) => begins), courses.flatMap(({ ends }) => ends));
      const lost = await this.put(courses);
      // Another instance knows them by now, perhaps an older version of them: once more, from what it has stored.
      pending = pending.filter(({ orgId, ticketId }) => lost.has(idOf(orgId, ticketId)));
    }
    return restless;
  }

  /** Tickets that need somebody and were not looked at since something about them changed, oldest need first. @throws StoreFault */
  fresh(orgId: string, room: Room): Promise<FoundTicket[]> {
    return this.needy({ orgId, 'need.state': 'fresh' }, (cursor) => cursor.sort({ 'need.at': 1 }).hint(freshFirst), room);
  }

  /** Tickets that were looked at by other rules than there are now. @throws StoreFault */
  async outdated(orgId: string, edition: number, room: Room): Promise<FoundTicket[]> {
    const of = (state: NeedState) => this.needy({ orgId, 'need.state': state, 'need.edition': { $lt: edition } }, (cursor) => cursor.sort({ 'need.edition': 1, 'need.at': 1 }), room);
    return [...(await of('waits')), ...(await of('idle'))];
  }

  /** Tickets that wait for a rule to have somebody, oldest need first. @param only who is free for it, where it is one alone: what they gave back is not for them @throws StoreFault */
  waiting(orgId: string, { ruleId, edition, only }: { ruleId: string; edition: number; only: string | undefined }, room: Room): Promise<FoundTicket[]> {
    const others = only === undefined ? {} : { 'need.former': { $ne: only } };
    return this.needy({ orgId, 'need.state': 'waits', 'need.ruleId': ruleId, 'need.edition': { $not: { $lt: edition } }, ...others }, (cursor) => cursor.sort({ 'need.at': 1 }), room);
  }

  /** Rules that tickets wait for. @throws StoreFault */
  async awaited(orgId: string): Promise<string[]> {
    return (await guarded(() => this.tickets.distinct('need.ruleId', { orgId, 'need.state': 'waits' }))) as string[];
  }

  /** Open and pending tickets of people, by `keyOf`, with those that were chosen for them and are on their way. @throws StoreFault */
  async loads(orgId: string, keys: readonly string[]): Promise<Map<string, number>> {
    const loads = new Map(keys.map((key) => [key, 0]));
    const add = (key: string, count: number) => loads.set(key, (loads.get(key) ?? 0) + count);
    const theirs = [{ $match: { orgId, assigneeKey: { $in: [...keys] }, isWork: true } }, { $group: { _id: '$assigneeKey', count: { $sum: 1 } } }];
    const [held, chosen] = await guarded(() =>
      Promise.all([this.tickets.aggregate<{ _id: string; count: number }>(theirs).toArray(), this.tickets.find({ orgId, 'need.state': 'chosen' }, { projection: { 'need.choice.to': 1 } }).toArray()]),
    );
    for (const { _id, count } of held) add(_id, count);
    for (const { need } of chosen) add(keyOf(need!.choice!.to), 1);
    return loads;
  }

  /** Open and pending tickets of somebody. @throws StoreFault */
  async held(orgId: string, key: string, limit: number): Promise<string[]> {
    const found = await guarded(() => this.tickets.find({ orgId, assigneeKey: key, isWork: true }, { projection: { ticketId: 1 } }).limit(limit).toArray());
    return found.map(({ ticketId }) => ticketId);
  }

  /**
   * Stores what was found out, unless somebody else has found out something since. A choice holds for its need, whatever else happened to the ticket;
   * anything else only for the ticket as it was read.
   * @throws StoreFault
   */
  async settle(findings: readonly Finding[]): Promise<void> {
    if (findings.length === 0) return;
    await guarded(() => this.tickets.bulkWrite(findings.map(settling), { ordered: false }));
  }

  /** Choices of an organisation whose commands may not have been sent. @throws StoreFault */
  async unsent(orgId: string): Promise<{ ticketId: string; choice: StoredChoice }[]> {
    const found = await guarded(() => this.tickets.find({ orgId, 'need.state': 'chosen', 'need.choice.isSent': false }).toArray());
    return found.map(({ ticketId, need }) => ({ ticketId, choice: need!.choice! }));
  }

  /** Choices that were sent before a moment and of which nothing came are lost: they count for nobody any more. @throws StoreFault */
  async giveUp(orgId: string, moment: Date): Promise<void> {
    await guarded(() => this.tickets.updateMany({ orgId, 'need.state': 'chosen', 'need.choice.isSent': true, 'need.choice.at': { $lte: moment } }, { $set: { 'need.state': 'lost' } }));
  }

  /** When the oldest choice was made of which nothing has come yet. @throws StoreFault */
  async oldestChoice(orgId: string): Promise<Date | undefined> {
    const [oldest] = await guarded(() => this.tickets.find({ orgId, 'need.state': 'chosen' }, { projection: { 'need.choice.at': 1 } }).sort({ 'need.choice.at': 1 }).limit(1).toArray());
    return oldest?.need?.choice?.at;
  }

  /** @throws StoreFault */
  async markSent(orgId: string, commandIds: readonly string[]): Promise<void> {
    if (commandIds.length === 0) return;
    await guarded(() => this.tickets.updateMany({ orgId, 'need.state': 'chosen', 'need.choice.commandId': { $in: [...commandIds] } }, { $set: { 'need.choice.isSent': true } }));
  }

  private async needy(filter: mongoose.mongo.Filter<StoredTicket>, narrowed: (cursor: mongoose.mongo.FindCursor<StoredTicket>) => mongoose.mongo.FindCursor<StoredTicket>, room: Room): Promise<FoundTicket[]> {
    const found: FoundTicket[] = [];
    if (room.isFull) return found;
    for await (const ticket of oneByOne(narrowed(this.tickets.find(filter, { batchSize: 25 })).limit(room.tickets))) {
      const { orgId, ticketId, version, facts, need } = ticket;
      found.push({ orgId, ticketId, version, facts: JSON.parse(facts) as TicketFacts, need: need! });
      room.take(ticket);
      if (room.isFull) break;
    }
    return found;
  }

  /** What events make of the tickets that they are about. */
  private async courses(events: readonly TicketEvent[]): Promise<Course[]> {
    const tickets = new Map<string, TicketEvent[]>();
    for (const event of events) {
      const id = idOf(event.orgId, event.ticketId);
      tickets.set(id, [...(tickets.get(id) ?? []), event]);
    }
    const known = await guarded(() => this.tickets.find({ _id: { $in: [...tickets.keys()] } }).toArray());
    const stored = new Map(known.map((ticket) => [ticket._id, ticket]));
    return [...tickets].map(([id, ofTicket]) => courseOf(id, stored.get(id), ofTicket));
  }

  /** Answers the tickets that somebody else has written meanwhile. */
  private async put(courses: readonly Course[]): Promise<Set<string>> {
    const writes = courses.flatMap((course) => writesOf(course).map((write) => ({ id: course.id, write })));
    if (writes.length === 0) return new Set();
    const again = await guarded(() => this.tickets.bulkWrite(writes.map(({ write }) => write), { ordered: false }).then(() => [], duplicates));
    return new Set(again.map((i) => writes[i]!.id));
  }
}

function writesOf({ id, before, after }: Course): Write[] {
  if (after === undefined) return [];
  const { need, ...rest } = after;
  const known = { ...rest, assigneeKey: keyOrNull(after.assignee), facts: JSON.stringify(after.facts) };
  const begun = need && { version: need.version, at: need.at, holder: need.holder, former: need.former, state: 'fresh' as const };
  if (before === undefined) return [{ insertOne: { document: { _id: id, ...known, need: begun } } }];
  const isOlder = { _id: id, version: { $lt: after.version } };
  if (need === null || !isSameNeed(before, after)) return [{ updateOne: { filter: isOlder, update: { $set: { ...known, need: begun } } } }];
  const update: Write = { updateOne: { filter: isOlder, update: { $set: known } } };
  return known.facts === before.facts ? [update] : [update, lookAgain(id, need)];
}

/** A rule may be for the ticket as it is now. What was chosen already stays, and so does a ticket with somebody who is back. */
const lookAgain = (id: string, { version, holder }: Need): Write => ({
  updateOne: { filter: { _id: id, 'need.version': version, 'need.state': { $in: holder === null ? ['waits', 'idle'] : ['waits'] } }, update: { $set: { 'need.state': 'fresh' } } },
});

function settling({ ticket: { orgId, ticketId, version, need }, ...found }: Finding): Write {
  const isIt = { _id: idOf(orgId, ticketId), 'need.version': need.version, 'need.state': { $in: ['fresh', need.state] } };
  if (found.state === 'chosen') return { updateOne: { filter: isIt, update: { $set: { 'need.state': 'chosen', 'need.choice': found.choice } } } };
  const [ruleId, edition] = [found.state === 'waits' ? found.ruleId : null, found.edition ?? null];
  return { updateOne: { filter: { ...isIt, version }, update: { $set: { 'need.state': found.state, 'need.ruleId': ruleId, 'need.edition': edition } } } };
}
