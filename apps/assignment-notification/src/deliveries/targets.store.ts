import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { duplicates, guarded, type Database } from '#persistence';
import { STORE } from '../store.js';

/** A process that holds a target and dies gives way after so long, ms. Who lives renews in time. */
export const leaseMs = 6_000;

const never = new Date(0);

interface StoredTarget {
  _id: string;
  /** When there is something to do for it; null for not before something is claimed. */
  dueAt: Date | null;
  /** It is left alone until then, whatever is due: its tries have failed. */
  restsUntil: Date;
  /** Rounds in a row in which no try came through. */
  strikes: number;
  /** Some of its last tries took long. */
  isSlow?: boolean;
  /** How often something was claimed for it: who was asked meanwhile is not done. */
  wakes: number;
  leasedBy: string | null;
  leasedUntil: Date;
}

/** A target in the hands of this process. */
export interface HeldTarget {
  target: string;
  strikes: number;
  readonly isSlow: boolean;
  readonly wakes: number;
  readonly by: string;
  /** By this process's clock, ms since the epoch. */
  until: number;
}

/** What a target is like after a round, and when there is something to do for it next. */
export interface Next extends Pick<HeldTarget, 'strikes' | 'isSlow'> {
  dueAt: Date | null;
  restsUntil: Date | null;
}

const unless = (field: string, fresh: unknown) => ({ $ifNull: [`$${field}`, fresh] });

/** What a wake makes of a target. What is due keeps its place before those who were woken later: who is woken all the time would never have their turn. */
const woken = (now: Date) => [
  { $set: { dueAt: { $min: ['$dueAt', now] }, wakes: { $add: [unless('wakes', 0), 1] }, restsUntil: unless('restsUntil', never), strikes: unless('strikes', 0), leasedBy: unless('leasedBy', null), leasedUntil: unless('leasedUntil', never) } },
];

/** When there is something to do for each target. One process at a time works for a target, so that order is kept; what is due survives all of them. */
@Injectable()
export class Targets {
  private readonly targets: mongoose.mongo.Collection<StoredTarget>;
  private listener: () => void = () => undefined;

  constructor(@Inject(STORE) { db }: Database) {
    this.targets = db.collection('targets');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.targets.createIndexes([{ key: { dueAt: 1 } }]));
  }

  /** Called whenever this process has made something due. */
  onWake(listener: () => void): void {
    this.listener = listener;
  }

  /** Makes targets due now. @throws StoreFault */
  async wake(targets: ReadonlySet<string>): Promise<void> {
    if (targets.size === 0) return;
    const update = woken(new Date());
    const wakes = [...targets].sort().map((_id) => ({ updateOne: { filter: { _id }, update, upsert: true } }));
    const write = () => this.targets.bulkWrite(wakes, { ordered: false });
    // Two may make a target at once: who loses asks again.
    await guarded(() => write().catch((error: unknown) => (duplicates(error).length > 0 ? write() : undefined)));
    this.listener();
  }

  /** Takes a target that is due; undefined when there is none that nobody holds. @param sound only one whose last tries came through in good time @throws StoreFault */
  async take({ sound }: { sound: boolean }): Promise<HeldTarget | undefined> {
    const now = new Date();
    const by = randomUUID();
    const until = now.getTime() + leaseMs;
    const isFree = { dueAt: { $lte: now }, restsUntil: { $lte: now }, leasedUntil: { $lte: now }, ...(sound && { strikes: 0, isSlow: { $ne: true } }) };
    const set = { leasedBy: by, leasedUntil: new Date(until) };
    const taken = await guarded(() => this.targets.findOneAndUpdate(isFree, { $set: set }, { returnDocument: 'after', sort: { dueAt: 1 } }));
    return taken ? { target: taken._id, strikes: taken.strikes, isSlow: taken.isSlow ?? false, wakes: taken.wakes, by, until } : undefined;
  }

  /** Keeps targets in hand; one that somebody else has taken meanwhile stays lost. @throws StoreFault */
  async renew(held: readonly HeldTarget[]): Promise<void> {
    if (held.length === 0) return;
    const until = Date.now() + leaseMs;
    const sorted = [...held].sort((one, other) => (one.target < other.target ? -1 : 1));
    await guarded(() => this.targets.bulkWrite(sorted.map(({ target, by }) => ({ updateOne: { filter: { _id: target, leasedBy: by }, update: { $set: { leasedUntil: new Date(until) } } } }))));
    const still = new Set((await guarded(() => this.targets.find({ leasedBy: { $in: held.map(({ by }) => by) } }, { projection: { leasedBy: 1 } }).toArray())).map(({ leasedBy }) => leasedBy));
    for (const one of held) one.until = still.has(one.by) ? until : 0;
  }

  /** Gives a target back; it is due next at `dueAt`, or at once, behind all others that are, where something was claimed for it meanwhile. @throws StoreFault */
  async finish({ target: _id, by: leasedBy, wakes }: HeldTarget, { dueAt, strikes, isSlow, restsUntil }: Next): Promise<void> {
    const set = { strikes, isSlow, restsUntil: restsUntil ?? never, leasedBy: null, leasedUntil: never };
    const { matchedCount } = await guarded(() => this.targets.updateOne({ _id, leasedBy, wakes }, { $set: { ...set, dueAt } }));
    if (matchedCount === 0) await guarded(() => this.targets.updateOne({ _id, leasedBy }, { $set: { ...set, dueAt: new Date() } }));
  }
}
