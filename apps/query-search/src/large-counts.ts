import { LRUCache } from 'lru-cache';

/** A number of tickets; counting stops at 10,000. */
export interface Count {
  total: number;
  isExact: boolean;
}

/** Large counts may be so old, ms (contract section 4). */
const oldestMs = 5_000;
/** From this age on, ms, whoever asks has it counted anew, and need not wait for that. */
const renewedMs = 3_000;
/** How long a count is known to have been large, ms. */
const memoryMs = 60_000;

/** Counts above some size, and those that are not exact because there was too much to look at, are told again for a while: making them is most of a list's cost. Others are made anew each time. */
export class LargeCounts<C extends Count = Count> {
  private readonly large = new LRUCache<string, { count: C; at: number }>({ max: 5_000, ttl: memoryMs });
  private readonly counting = new Map<string, Promise<C>>();

  /** @param exactUpTo counts up to this are never told again */
  constructor(private readonly exactUpTo: number) {}

  /** What the name stands for, counted. Who asks for a large one meanwhile shares the answer. */
  async told(name: string, count: () => Promise<C>): Promise<C> {
    const known = this.large.get(name);
    const age = known ? Date.now() - known.at : Infinity;
    if (known && age < renewedMs) return known.count;
    const counting = (known && this.counting.get(name)) ?? this.begin(name, count);
    if (!known || age >= oldestMs) return counting;
    counting.catch(() => undefined); // whoever asks when it has become too old tries again, and hears of it
    return known.count;
  }

  private begin(name: string, count: () => Promise<C>): Promise<C> {
    const counting = this.count(name, count).finally(() => this.counting.delete(name));
    this.counting.set(name, counting);
    return counting;
  }

  private async count(name: string, counted: () => Promise<C>): Promise<C> {
    const at = Date.now();
    const count = await counted();
    if (count.total > this.exactUpTo || !count.isExact) this.large.set(name, { count, at });
    else this.large.delete(name);
    return count;
  }
}
