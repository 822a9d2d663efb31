import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';

/** Claims are known for 30 days: what is older could be told twice, s. */
const oldestSeconds = 29 * 86_400;

/**
 * Since when people and systems are told of events. The topic has everything that ever happened, and a service that is new, or whose group has lost its place,
 * reads it from the start: nobody wants to hear of last year's replies.
 */
@Injectable()
export class Beginning {
  private readonly beginnings: mongoose.mongo.Collection<{ _id: string; at: string }>;
  private first: string | undefined;

  constructor(@Inject(STORE) { db }: Database) {
    this.beginnings = db.collection('beginnings');
  }

  /** Notes when this service has begun. @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.beginnings.insertOne({ _id: 'deliveries', at: new Date().toISOString() }).then(() => true, unlessThere));
  }

  /** Events before are told to nobody; ISO 8601. @throws StoreFault */
  async at(): Promise<string> {
    this.first ??= (await guarded(() => this.beginnings.findOne({ _id: 'deliveries' })))?.at;
    const oldest = new Date(Date.now() - oldestSeconds * 1_000).toISOString();
    return this.first !== undefined && this.first > oldest ? this.first : oldest;
  }
}
