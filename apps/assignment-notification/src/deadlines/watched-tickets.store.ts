import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { TicketDeadline } from '#contracts';
import { duplicates, guarded, type Database } from '#persistence';
import { STORE } from '../store.js';
import type { Clocks } from './clocks.projection.js';
import type { Outgoing } from './outgoing.js';
import type { Watched } from './watch.policy.js';

interface StoredTicket {
  /** organisation/ticket */
  _id: string;
  orgId: string;
  /** How often it was written: of two who write on what they have read one is the first. */
  turn: number;
  revision: number;
  /** `Clocks` as JSON text. */
  clocks: string;
  /** What was told last, in few words: a million tickets wait with theirs; absent where nothing was. */
  deadlines?: string;
  /** The revision of the policies that it was judged by; absent once no policy can change anything about it. */
  ruling?: number;
  /** The timer: when to look at it. */
  lookAt?: Date;
  /** Each with the turn that it came with. */
  outgoing?: (Outgoing & { turn: number })[];
  /** There is something to be sent. */
  isUnsent?: true;
}

/** A ticket as it was read. */
export interface Read extends Watched {
  id: string;
  turn: number;
  ruling: number | null;
  /** What may not have been sent, and the turns that it came with. */
  outgoing: readonly (Outgoing & { turn: number })[];
}

/** What is to be stored of a ticket. */
export interface Write {
  before: Read | undefined;
  after: Watched;
  ruling: number;
  lookAt: number | null;
  /** What is to be sent beside what the ticket has before it. */
  outgoing: readonly Outgoing[];
}

/** What may not have been sent of a ticket as it is at a turn. */
export type Unsent = Pick<Read, 'id' | 'orgId' | 'ticketId' | 'turn' | 'outgoing'>;

/** `_id` of a ticket. */
export const idOf = (orgId: string, ticketId: string) => `${orgId}/${ticketId}`;

/** Whoever asks an index for tickets that have a field says that they have it: some engines read all of the index else, instead of a part. */
const there = { $exists: true } as const;

/**
 * The tickets whose deadlines are watched, each with its timer and with what is to be sent. Whoever writes one writes it over what they have read: of several who
 * found it due, or have news of it, one is the first, and the others read it again. So no timer has an owner, and none is lost with one.
 */
@Injectable()
export class WatchedTickets {
  private readonly tickets: mongoose.mongo.Collection<StoredTicket>;

  constructor(@Inject(STORE) { db }: Database) {
    this.tickets = db.collection('watched_tickets');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    const [timers, rulings, unsent] = [
      { key: { lookAt: 1 }, name: 'timers', partialFilterExpression: { lookAt: there } },
      { key: { orgId: 1, ruling: 1 }, name: 'rulings', partialFilterExpression: { ruling: there } },
      { key: { isUnsent: 1 }, name: 'unsent', partialFilterExpression: { isUnsent: there } },
    ] as const;
    await guarded(() => this.tickets.createIndexes([timers, rulings, unsent]));
  }

  /** Those of these ids that are watched. @throws StoreFault */
  async read(ids: readonly string[]): Promise<Map<string, Read>> {
    const found = await this.found({ _id: { $in: [...ids] } }, (cursor) => cursor);
    return new Map(found.map((ticket) => [ticket.id, ticket]));
  }

  /** Tickets whose timer has run out, the longest first. @throws StoreFault */
  due(now: number, limit: number): Promise<Read[]> {
    return this.found({ lookAt: { ...there, $lte: new Date(now) } }, (cursor) => cursor.sort({ lookAt: 1 }).hint('timers').limit(limit));
  }

  /** Tickets that were judged by policies before a revision. @throws StoreFault */
  judgedBefore(orgId: string, revision: number, limit: number): Promise<Read[]> {
    return this.found({ orgId, ruling: { ...there, $lt: revision } }, (cursor) => cursor.hint('rulings').limit(limit));
  }

  /** Tickets of which something may not have been sent. @throws StoreFault */
  unsent(limit: number): Promise<Unsent[]> {
    return this.found({ isUnsent: true }, (cursor) => cursor.hint('unsent').limit(limit));
  }

  /** Stores tickets that nobody else has written since they were read. @returns the ids of the others @throws StoreFault */
  async put(writes: readonly Write[]): Promise<Set<string>> {
    if (writes.length === 0) return new Set();
    const sorted = writes.map((write) => ({ write, document: documentOf(write) })).sort((one, other) => (one.document._id < other.document._id ? -1 : 1));
    const operations = sorted.map(({ write: { before }, document }): mongoose.mongo.AnyBulkWriteOperation<StoredTicket> => {
      if (before === undefined) return { insertOne: { document } };
      const { _id, ...replacement } = document;
      return { replaceOne: { filter: { _id, turn: before.turn }, replacement } };
    });
    const there = await guarded(() => this.tickets.bulkWrite(operations, { ordered: false }).then(({ matchedCount, insertedCount }) => (matchedCount + insertedCount === writes.length ? [] : undefined), duplicates));
    if (there?.length === 0) return new Set();
    return this.others(sorted.map(({ document }) => document));
  }

