import mongoose from 'mongoose';
import type { Database } from './database.js';
import { guarded } from './fault.js';

interface Counter {
  _id: string;
  next: number;
}
interface Block {
  next: number;
  end: number;
  size: number;
  takenAt: number;
}

/** A block is doubled when it lasted less than this, halved when it lasted ten times as long, ms. */
const aimMs = 1_000;
const smallest = 8;
const largest = 1_000;

/**
 * Numbers that are unique per organisation and rise within this process, taken from a stored counter a block at a time. Blocks grow with
 * use, so a quiet organisation skips little when the process ends and a busy one asks rarely.
 */
export class NumberBlocks {
  private readonly counters: mongoose.mongo.Collection<Counter>;
  private readonly blocks = new Map<string, Block>();
  /** One taker after the other: two at once would each fetch a block, and the numbers would not rise. */
  private readonly turns = new Map<string, Promise<void>>();

  constructor(
    { db }: Pick<Database, 'db'>,
    private readonly clock: () => number = Date.now,
  ) {
    this.counters = db.collection('counters');
  }

  /** So many numbers of the organisation, rising; one round trip when the block at hand does not hold them. What is not used is skipped for good. */
  take(orgId: string, count: number): Promise<number[]> {
    const before = this.turns.get(orgId) ?? Promise.resolve();
    const taken = before.then(() => this.takeNext(orgId, count));
    const turn = taken.then(
      () => undefined,
      () => undefined,
    );
    this.turns.set(orgId, turn);
    return taken;
  }

  private async takeNext(orgId: string, count: number): Promise<number[]> {
    const block = this.blocks.get(orgId);
    const taken = block === undefined ? [] : cut(block, count);
    if (taken.length === count) return taken;
    const fresh = await this.nextBlock(orgId, this.nextSize(block, count));
    this.blocks.set(orgId, fresh);
    return [...taken, ...cut(fresh, count - taken.length)];
  }

  private async nextBlock(orgId: string, size: number): Promise<Block> {
    const next = (await this.raised(orgId, size)) ?? (await this.begun(orgId, size)) ?? (await this.raised(orgId, size));
    if (next === null) throw new Error(`the counter of ${orgId} is there and is not`);
    return { next: next + 1 - size, end: next + 1, size, takenAt: this.clock() };
  }

  /** The counter after it was raised, or null when the organisation has none. Never an upsert: two at once are told the same value by some servers. */
  private async raised(orgId: string, size: number): Promise<number | null> {
    const counter = await guarded(() => this.counters.findOneAndUpdate({ _id: orgId }, { $inc: { next: size } }, { returnDocument: 'after' }));
    return counter?.next ?? null;
  }

  /** The counter that was begun, or null when another instance was faster. */
  private async begun(orgId: string, size: number): Promise<number | null> {
    const unlessThere = (error: unknown) => (isDuplicateKey(error) ? null : Promise.reject(error));
    return guarded(() => this.counters.insertOne({ _id: orgId, next: size }).then(() => size, unlessThere));
  }

  private nextSize(block: Block | undefined, count: number): number {
    if (block === undefined) return Math.max(smallest, count);
    const lasted = this.clock() - block.takenAt;
    const size = lasted < aimMs ? block.size * 2 : lasted > 10 * aimMs ? block.size / 2 : block.size;
    return Math.max(count, Math.min(largest, Math.max(smallest, Math.ceil(size))));
  }
}

const isDuplicateKey = (error: unknown) => error instanceof mongoose.mongo.MongoServerError && error.code === 11_000;

/** Takes up to `count` numbers off the front of a block. */
function cut(block: Block, count: number): number[] {
  const first = block.next;
  block.next = Math.min(block.end, first + count);
  return Array.from({ length: block.next - first }, (_, index) => first + index);
}
