import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { WebhookReplay } from '#contracts';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';

/** Whoever reads for a replay and dies gives way after so long, ms. */
export const leaseMs = 15_000;

const never = new Date(0);

/** What is still to be read of a partition: from `next` to before `end`. */
export interface Part {
  partition: number;
  first: number;
  next: number;
  end: number;
}

interface StoredReplay {
  /** The target: a webhook has one replay at a time. */
  _id: string;
  id: string;
  from: string;
  startedAt: string;
  state: WebhookReplay['state'];
  endedAt: string | null;
  /** Null before the first look at the topic. */
  parts: Part[] | null;
  events: number;
  dueAt: Date;
  leasedUntil: Date;
}

/** A replay in the hands of this process. */
export type HeldReplay = Pick<StoredReplay, 'id' | 'from' | 'startedAt' | 'parts' | 'events' | 'leasedUntil'> & { target: string };

/** What is to be sent to webhooks once more, and how far that is: whoever goes on after a crash goes on from there. */
@Injectable()
export class Replays {
  private readonly replays: mongoose.mongo.Collection<StoredReplay>;

  constructor(@Inject(STORE) { db }: Database) {
    this.replays = db.collection('webhook_replays');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.replays.createIndexes([{ key: { dueAt: 1 }, partialFilterExpression: { state: 'running' } }]));
  }

  /** Begins a replay in the place of one that was asked for earlier; of a later one it does not take the place. @throws StoreFault */
  async begin(target: string, { id, from, startedAt }: Pick<StoredReplay, 'id' | 'from' | 'startedAt'>): Promise<void> {
    const fresh = { id, from, startedAt, state: 'running' as const, endedAt: null, parts: null, events: 0, dueAt: new Date(), leasedUntil: never };
    await guarded(() => this.replays.updateOne({ _id: target, startedAt: { $lt: startedAt } }, { $set: fresh }, { upsert: true }).catch(unlessThere));
  }

  /** Ends what was asked for until then. @throws StoreFault */
  async stop(target: string, until: string): Promise<void> {
    await guarded(() => this.replays.updateOne({ _id: target, state: 'running', startedAt: { $lte: until } }, { $set: { state: 'stopped', endedAt: new Date().toISOString() } }));
  }

  /** By target. @throws StoreFault */
  async of(targets: readonly string[]): Promise<Map<string, WebhookReplay>> {
    const found = await guarded(() => this.replays.find({ _id: { $in: [...targets] } }).toArray());
    return new Map(found.map((one) => [one._id, shown(one)]));
  }

  /** Takes one that is due. @throws StoreFault */
  async take(): Promise<HeldReplay | undefined> {
    const now = new Date();
    const isFree = { state: 'running' as const, dueAt: { $lte: now }, leasedUntil: { $lte: now } };
    const taken = await guarded(() => this.replays.findOneAndUpdate(isFree, { $set: { leasedUntil: new Date(now.getTime() + leaseMs) } }, { returnDocument: 'after', sort: { dueAt: 1 } }));
    return taken ? { target: taken._id, ...taken } : undefined;
  }

  /** Gives one back, as far as it is; one that was stopped, replaced or taken by somebody else meanwhile stays as they left it. @throws StoreFault */
  async giveBack({ target: _id, id, leasedUntil }: HeldReplay, { parts, events, dueAt }: Pick<StoredReplay, 'events' | 'dueAt'> & { parts: Part[] }): Promise<void> {
    const isDone = parts.every(({ next, end }) => next >= end);
    const end = isDone && { state: 'done' as const, endedAt: new Date().toISOString() };
    await guarded(() => this.replays.updateOne({ _id, id, state: 'running', leasedUntil }, { $set: { parts, events, dueAt, leasedUntil: never, ...end } }));
  }
}

function shown({ id, from, state, startedAt, endedAt, parts, events }: StoredReplay): WebhookReplay {
  const [all, read] = (parts ?? []).reduce(([whole, done], { first, next, end }) => [whole + end - first, done + next - first], [0, 0] as [number, number]);
  const progress = state === 'done' ? 1 : all === 0 ? 0 : read / all;
  return { id, from, state, startedAt, endedAt, progress, events };
}