  /** Which of them somebody else has written: a bulk tells how many were, not which. */
  private async others(documents: readonly StoredTicket[]): Promise<Set<string>> {
    const found = await guarded(() => this.tickets.find({ _id: { $in: documents.map(({ _id }) => _id) } }).toArray());
    const stored = new Map(found.map((ticket) => [ticket._id, ticket]));
    return new Set(documents.filter((mine) => !isIt(stored.get(mine._id), mine)).map(({ _id }) => _id));
  }

  /** All of it was sent; what has been added since is left. @throws StoreFault */
  async sent(tickets: readonly Unsent[]): Promise<void> {
    if (tickets.length === 0) return;
    const sorted = [...tickets].sort((one, other) => (one.id < other.id ? -1 : 1));
    const unchanged = sorted.map(({ id, turn }) => ({ updateOne: { filter: { _id: id, turn }, update: { $unset: { outgoing: '', isUnsent: '' } as never } } }));
    const { matchedCount } = await guarded(() => this.tickets.bulkWrite(unchanged, { ordered: false }));
    if (matchedCount === tickets.length) return;
    // This takes a turn of its own: who has read what is taken away here would put it back.
    const changed = sorted.map(({ id, turn }) => ({
      updateOne: { filter: { _id: id, turn: { $gt: turn }, 'outgoing.turn': { $lte: turn } }, update: { $pull: { outgoing: { turn: { $lte: turn } } }, $inc: { turn: 1 } } },
    }));
    await guarded(() => this.tickets.bulkWrite(changed, { ordered: false }));
  }

  private async found(filter: mongoose.mongo.Filter<StoredTicket>, narrowed: (cursor: mongoose.mongo.FindCursor<StoredTicket>) => mongoose.mongo.FindCursor<StoredTicket>): Promise<Read[]> {
    return (await guarded(() => narrowed(this.tickets.find(filter)).toArray())).map(readOf);
  }
}

/** What two write over the same turn differs, unless it says the same. */
const isIt = (stored: StoredTicket | undefined, mine: StoredTicket) =>
  stored?.turn === mine.turn && stored.clocks === mine.clocks && stored.deadlines === mine.deadlines && stored.ruling === mine.ruling && JSON.stringify(stored.outgoing) === JSON.stringify(mine.outgoing);

/** What may not have been sent of a ticket once it is stored. */
export function unsentOf({ before, after: { orgId, ticketId }, outgoing }: Write): Unsent {
  const { turn, outgoing: left } = before ?? { turn: 0, outgoing: [] };
  return { id: idOf(orgId, ticketId), orgId, ticketId, turn: turn + 1, outgoing: [...left, ...outgoing.map((one) => ({ ...one, turn: turn + 1 }))] };
}

function documentOf(write: Write): StoredTicket {
  const { after: { orgId, revision, clocks, deadlines }, ruling, lookAt } = write;
  const { id: _id, turn, outgoing: unsent } = unsentOf(write);
  return {
    _id,
    orgId,
    turn,
    revision,
    clocks: JSON.stringify(clocks),
    ...(deadlines.length > 0 && { deadlines: wordsOf(deadlines) }),
    ...(clocks.end !== 'closed' && { ruling }),
    ...(lookAt !== null && { lookAt: new Date(lookAt) }),
    ...(unsent.length > 0 && { outgoing: [...unsent], isUnsent: true }),
  };
}

/** Such as `first-reply running 1767625200000,resolution paused`. */
const wordsOf = (deadlines: readonly TicketDeadline[]) => deadlines.map(({ kind, state, dueAt }) => [kind, state, ...(dueAt === null ? [] : [Date.parse(dueAt)])].join(' ')).join();

const deadlinesIn = (words: string) =>
  words.split(',').map((one): TicketDeadline => {
    const [kind, state, dueAt] = one.split(' ') as [TicketDeadline['kind'], TicketDeadline['state'], string | undefined];
    return { kind, dueAt: dueAt === undefined ? null : new Date(Number(dueAt)).toISOString(), state };
  });

function readOf({ _id: id, orgId, turn, revision, clocks, deadlines, ruling, outgoing = [] }: StoredTicket): Read {
  return {
    id,
    orgId,
    ticketId: id.slice(orgId.length + 1),
    turn,
    revision,
    clocks: JSON.parse(clocks) as Clocks,
    deadlines: deadlines === undefined ? [] : deadlinesIn(deadlines),
    ruling: ruling ?? null,
    outgoing,
  };
}
