import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';
import { NoticeReads, type Person } from './notice-reads.js';
import { NoticeStore, type NoticePlace } from './notices.store.js';

/** Requests are kept so long for their repeats, s. */
const keptSeconds = 30 * 86_400;

interface Mark {
  /** organisation/request */
  _id: string;
  hash: string;
  /** Up to where, or what; null where there was no such notice. */
  place: NoticePlace | null;
  at: Date;
}

/** What is to be marked as read: a notice, what is older too, or without a notice all that there are. */
export interface Wish {
  notice: string | undefined;
  withOlder: boolean;
}

/** Marks notices as read. What a request means is stored before it is done: a repeat marks nothing that came later. */
@Injectable()
export class ReadMarks {
  private readonly marks: mongoose.mongo.Collection<Mark>;

  constructor(
    @Inject(STORE) { db }: Database,
    private readonly notices: NoticeStore,
    private readonly reads: NoticeReads,
  ) {
    this.marks = db.collection('notice_marks');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.marks.createIndexes([{ key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** @throws StoreFault */
  async make(who: Person, { id, hash }: { id: string; hash: string }, wish: Wish): Promise<{ isThere: boolean; hash: string; isRepeat: boolean }> {
    const _id = `${who.orgId}/${id}`;
    const mark: Mark = { _id, hash, place: await this.placeOf(who, wish), at: new Date() };
    const isFirst = await guarded(() => this.marks.insertOne(mark).then(() => true, unlessThere));
    const made = isFirst ? mark : (await guarded(() => this.marks.findOne({ _id })))!;
    // In a repeat, too: whoever stored it may have died before. Another request under the key is refused, and does nothing.
    if (made.place !== null && made.hash === hash) await (wish.withOlder ? this.notices.readTo(who, made.place) : this.notices.read(who, made.place.id));
    return { isThere: made.place !== null, hash: made.hash, isRepeat: !isFirst };
  }

  private async placeOf(who: Person, { notice }: Wish): Promise<NoticePlace | null> {
    if (notice === undefined) return { shownAt: new Date(), id: '~' };
    const found = await this.reads.find(who, notice);
    return found === undefined ? null : { shownAt: found.shownAt!, id: found._id };
  }
}
