import type mongoose from 'mongoose';
import { readOnce } from '#persistence';
import type { Sort } from '#contracts';
import { orders } from './list-order.js';
import type { Plan } from './list-plan.js';

/** A part of a list. */
export interface Slice {
  skip: number;
  limit: number;
}

/** What is read of a list, and how long that may take. */
export interface Asked {
  piece: Slice;
  projection: object;
  maxTimeMS: number;
}

/** The documents of a collection as plans lead to them. */
export class Documents<T extends { _id: string }> {
  constructor(
    private readonly db: mongoose.mongo.Db,
    private readonly collection: string,
  ) {}

  /** A piece of what a plan leads to, in an order. */
  read(sort: Sort, { filter, hint }: Plan, { piece, projection, maxTimeMS }: Asked): Promise<T[]> {
    const { skip, limit } = piece;
    return readOnce(this.db, this.collection, { filter, projection, sort: new Map(orders[sort].fields), skip, limit, hint, maxTimeMS });
  }

  /** What a plan leads to, in no order. */
  gather<G extends { _id: string } = T>({ filter, hint }: { filter: object; hint: string }, { limit, projection, maxTimeMS }: { limit: number; projection: object; maxTimeMS: number }): Promise<G[]> {
    return readOnce<G>(this.db, this.collection, { filter, projection, hint, limit, maxTimeMS });
  }

  /** How many there are; counting stops at the limit. */
  count({ filter, hint }: Plan, { limit, maxTimeMS }: { limit: number; maxTimeMS: number }): Promise<number> {
    return this.db.collection(this.collection).countDocuments(filter, { limit, maxTimeMS, hint });
  }
}
