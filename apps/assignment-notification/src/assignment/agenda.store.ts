import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { duplicates, guarded, type Database } from '#persistence';
import { STORE } from '../store.js';

/** Who holds an organisation's agenda and dies gives way after so long, ms. */
const leaseMs = 5_000;

interface StoredAgenda {
  /** The organisation. */
  _id: string;
  /** When its tickets are to be looked at; null for not before something happens. */
  dueAt: Date | null;
  /** How often somebody has asked for that: who was asked again meanwhile is not done. */
  wakes: number;
  lease: { by: string; until: Date } | null;
  /** Whom each rule chose last. */
  turns: Record<string, string>;
}

/** An organisation's agenda in the hands of this process. */
export interface Held {
  orgId: string;
  wakes: number;
  turns: ReadonlyMap<string, string>;
}

/** What a wake makes of an agenda. What is due keeps its place before those who were woken later: who is woken all the time would never have their turn. */
const woken = (now: Date) => [{ $set: { dueAt: { $min: ['$dueAt', now] }, wakes: { $add: [{ $ifNull: ['$wakes', 0] }, 1] }, lease: { $ifNull: ['$lease', null] }, turns: { $ifNull: ['$turns', {}] } } }];

/** When the tickets of each organisation are to be dealt out. One process at a time does it for an organisation; what is due survives all of them. */
@Injectable()
export class Agenda {
  private readonly me = randomUUID();
  private readonly agendas: mongoose.mongo.Collection<StoredAgenda>;
  private listener: () => void = () => undefined;

  constructor(@Inject(STORE) { db }: Database) {
    this.agendas = db.collection('agendas');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.agendas.createIndexes([{ key: { dueAt: 1 } }]));
  }

  /** Called whenever this process has made something due. */
  onWake(listener: () => void): void {
    this.listener = listener;
  }

  /** Makes the tickets of organisations due now. @throws StoreFault */
  async wake(orgIds: ReadonlySet<string>): Promise<void> {
    if (orgIds.size === 0) return;
    const update = woken(new Date());
    const write = () => this.agendas.bulkWrite(wakes, { ordered: false });
    const wakes = [...orgIds].sort().map((_id) => ({ updateOne: { filter: { _id }, update, upsert: true } }));
    // Two may make an agenda at once: who loses asks again.
    await guarded(() => write().catch((error: unknown) => (duplicates(error).length > 0 ? write() : undefined)));
    this.listener();
  }

  /** Takes an agenda that is due; undefined when there is none that nobody holds. @throws StoreFault */
  async take(): Promise<Held | undefined> {
    const now = new Date();
    const isFree = { $or: [{ lease: null }, { 'lease.until': { $lt: now } }] };
    const lease = { by: this.me, until: new Date(now.getTime() + leaseMs) };
    const taken = await guarded(() => this.agendas.findOneAndUpdate({ dueAt: { $lte: now }, ...isFree }, { $set: { lease } }, { returnDocument: 'after', sort: { dueAt: 1 } }));
    return taken ? { orgId: taken._id, wakes: taken.wakes, turns: new Map(Object.entries(taken.turns)) } : undefined;
  }

  /** Holds an agenda for longer. False for who was too slow: somebody else may have gone on with it, and what was found out may be true no more. @throws StoreFault */
  async keep({ orgId: _id }: Held): Promise<boolean> {
    const now = new Date();
    const until = new Date(now.getTime() + leaseMs);
    const { matchedCount } = await guarded(() => this.agendas.updateOne({ _id, 'lease.by': this.me, 'lease.until': { $gt: now } }, { $set: { 'lease.until': until } }));
    return matchedCount === 1 && Date.now() < until.getTime();
  }

  /** Notes whom rules chose last. @param turns of all rules that there are: those of others are forgotten @throws StoreFault */
  async turn({ orgId: _id }: Held, turns: ReadonlyMap<string, string>): Promise<void> {
    await guarded(() => this.agendas.updateOne({ _id, 'lease.by': this.me }, { $set: { turns: Object.fromEntries(turns) } }));
  }

  /** Gives an agenda back; it is due next at `dueAt`, or at once, behind all others that are, where somebody has asked for that meanwhile. @throws StoreFault */
  async finish({ orgId: _id, wakes }: Held, dueAt: Date | null): Promise<void> {
    const isMine = { _id, wakes, 'lease.by': this.me };
    const { matchedCount } = await guarded(() => this.agendas.updateOne(isMine, { $set: { dueAt, lease: null } }));
    if (matchedCount === 0) await guarded(() => this.agendas.updateOne({ _id, 'lease.by': this.me }, { $set: { dueAt: new Date(), lease: null } }));
  }
}
