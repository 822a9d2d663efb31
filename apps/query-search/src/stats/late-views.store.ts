import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { collections } from '../collections.js';
import { duplicates } from '../newer-only.store.js';
import { longestMs } from '../planned-reads.store.js';
import { ProjectionStore } from '../projection.store.js';
import { STORE } from '../store.js';
import type { Change } from './marks.store.js';

/** A ticket's version that is not in the views yet, and the day that it changes. */
export interface LateView extends Change {
  /** organisation/ticket */
  id: string;
  version: number;
}

interface LateDocument {
  _id: string;
  orgId: string;
  version: number;
  day: string;
  at: Date;
  /** For the index that forgets what never came. */
  parkedAt: Date;
}

const atOnce = 500;

/** Tickets whose views lag behind what happened: so that nobody has to wait for them. */
@Injectable()
export class LateViews {
  private readonly late: mongoose.mongo.Collection<LateDocument>;

  constructor(
    @Inject(STORE) { db }: Database,
    private readonly views: ProjectionStore,
  ) {
    this.late = db.collection(collections.statsLate);
  }

  /** Remembers them. @throws StoreFault */
  async park(late: readonly LateView[]): Promise<void> {
    const sorted = [...late].sort((one, other) => (one.id < other.id ? -1 : 1)).map(parking);
    if (sorted.length === 0) return;
    const lost = await guarded(() => this.late.bulkWrite(sorted, { ordered: false }).then(() => [], duplicates));
    if (lost.length > 0) await guarded(() => this.late.bulkWrite(lost.map((place) => sorted[place]!), { ordered: false }));
  }

  /** Of the first ones, those that have come by now; they are told again until `forget`. @throws StoreFault */
  async arrived(): Promise<LateView[]> {
    const parked = await guarded(() => this.late.find().limit(atOnce).toArray());
    if (parked.length === 0) return [];
    const versions = await this.views.versions(parked.map(({ _id }) => _id));
    return parked.filter(({ _id, version }) => (versions.get(_id) ?? 0) >= version).map(({ _id: id, orgId, version, day, at }) => ({ id, orgId, version, day, at: at.getTime() }));
  }

  /** Once their days are noted. One that a newer version was parked for meanwhile stays. @throws StoreFault */
  async forget(arrived: readonly LateView[]): Promise<void> {
    if (arrived.length === 0) return;
    const operations = arrived.map(({ id, version }) => ({ deleteOne: { filter: { _id: id, version } } }));
    await guarded(() => this.late.bulkWrite(operations, { ordered: false }));
  }

  /** When the first change was published that the views of an organisation do not have yet. */
  async oldest(orgId: string): Promise<Date | undefined> {
    const [first] = await this.late.find({ _id: { $gt: `${orgId}/`, $lt: `${orgId}0` } }, { hint: '_id_', maxTimeMS: longestMs }).sort({ at: 1 }).limit(1).toArray();
    return first?.at;
  }
}

const parking = ({ id, orgId, version, day, at }: LateView) => ({
  updateOne: {
    filter: { _id: id },
    update: { $max: { version }, $min: { at: new Date(at) }, $setOnInsert: { orgId, day, parkedAt: new Date() } },
    upsert: true,
  },
});
