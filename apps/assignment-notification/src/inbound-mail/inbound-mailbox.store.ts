import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';

/** Whoever looks into the mailbox and dies gives way after so long, ms. Who lives renews in time. */
export const leaseMs = 6_000;

/** What mails that are still in their folder have been through is remembered so long after the last time, s. */
const keptSeconds = 30 * 86_400;

const never = new Date(0);

interface StoredMailbox {
  /** Its name. */
  _id: string;
  /** It is left alone until then. */
  restsUntil: Date;
  /** Looks in a row that failed. */
  strikes: number;
  leasedBy: string | null;
  leasedUntil: Date;
}

/** A mailbox in the hands of this process. */
export interface HeldMailbox {
  name: string;
  strikes: number;
  readonly by: string;
}

/** A mail in a folder: numbers of mails are good under one `uidValidity` only. */
export interface MailPlace {
  mailbox: string;
  uidValidity: string;
  uid: number;
}

interface StoredTry extends MailPlace {
  _id: string;
  /** How often it was begun with. */
  tries: number;
  /** How often it met trouble that was not its own. */
  faults: number;
  notBefore: Date;
  at: Date;
}

/** What a mail has been through. */
export type Tried = Pick<StoredTry, 'uid' | 'tries' | 'faults' | 'notBefore'>;

/** Who looks into a mailbox, when it is looked into next, and which of its mails made trouble. */
@Injectable()
export class InboundMailboxes {
  private readonly mailboxes: mongoose.mongo.Collection<StoredMailbox>;
  private readonly tries: mongoose.mongo.Collection<StoredTry>;

  constructor(@Inject(STORE) { db }: Database) {
    this.mailboxes = db.collection('inbound_mailboxes');
    this.tries = db.collection('inbound_mailbox_tries');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.tries.createIndexes([{ key: { mailbox: 1, uidValidity: 1 } }, { key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** Takes a mailbox in hand; undefined while somebody else has it, or it rests. @throws StoreFault */
  async take(name: string): Promise<HeldMailbox | undefined> {
    const now = new Date();
    const by = randomUUID();
    const fresh = { restsUntil: never, strikes: 0, leasedBy: null, leasedUntil: never };
    const lease = { leasedBy: by, leasedUntil: new Date(now.getTime() + leaseMs) };
    const take = () => this.mailboxes.findOneAndUpdate({ _id: name, restsUntil: { $lte: now }, leasedUntil: { $lte: now } }, { $set: lease }, { returnDocument: 'after' });
    const taken = await guarded(take);
    if (taken) return { name, strikes: taken.strikes, by };
    const isNew = await guarded(() => this.mailboxes.insertOne({ _id: name, ...fresh, ...lease }).then(() => true, unlessThere));
    return isNew ? { name, strikes: 0, by } : undefined;
  }

  /** @returns whether it is still ours @throws StoreFault */
  async renew({ name: _id, by: leasedBy }: HeldMailbox): Promise<boolean> {
    const { matchedCount } = await guarded(() => this.mailboxes.updateOne({ _id, leasedBy }, { $set: { leasedUntil: new Date(Date.now() + leaseMs) } }));
    return matchedCount === 1;
  }

  /** Gives it back; one that somebody else has taken meanwhile stays theirs. @throws StoreFault */
  async finish({ name: _id, by: leasedBy }: HeldMailbox, { strikes, restsUntil }: Pick<StoredMailbox, 'strikes' | 'restsUntil'>): Promise<void> {
    await guarded(() => this.mailboxes.updateOne({ _id, leasedBy }, { $set: { strikes, restsUntil, leasedBy: null, leasedUntil: never } }));
  }

  /** Mails of a folder that were begun with and are still there. @throws StoreFault */
  async tried({ mailbox, uidValidity }: Omit<MailPlace, 'uid'>): Promise<Map<number, Tried>> {
    const found = await guarded(() => this.tries.find({ mailbox, uidValidity }).toArray());
    return new Map(found.map((one) => [one.uid, one]));
  }

  /** Notes that a mail is begun with, before anything is done that may not end well. @returns what it has been through, this time included @throws StoreFault */
  async begin(mail: MailPlace): Promise<Pick<Tried, 'tries' | 'faults'>> {
    const set = { $set: { at: new Date() }, $inc: { tries: 1 }, $setOnInsert: { ...mail, faults: 0, notBefore: never } };
    const noted = await guarded(() => this.tries.findOneAndUpdate({ _id: idOf(mail) }, set, { upsert: true, returnDocument: 'after' }));
    return noted ?? { tries: 1, faults: 0 };
  }

  /** Puts a mail off. @param isOwn whether the trouble was the mail's: what other trouble ended is not held against it @throws StoreFault */
  async putOff(mail: MailPlace, { until, isOwn }: { until: Date; isOwn: boolean }): Promise<void> {
    await guarded(() => this.tries.updateOne({ _id: idOf(mail) }, { $set: { notBefore: until }, ...(!isOwn && { $inc: { tries: -1, faults: 1 } }) }));
  }

  /** The mail is no longer in its folder. @throws StoreFault */
  async forget(mail: MailPlace): Promise<void> {
    await guarded(() => this.tries.deleteOne({ _id: idOf(mail) }));
  }
}

const idOf = ({ mailbox, uidValidity, uid }: MailPlace) => `${mailbox}/${uidValidity}/${uid}`;
