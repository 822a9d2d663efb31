import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { Ticket, TicketEvent } from '#contracts';
import { guarded, putNewer, type Database } from '#persistence';
import { STORE } from '../store.js';

/** What is known of a ticket and of who it is for. */
export interface Correspondent extends Pick<Ticket, 'number' | 'status' | 'requester' | 'assistantId' | 'assignee' | 'createdBy' | 'version'> {
  /** The ticket. */
  _id: string;
  orgId: string;
  isDeleted: boolean;
}

/** Every ticket, as far as mails need it: they find it by its id or number, and are judged by who it is for. */
@Injectable()
export class Correspondents {
  private readonly tickets: mongoose.mongo.Collection<Correspondent>;

  constructor(@Inject(STORE) { db }: Database) {
    this.tickets = db.collection('correspondents');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.tickets.createIndexes([{ key: { orgId: 1, number: 1 } }]));
  }

  /** Takes in what happened; older news changes nothing. @throws StoreFault */
  async follow(events: readonly TicketEvent[]): Promise<void> {
    const newest = new Map<string, Correspondent>();
    for (const { type, orgId, ticketId: _id, version, ticket } of events) {
      const { number, status, requester, assistantId, assignee, createdBy } = ticket;
      if ((newest.get(_id)?.version ?? 0) < version) newest.set(_id, { _id, orgId, number, status, requester, assistantId, assignee, createdBy, version, isDeleted: type === 'ticket.deleted.v1' });
    }
    await putNewer(this.tickets, [...newest.values()].map((document) => ({ document, isNew: true })));
  }

  /** @throws StoreFault */
  find(orgId: string, ticketId: string): Promise<Correspondent | null> {
    return guarded(() => this.tickets.findOne({ _id: ticketId, orgId }));
  }

  /** A ticket of whatever organisation: for who has its proof, which stands for the organisation's name. @throws StoreFault */
  findProven(ticketId: string): Promise<Correspondent | null> {
    return guarded(() => this.tickets.findOne({ _id: ticketId }));
  }

  /** @throws StoreFault */
  findNumber(orgId: string, number: number): Promise<Correspondent | null> {
    return guarded(() => this.tickets.findOne({ orgId, number }));
  }
}
