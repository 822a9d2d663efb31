import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, insertEach, type Database } from '#persistence';
import { STORE } from '../store.js';
import type { Attempt, Claim, Delivery, DeliveryState } from './delivery.js';
import { Targets } from './targets.store.js';

/** What has come to its end is kept so long: lists show it, and what is claimed again in that time is known, s. */
const keptSeconds = 30 * 86_400;
/** Contents that are read at once, and what one is taken to have whose length was not noted, characters. */
const handfulBytes = 4 * 1024 * 1024;
const unknownBytes = 256 * 1024;
/** Attempts that a delivery remembers. */
const rememberedAttempts = 20;
/** Requests to send it again that it remembers. */
const rememberedRequests = 50;

/** What a try has made of a delivery. */
export interface Tried {
  delivery: Delivery;
  attempt: Attempt;
  /** Its state from now on, and when there is something to do for it. */
  state: DeliveryState;
  dueAt: Date | null;
}

/** A part of a list, newest first. */
export interface DeliveryFilter {
  state?: DeliveryState;
  /** Only those made before this one. */
  before?: { createdAt: Date; id: string };
  limit: number;
}

/**
 * What is to be told, and what has become of it. Whoever finds that somebody must hear of something claims it here, under an id that says what it is: a claim that is made
 * twice is one. Nothing is sent from here.
 */
@Injectable()
export class Deliveries {
  private readonly deliveries: mongoose.mongo.Collection<Delivery>;

  constructor(
    @Inject(STORE) { db }: Database,
    private readonly targets: Targets,
  ) {
    this.deliveries = db.collection('deliveries');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    const queues = { key: { target: 1, queue: 1, seq: 1 }, partialFilterExpression: { state: 'waiting' } } as const;
    const kept = { key: { endedAt: 1 }, expireAfterSeconds: keptSeconds } as const;
    const lists = [{ key: { target: 1, createdAt: -1, _id: -1 } }, { key: { target: 1, state: 1, createdAt: -1, _id: -1 } }] as const;
    await guarded(() => this.deliveries.createIndexes([{ key: { target: 1, dueAt: 1, seq: 1 } }, queues, ...lists, kept]));
  }

  /** Claims deliveries; those that were claimed before stay what they are. @throws StoreFault */
  async claim(claims: readonly Claim[]): Promise<void> {
    const createdAt = new Date();
    const fresh = { state: 'waiting', tries: 0, attempts: [], createdAt, endedAt: null } as const;
    const distinct = new Map(
      claims.map(({ id: _id, notBefore = null, ...claim }): [string, Delivery] => [_id, { _id, ...claim, bytes: claim.content.length, ...fresh, attempts: [], notBefore, dueAt: notBefore ?? createdAt, askedAt: notBefore ?? createdAt }]),
    );
    // In their order: a target may be worked for at this moment, and what is behind must not be there first.
    const { refused } = await insertEach(this.deliveries, [...distinct.values()], inOrder);
    if (refused.length > 0) throw refused[0]!.error;
    // For those that were there, too: whoever claimed them may have died before.
    await this.targets.wake(new Set(claims.map(({ target }) => target)));
  }

