import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { DeadlineNews, TicketEvent } from '#contracts';
import { duplicates, guarded, putNewer, type Database } from '#persistence';
import { STORE } from '../store.js';
import type { Sight } from './notice.policy.js';
import { keptSeconds } from './notices.store.js';

/** A ticket as notices of it need it: who sees it now, and what it is called. */
export interface NoticeTicket extends Sight {
  /** organisation/ticket */
  _id: string;
  version: number;
  number: number;
  title: string;
  isDeleted: boolean;
  /** When something of it was last heard. */
  heardAt: Date;
}

export const ticketKey = (orgId: string, ticketId: string) => `${orgId}/${ticketId}`;

/** Who sees which ticket now: what was told of one that has left somebody's sight is no more theirs to read. */
@Injectable()
export class NoticeTickets {
  private readonly tickets: mongoose.mongo.Collection<NoticeTicket>;

  constructor(@Inject(STORE) { db }: Database) {
    this.tickets = db.collection('notice_tickets');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    // A day longer than the notices that they are for.
    await guarded(() => this.tickets.createIndexes([{ key: { heardAt: 1 }, expireAfterSeconds: keptSeconds + 86_400 }]));
  }

  /** Takes in what events say; older ones change nothing. @throws StoreFault */
  async follow(events: readonly TicketEvent[]): Promise<void> {
    const newest = new Map<string, TicketEvent>();
    const since = new Date(Date.now() - keptSeconds * 1_000).toISOString();
    for (const event of events) {
      if (event.at < since) continue;
      const key = ticketKey(event.orgId, event.ticketId);
      if ((newest.get(key)?.version ?? 0) < event.version) newest.set(key, event);
    }
    const _id = { $in: [...newest.keys()] };
    const there = await guarded(() => this.tickets.find({ _id }, { projection: { version: 1 } }).toArray());
    const known = new Map(there.map(({ _id: key, version }) => [key, version]));
    const heardAt = new Date();
    const puts = [...newest].flatMap(([key, event]) => {
      const version = known.get(key);
      return (version ?? 0) < event.version ? [{ document: storedOf(key, event, heardAt), isNew: version === undefined }] : [];
    });
    await putNewer(this.tickets, puts);
  }

  /**
   * Takes in who sees tickets of which there is something to tell, where their events have not come yet, or are so old that nothing of them is left: the event of the
   * version that it is said of goes over it. What is told of a ticket keeps it.
   * @throws StoreFault
   */
  async keep(news: readonly DeadlineNews[]): Promise<void> {
    const newest = new Map<string, DeadlineNews>();
    for (const one of news) {
      const key = ticketKey(one.orgId, one.ticketId);
      if ((newest.get(key)?.version ?? 0) < one.version) newest.set(key, one);
    }
    const heardAt = new Date();
    const writes = [...newest].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([key, one]) => keeping(key, one, heardAt));
    if (writes.length > 0) await guarded(() => this.tickets.bulkWrite(writes, { ordered: false }).then(() => [], duplicates));
  }

  /** @throws StoreFault */
  async some(keys: ReadonlySet<string>): Promise<Map<string, NoticeTicket>> {
    if (keys.size === 0) return new Map();
    const found = await guarded(() => this.tickets.find({ _id: { $in: [...keys] } }).toArray());
    return new Map(found.map((ticket) => [ticket._id, ticket]));
  }
}

function keeping(_id: string, { version, sight: { assistantId, assignee, createdBy }, called }: DeadlineNews, heardAt: Date): mongoose.mongo.AnyBulkWriteOperation<NoticeTicket>[] {
  const seen = { version: version - 1, assistantId, assignee, createdBy };
  return [
    { updateOne: { filter: { _id }, update: { $max: { heardAt }, $setOnInsert: { ...seen, ...called, isDeleted: false } }, upsert: called !== undefined } },
    { updateOne: { filter: { _id, version: { $lt: version } }, update: { $set: seen } } },
  ];
}

function storedOf(_id: string, { type, ticket }: TicketEvent, heardAt: Date): NoticeTicket {
  const { version, number, title, assistantId, assignee, createdBy } = ticket;
  const who = ({ type: kind, id }: NoticeTicket['createdBy']) => ({ type: kind, id });
  return { _id, version, number, title, assistantId, assignee: assignee && who(assignee), createdBy: who(createdBy), isDeleted: type === 'ticket.deleted.v1', heardAt };
}
