import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { duplicates, guarded, type Database } from '#persistence';
import { STORE } from '../store.js';

/** A mail of a ticket, ours or the requester's; `seq` is the version of the ticket that it told of, or a little less where it made it. */
export interface ThreadMail {
  seq: number;
  messageId: string;
}

/** Mails that a later one refers to at most: the first, and the newest. */
const mostReferences = 10;
/** Mails of a ticket that are remembered. */
const remembered = 200;

/** Which mails belong to a ticket, so that mail programs show them as one conversation. */
@Injectable()
export class Threads {
  private readonly threads: mongoose.mongo.Collection<{ _id: string; mails: ThreadMail[] }>;

  constructor(@Inject(STORE) { db }: Database) {
    this.threads = db.collection('mail_threads');
  }

  /** Notes mails of tickets; one that is noted again stays one. @throws StoreFault */
  async note(mails: ReadonlyMap<string, readonly ThreadMail[]>): Promise<void> {
    const writes = [...mails].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([_id, some]) => some.map((mail) => ({ updateOne: { filter: { _id, mails: { $not: { $elemMatch: { messageId: mail.messageId } } } }, update: { $push: { mails: { $each: [mail], $sort: { seq: 1 as const }, $slice: -remembered } } }, upsert: true } })));
    if (writes.length === 0) return;
    // Where the mail is noted the filter finds nothing, and the attempt to make the thread anew meets the one that is there.
    await guarded(() => this.threads.bulkWrite(writes, { ordered: false }).catch((error: unknown) => void duplicates(error)));
  }

  /** Mails of tickets in their order. @throws StoreFault */
  async of(ticketIds: readonly string[]): Promise<Map<string, ThreadMail[]>> {
    if (ticketIds.length === 0) return new Map();
    const found = await guarded(() => this.threads.find({ _id: { $in: [...ticketIds] } }).toArray());
    return new Map(found.map(({ _id, mails }) => [_id, [...mails].sort((one, other) => one.seq - other.seq)]));
  }
}

/** What a mail of a version refers to: the first and the newest of those before it. */
export function referencesFor(thread: readonly ThreadMail[], seq: number): string[] {
  const before = thread.filter((mail) => mail.seq < seq).map(({ messageId }) => messageId);
  return before.length <= mostReferences ? before : [before[0]!, ...before.slice(1 - mostReferences)];
}
