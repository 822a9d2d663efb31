import { LRUCache } from 'lru-cache';

/** A number of tickets; counting stops at 10,000. */
export interface Count {
  total: number;
  isExact: boolean;
}

/** Large counts may be so old, ms (contract section 4). */
const oldestMs = 5_000;
/** How long a count is known to have been large, ms. */
const memoryMs = 60_000;

/** Counts above some size are told again for a while, for counting them is most of a list's cost; smaller ones are made anew each time. */
export class LargeCounts {
  private readonly large = new LRUCache<string, { count: Count; at: number }>({ max: 5_000, ttl: memoryMs });
  private readonly counting = new Map<string, Promise<Count>>();

  /** @param exactUpTo counts up to this are never told again */
  constructor(private readonly exactUpTo: number) {}

  /** What the name stands for, counted. Who asks for a large one meanwhile shares the answer. */
  async told(name: string, count: () => Promise<Count>): Promise<Count> {
    const known = this.large.get(name);
    if (known && Date.now() - known.at < oldestMs) return known.count;
    const shared = known && this.counting.get(name);
    if (shared) return shared;
    const counting = this.count(name, count).finally(() => this.counting.delete(name));
    this.counting.set(name, counting);
    return counting;
  }

  private async count(name: string, counted: () => Promise<Count>): Promise<Count> {
    const at = Date.now();
    const count = await counted();
    if (count.total > this.exactUpTo) this.large.set(name, { count, at });
    else this.large.delete(name);
    return count;
  }
}
