import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';
import type { ChangeRequest } from '../book.store.js';

/** Requests are kept so long for their repeats, seconds. */
const keptSeconds = 30 * 86_400;

/** Somebody's tickets on their way back. */
export interface HandedBack {
  /** organisation/request */
  _id: string;
  orgId: string;
  hash: string;
  /** What is sent to each of its tickets, as JSON text without the ticket. */
  command: string;
  ticketIds: string[];
  isSent: boolean;
  at: Date;
}

/** Requests to give tickets back: stored before the first command is sent, so that a crash in the middle loses none and gives back none twice. */
@Injectable()
export class HandBacks {
  private readonly handBacks: mongoose.mongo.Collection<HandedBack>;

  constructor(@Inject(STORE) { db }: Database) {
    this.handBacks = db.collection('hand_backs');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.handBacks.createIndexes([{ key: { orgId: 1, isSent: 1 } }, { key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** @throws StoreFault */
  find(orgId: string, { id }: ChangeRequest): Promise<HandedBack | null> {
    return guarded(() => this.handBacks.findOne({ _id: `${orgId}/${id}` }));
  }

  /** Adds a request; false where it is there already. @throws StoreFault */
  add(orgId: string, { id, hash }: ChangeRequest, of: Pick<HandedBack, 'command' | 'ticketIds'>): Promise<boolean> {
    return guarded(() => this.handBacks.insertOne({ _id: `${orgId}/${id}`, orgId, hash, ...of, isSent: of.ticketIds.length === 0, at: new Date() }).then(() => true, unlessThere));
  }

  /** @throws StoreFault */
  unsent(orgId: string): Promise<HandedBack[]> {
    return guarded(() => this.handBacks.find({ orgId, isSent: false }).toArray());
  }

  /** @throws StoreFault */
  async markSent(_id: string): Promise<void> {
    await guarded(() => this.handBacks.updateOne({ _id }, { $set: { isSent: true } }));
  }
}