  /**
   * What there is to do for a target now, longest due first; of what was claimed together the lowest `seq`. Their contents have no more than `handfulBytes` in all, but
   * for a single one that has more. @throws StoreFault
   */
  async due(target: string, limit: number): Promise<Delivery[]> {
    const first = await guarded(() => this.deliveries.find({ target, dueAt: { $lte: new Date() } }, { projection: { bytes: 1 } }).sort({ dueAt: 1, seq: 1 }).limit(limit).toArray());
    const ids = withinBytes(first).map(({ _id }) => _id);
    if (ids.length === 0) return [];
    const found = new Map((await guarded(() => this.deliveries.find({ _id: { $in: ids } }).toArray())).map((one) => [one._id, one]));
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** When there is something to do for a target next; null for never. @throws StoreFault */
  async nextDue(target: string): Promise<Date | null> {
    const next = await guarded(() => this.deliveries.findOne({ target, dueAt: { $gt: new Date(0) } }, { sort: { dueAt: 1 }, projection: { dueAt: 1 } }));
    return next?.dueAt ?? null;
  }

  /** What waits in each queue, in its order, and when its head is due. @throws StoreFault */
  async waitingIn(target: string, queues: readonly string[]): Promise<Map<string, { seqs: number[]; dueAt: Date | null }>> {
    const projection = { _id: 0, queue: 1, seq: 1, dueAt: 1 };
    const found = await guarded(() => this.deliveries.find({ target, queue: { $in: [...queues] }, state: 'waiting' }, { projection, batchSize: 1_000 }).toArray());
    const waiting = Map.groupBy(found.sort((one, other) => one.seq - other.seq), ({ queue }) => queue);
    return new Map([...waiting].map(([queue, some]) => [queue, { seqs: some.map(({ seq }) => seq), dueAt: some[0]!.dueAt }]));
  }

  /** Stores what became of tries. One that somebody else has tried meanwhile, or asked for anew, stays as they left it. @throws StoreFault */
  async note(tried: readonly Tried[]): Promise<void> {
    const alike = Map.groupBy(tried, ({ delivery: { tries, request } }) => JSON.stringify([tries, request]));
    for (const some of alike.values()) {
      const { tries, request } = some[0]!.delivery;
      await guarded(() => this.deliveries.updateMany({ _id: { $in: idsOf(some) }, state: 'waiting', tries, request: request ?? { $exists: false } }, outcomes(some)));
    }
  }

  /** Puts deliveries off that wait for others of their queue. @throws StoreFault */
  async postpone(waiting: readonly { id: string; until: Date }[]): Promise<void> {
    for (const [until, some] of Map.groupBy(waiting, (one) => one.until.getTime())) {
      await guarded(() => this.deliveries.updateMany({ _id: { $in: some.map(({ id }) => id) }, state: 'waiting' }, { $set: { dueAt: new Date(until) } }));
    }
  }

  /** Whoever waited for the head of a queue that has come to its end is due: they were put off to its next try. @throws StoreFault */
  async release(target: string, queues: readonly string[]): Promise<void> {
    const now = new Date();
    if (queues.length > 0) await guarded(() => this.deliveries.updateMany({ target, queue: { $in: [...queues] }, state: 'waiting', tries: 0, notBefore: null, dueAt: { $gt: now } }, { $set: { dueAt: now } }));
  }

  /** Nothing is left to do for deliveries that have come to their end. @throws StoreFault */
  async markSettled(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await guarded(() => this.deliveries.updateMany({ _id: { $in: [...ids] }, state: { $ne: 'waiting' } }, { $set: { dueAt: null } }));
  }

  /** Drops whatever waits for a target and was asked for until then: it may be told again of what comes later. @throws StoreFault */
  async drop(target: string, until: Date): Promise<void> {
    await guarded(() => this.deliveries.updateMany({ target, state: 'waiting', askedAt: { $lte: until } }, { $set: { state: 'dropped', dueAt: null, endedAt: new Date() } }));
  }

  /** Has a delivery sent once more, whatever became of it before. @returns whether it is there @throws StoreFault */
  async again(orgId: string, target: string, id: string): Promise<boolean> {
    return this.wait({ _id: id, orgId, target }, {});
  }

  /** The same, with what is sent now; a repeat of one of the last requests asks for nothing more. @throws StoreFault */
  async sendAnew({ _id, orgId, target }: Pick<Delivery, '_id' | 'orgId' | 'target'>, change: { content: string; request: string }): Promise<void> {
    await this.wait({ _id, orgId, target, request: { $ne: change.request }, requests: { $ne: change.request } }, change);
  }

  /** With all that waits in its queue: what is before it goes first. The target is woken in any case: whoever asked the same before may have died before they did. */
  private async wait({ target, ...isIt }: { _id: string; orgId: string; target: string; request?: { $ne: string }; requests?: { $ne: string } }, change: { content?: string; request?: string }): Promise<boolean> {
    const now = new Date();
    const set = { state: 'waiting' as const, dueAt: now, askedAt: now, notBefore: null, tries: 0, endedAt: null, ...change, ...(change.content !== undefined && { bytes: change.content.length }) };
    const remember = change.request !== undefined && { $push: { requests: { $each: [change.request], $slice: -rememberedRequests } } };
    const asked = await guarded(() => this.deliveries.findOneAndUpdate({ target, ...isIt }, { $set: set, ...remember }, { projection: { queue: 1 } }));
    if (asked !== null) await guarded(() => this.deliveries.updateMany({ target, queue: asked.queue, state: 'waiting', notBefore: null, dueAt: { $gt: now } }, { $set: { dueAt: now } }));
    await this.targets.wake(new Set([target]));
    return asked !== null;
  }

  /** @throws StoreFault */
  find(orgId: string, target: string, id: string): Promise<Delivery | null> {
    return guarded(() => this.deliveries.findOne({ _id: id, orgId, target }));
  }

  /** Whoever it is for. @throws StoreFault */
  findAnywhere(orgId: string, id: string): Promise<Delivery | null> {
    return guarded(() => this.deliveries.findOne({ _id: id, orgId }));
  }

  /** How many wait for a target, as far as somebody counts. @throws StoreFault */
  waiting(target: string, limit: number): Promise<number> {
    return guarded(() => this.deliveries.countDocuments({ target, state: 'waiting' }, { limit }));
  }

  /** Deliveries of a target, newest first. @throws StoreFault */
  list(orgId: string, target: string, { state, before, limit }: DeliveryFilter): Promise<Delivery[]> {
    const older = before && { $or: [{ createdAt: { $lt: before.createdAt } }, { createdAt: before.createdAt, _id: { $lt: before.id } }] };
    return guarded(() => this.deliveries.find({ orgId, target, ...(state && { state }), ...older }).sort({ createdAt: -1, _id: -1 }).limit(limit).toArray());
  }
}

const idsOf = (tried: readonly Tried[]) => tried.map(({ delivery }) => delivery._id);

/** What became of each, as one statement for all of them: as many small ones cost the store three times as much. What others have said is text, whatever it begins with. */
function outcomes(tried: readonly Tried[]): object[] {
  const endedAt = new Date();
  const all = tried.map(({ attempt, state, dueAt }) => ({ attempt, state, dueAt, endedAt: state === 'waiting' ? null : endedAt }));
  const mine = { $arrayElemAt: [{ $literal: all }, { $indexOfArray: [{ $literal: idsOf(tried) }, '$_id'] }] };
  const attempts = { $slice: [{ $concatArrays: ['$attempts', ['$mine.attempt']] }, -rememberedAttempts] };
  return [
    { $set: { mine } },
    { $set: { state: '$mine.state', dueAt: '$mine.dueAt', endedAt: '$mine.endedAt', tries: { $add: ['$tries', 1] }, attempts } },
    { $unset: 'mine' },
  ];
}

/** As many of the first as are read at once. */
function withinBytes<T extends Pick<Delivery, 'bytes'>>(some: readonly T[]): T[] {
  let sum = 0;
  return some.filter(({ bytes = unknownBytes }, i) => (sum += bytes) <= handfulBytes || i === 0);
}

/** The order of sending. */
function inOrder(one: Delivery, other: Delivery): number {
  if (one.target !== other.target) return one.target < other.target ? -1 : 1;
  if (one.queue !== other.queue) return one.queue < other.queue ? -1 : 1;
  return one.seq - other.seq || (one._id < other._id ? -1 : 1);
}
