import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { type Database, duplicates, guarded } from '#persistence';
import type { Collections } from '../collections.js';
import { longestMs } from '../asking.js';
import { COLLECTIONS, STORE } from '../store.js';
import type { Change } from './changed-days.projection.js';
import { daysOf, monthOf } from './range.js';

/** A day of an organisation whose tickets have changed since its cells were counted. */
interface Mark {
  /** organisation/day */
  _id: string;
  orgId: string;
  day: string;
  /** When the first of these changes was published; `never` when nothing has changed since the count under way began. */
  at: Date;
  /** The same of the changes that the count under way has before it; `never` without one. */
  since: Date;
  /** Who counts, and until when nobody else begins. */
  by?: string;
  until: Date;
}

/** Dirty days of one month, taken to be counted. */
export interface Claim {
  by: string;
  orgId: string;
  month: string;
  days: string[];
}

const never = new Date('9999-12-31T00:00:00.000Z');
const longAgo = new Date(0);
/** A count that says nothing for so long has died, ms. Two that count at once do no harm, they only work twice. */
const leaseMs = 20_000;
/** Two processes that note the same new day at once: one is told that it was late. */
const mostTries = 5;

/** Which days have to be counted again. A mark stays until a count that began after it has stored what it found. */
@Injectable()
export class Marks {
  private readonly marks: mongoose.mongo.Collection<Mark>;

  constructor(@Inject(STORE) { db }: Database, @Inject(COLLECTIONS) collections: Collections) {
    this.marks = db.collection(collections.statsMarks);
  }

  /** Notes days, each given once. What changed them must be in the views before. @throws StoreFault */
  async note(changes: readonly Change[]): Promise<void> {
    // In the order of their ids: bulks that meet in another order would lock each other out.
    let rest = (await this.unnoted(changes)).sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
    for (let tries = 0; rest.length > 0 && tries < mostTries; tries++) {
      const operations = rest.map(noting);
      const late = await guarded(() => this.marks.bulkWrite(operations, { ordered: false }).then(() => [], duplicates));
      rest = late.map((place) => rest[place]!);
    }
    if (rest.length > 0) throw Object.assign(new Error('days are noted by others all the time'), { passes: true });
  }

  /** Without those that are noted and not taken yet: whoever takes them reads the views later than now. Spares a busy day a write with every round. */
  private async unnoted(changes: readonly Change[]): Promise<Change[]> {
    if (changes.length === 0) return [];
    const found = await guarded(() => this.marks.find({ _id: { $in: changes.map(idOf) } }, { projection: { at: 1 } }).toArray());
    const noted = new Map(found.map(({ _id, at }) => [_id, at.getTime()]));
    return changes.filter((change) => (noted.get(idOf(change)) ?? Infinity) > change.at);
  }

  /** The days to count next: those that somebody began to count and left, then those that wait longest, and others of their month. Undefined when there is nothing to do. @throws StoreFault */
  async claim(): Promise<Claim | undefined> {
    const by = randomUUID();
    const isFree = { until: { $lt: new Date() } };
    const left = await guarded(() => this.marks.findOne({ at: never, ...isFree }, { hint: 'byAge' })); // else their turn never comes while others change
    const oldest = left ?? (await guarded(() => this.marks.findOne(isFree, { sort: { at: 1 }, hint: 'byAge' })));
    if (!oldest) return undefined;
    const { orgId } = oldest;
    const month = monthOf(oldest.day);
    const taken = { since: { $min: ['$at', '$since'] }, at: never, by, until: soon() };
    await guarded(() => this.marks.updateMany({ ...inMonth(orgId, month), ...isFree }, [{ $set: taken }], { hint: '_id_' }));
    const marks = await guarded(() => this.marks.find({ ...inMonth(orgId, month), by }, { hint: '_id_' }).toArray());
    return { by, orgId, month, days: marks.map(({ day }) => day) };
  }

  /** Says that the count goes on. @throws StoreFault */
  async renew({ orgId, month, by }: Claim): Promise<void> {
    await guarded(() => this.marks.updateMany({ ...inMonth(orgId, month), by }, { $set: { until: soon() } }, { hint: '_id_' }));
  }

  /** Everything is counted and stored: marks go, but those of days that have changed since. @throws StoreFault */
  async settle({ orgId, month, by }: Claim): Promise<void> {
    const ours = { ...inMonth(orgId, month), by };
    await guarded(() => this.marks.deleteMany({ ...ours, at: never }));
    await guarded(() => this.marks.updateMany(ours, { $set: { since: never, until: longAgo, by: '' } }, { hint: '_id_' }));
  }

  /** Not everything was counted: the marks are as if nothing had been. Those that somebody else has settled meanwhile come back. @throws StoreFault */
  async release({ orgId, month, days, by }: Claim): Promise<void> {
    await this.note(days.map((day) => ({ orgId, day, at: Date.now() })));
    const back = { at: { $min: ['$at', '$since'] }, since: never, until: longAgo, by: '' };
    await guarded(() => this.marks.updateMany({ ...inMonth(orgId, month), by }, [{ $set: back }], { hint: '_id_' }));
  }

  /** All days that are still to be counted. @throws StoreFault */
  async waiting(): Promise<Waiting> {
    const found = await guarded(() => this.marks.find({}, { projection: { at: 1, since: 1 } }).toArray());
    return new Map(found.map(({ _id, at, since }) => [_id, Math.min(at.getTime(), since.getTime())]));
  }

  /** When the first change was published that the cells do not have; undefined when they have all that was noted. */
  async oldest(orgId: string): Promise<Date | undefined> {
    const first = { $group: { _id: null, at: { $min: '$at' }, since: { $min: '$since' } } };
    const [found] = await this.marks.aggregate<{ at: Date; since: Date }>([{ $match: ofOrganisation(orgId) }, first], { hint: '_id_', maxTimeMS: longestMs }).toArray();
    return found && (found.at < found.since ? found.at : found.since);
  }
}

/** When days were changed first that are still to be counted, ms, by organisation and day. */
export type Waiting = ReadonlyMap<string, number>;

/** Whether the cells of one generation hold all that those of another do, as far as marks can tell. */
export const isCountedAsFar = (one: Waiting, other: Waiting): boolean => [...one].every(([day, at]) => at >= (other.get(day) ?? Infinity));

const idOf = ({ orgId, day }: Pick<Change, 'orgId' | 'day'>) => `${orgId}/${day}`;

const noting = ({ orgId, day, at }: Change) => ({
  updateOne: { filter: { _id: idOf({ orgId, day }) }, update: { $min: { at: new Date(at) }, $setOnInsert: { orgId, day, since: never, until: longAgo } }, upsert: true },
});

const soon = () => new Date(Date.now() + leaseMs);
const ofOrganisation = (orgId: string) => ({ _id: { $gt: `${orgId}/`, $lt: `${orgId}0` } });

function inMonth(orgId: string, month: string) {
  const { first, last } = daysOf(month);
  return { _id: { $gte: `${orgId}/${first}`, $lte: `${orgId}/${last}` } };
}
