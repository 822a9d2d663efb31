import type mongoose from 'mongoose';
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

  constructor(
    { db }: Pick<Database, 'db'>,
    private readonly clock: () => number = Date.now,
  ) {
    this.counters = db.collection('counters');
  }

  /** Makes sure that so many numbers of each organisation can be taken; one round trip for each that has too few. */
  async reserve(needs: ReadonlyMap<string, number>): Promise<void> {
    await Promise.all([...needs].map(([orgId, count]) => this.reserveOne(orgId, count)));
  }

  /** The number that `take` would give. Throws when none was reserved: that is a defect of the caller. */
  peek(orgId: string): number {
    const block = this.blocks.get(orgId);
    if (block === undefined || block.next >= block.end) throw new Error(`no number is reserved for ${orgId}`);
    return block.next;
  }

  take(orgId: string): number {
    const number = this.peek(orgId);
    this.blocks.get(orgId)!.next += 1;
    return number;
  }

  private async reserveOne(orgId: string, count: number): Promise<void> {
    const block = this.blocks.get(orgId);
    if (block !== undefined && block.end - block.next >= count) return;
    const size = Math.max(count, this.nextSize(block));
    const counter = await guarded(() =>
      this.counters.findOneAndUpdate({ _id: orgId }, { $inc: { next: size } }, { upsert: true, returnDocument: 'after' }),
    );
    const end = counter!.next + 1;
    this.blocks.set(orgId, { next: end - size, end, size, takenAt: this.clock() });
  }

  private nextSize(block: Block | undefined): number {
    if (block === undefined) return smallest;
    const lasted = this.clock() - block.takenAt;
    const size = lasted < aimMs ? block.size * 2 : lasted > 10 * aimMs ? block.size / 2 : block.size;
    return Math.min(largest, Math.max(smallest, Math.ceil(size)));
  }
}
