import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';

interface StoredHealth {
  /** The target. */
  _id: string;
  failingSince: Date | null;
}

/** Since when nothing has come through to webhooks. */
@Injectable()
export class WebhookHealth {
  private readonly health: mongoose.mongo.Collection<StoredHealth>;

  constructor(@Inject(STORE) { db }: Database) {
    this.health = db.collection('webhook_health');
  }

  /** It is found by its id. */
  async prepare(): Promise<void> {}

  /** Notes that nothing came through. @returns since when that is so @throws StoreFault */
  async fails(target: string): Promise<Date> {
    const failingSince = new Date();
    await guarded(() => this.health.updateOne({ _id: target, failingSince: null }, { $set: { failingSince } }, { upsert: true }).catch(unlessThere));
    return (await guarded(() => this.health.findOne({ _id: target })))?.failingSince ?? failingSince;
  }

  /** Notes that it answers, or is to be judged anew. @throws StoreFault */
  async isSound(target: string): Promise<void> {
    await guarded(() => this.health.updateOne({ _id: target, failingSince: { $ne: null } }, { $set: { failingSince: null } }));
  }

  /** Since when targets have been failing, of those that are. @throws StoreFault */
  async failing(targets: readonly string[]): Promise<Map<string, Date>> {
    const found = await guarded(() => this.health.find({ _id: { $in: [...targets] }, failingSince: { $ne: null } }).toArray());
    return new Map(found.map(({ _id, failingSince }) => [_id, failingSince!]));
  }
}
