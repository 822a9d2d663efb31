import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { Actor, NoticeData, NoticeKind } from '#contracts';
import { addMissing, guarded, type Database } from '#persistence';
import { STORE } from '../store.js';

/** Notices are kept so long, s. */
export const keptSeconds = 90 * 86_400;
/** Notices of one person; older ones go. */
export const mostOfOne = 1_000;

/** What somebody is told, and how. It is decided once, and stored before anything is sent. */
export interface StoredNotice {
  _id: string;
  orgId: string;
  memberId: string;
  kind: NoticeKind;
  data: NoticeData;
  isNote: boolean;
  ticketId: string | null;
  version: number | null;
  actor: Actor;
  onBehalfOf?: Actor | undefined;
  at: string;
  /** From when on it is shown in the app; null for never. */
  shownAt: Date | null;
  readAt: Date | null;
  /** For what it is to them it is mailed; null where it is not. */
  mailedFor: NoticeKind | null;
  /** With which others it is mailed; null for by itself. */
  digest: string | null;
  /** When it was mailed, or found to be none of theirs any more. */
  mailedAt: Date | null;
  createdAt: Date;
}

/** A place among somebody's notices: those behind it are older. */
export interface NoticePlace {
  shownAt: Date;
  id: string;
}

type Whose = Pick<StoredNotice, 'orgId' | 'memberId'>;
const shown = { orgId: 1, memberId: 1, shownAt: -1, _id: -1 } as const;
const unread = { orgId: 1, memberId: 1, readAt: 1, shownAt: -1, _id: -1 } as const;

/** What people are told. */
@Injectable()
export class NoticeStore {
  private readonly notices: mongoose.mongo.Collection<StoredNotice>;

  constructor(@Inject(STORE) { db }: Database) {
    this.notices = db.collection('notices');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    const kept = { key: { createdAt: 1 }, expireAfterSeconds: keptSeconds } as const;
    await guarded(() => this.notices.createIndexes([{ key: shown }, { key: unread }, { key: { digest: 1 } }, kept]));
  }

  /** Adds notices and answers them as they are stored: who added them first has decided how they are told. @throws StoreFault */
  async add(notices: readonly StoredNotice[]): Promise<StoredNotice[]> {
    const there = await addMissing(this.notices, notices);
    const known = new Map((await this.some(there.map(({ _id }) => _id))).map((notice) => [notice._id, notice]));
    const isThere = new Set(there.map(({ _id }) => _id));
    for (const whose of peopleIn(notices.filter(({ _id }) => !isThere.has(_id) && _id.startsWith('0')))) await this.trim(whose);
    return notices.flatMap((notice) => (isThere.has(notice._id) ? (known.get(notice._id) ?? []) : notice));
  }

  /** @throws StoreFault */
  some(ids: readonly string[]): Promise<StoredNotice[]> {
    return ids.length === 0 ? Promise.resolve([]) : guarded(() => this.notices.find({ _id: { $in: [...ids] } }).toArray());
  }

  /** What somebody is shown, newest first. @throws StoreFault */
  shown({ orgId, memberId }: Whose, { after, isUnread, limit }: { after?: NoticePlace | undefined; isUnread: boolean; limit: number }): Promise<StoredNotice[]> {
    const until = after === undefined || after.shownAt > new Date() ? new Date() : after.shownAt;
    const behind = after && { $or: [{ shownAt: { $lt: after.shownAt } }, { shownAt: after.shownAt, _id: { $lt: after.id } }] };
    const filter = { orgId, memberId, shownAt: { $lte: until }, ...(isUnread && { readAt: null }), ...behind };
    return guarded(() => this.notices.find(filter).sort({ shownAt: -1, _id: -1 }).limit(limit).hint(isUnread ? unread : shown).toArray());
  }

  /** @throws StoreFault */
  find({ orgId, memberId }: Whose, _id: string): Promise<StoredNotice | null> {
    return guarded(() => this.notices.findOne({ _id, orgId, memberId, shownAt: { $lte: new Date() } }));
  }

  /** Marks as read what lies before a place, or at it. @throws StoreFault */
  async readTo({ orgId, memberId }: Whose, { shownAt, id }: NoticePlace): Promise<void> {
    const before = { $or: [{ shownAt: { $lt: shownAt } }, { shownAt, _id: { $lte: id } }] };
    await guarded(() => this.notices.updateMany({ orgId, memberId, readAt: null, shownAt: { $lte: shownAt }, ...before }, { $set: { readAt: new Date() } }));
  }

  /** Marks one as read. @throws StoreFault */
  async read({ orgId, memberId }: Whose, _id: string): Promise<void> {
    await guarded(() => this.notices.updateOne({ _id, orgId, memberId, readAt: null }, { $set: { readAt: new Date() } }));
  }

  /** What is mailed together, oldest first: all of it, which is never much more than somebody may have. @throws StoreFault */
  digest(digest: string): Promise<StoredNotice[]> {
    return guarded(() => this.notices.find({ digest }).sort({ createdAt: 1, _id: 1 }).toArray());
  }

  /** A notice whose digest went without it comes with a later one. @throws StoreFault */
  async putOff({ _id, digest: earlier }: StoredNotice, digest: string): Promise<void> {
    await guarded(() => this.notices.updateOne({ _id, digest: earlier, mailedAt: null }, { $set: { digest } }));
  }

  /** @throws StoreFault */
  async markMailed(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await guarded(() => this.notices.updateMany({ _id: { $in: [...ids] }, mailedAt: null }, { $set: { mailedAt: new Date() } }));
  }

  /** Takes away what is beyond the most that somebody may have. Every sixteenth notice has it done: they may have a few more for a while. */
  private async trim({ orgId, memberId }: Whose): Promise<void> {
    const [last] = await guarded(() => this.notices.find({ orgId, memberId }, { projection: { shownAt: 1 } }).sort({ shownAt: -1, _id: -1 }).skip(mostOfOne).limit(1).hint(shown).toArray());
    if (last === undefined) return;
    const { shownAt, _id } = last;
    const older = { $or: [...(shownAt === null ? [] : [{ shownAt: { $lt: shownAt } }]), { shownAt, _id: { $lte: _id } }] };
    await guarded(() => this.notices.deleteMany({ orgId, memberId, ...older }));
  }
}

function peopleIn(notices: readonly Whose[]): Whose[] {
  return [...new Map(notices.map(({ orgId, memberId }) => [`${orgId}/${memberId}`, { orgId, memberId }])).values()];
}
