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
    const [known, ahead] = [this.large.get(name), this.counting.get(name)];
    if (!known) return (ahead && (await this.ifLarge(ahead))) ?? this.begin(name, count);
    const age = Date.now() - known.at;
    if (age < renewedMs) return known.count;
    const counting = ahead ?? this.begin(name, count);
    if (age >= oldestMs) return counting;
    counting.catch(() => undefined); // whoever asks when it has become too old tries again, and hears of it
    return known.count;
  }

  /** What somebody else is just counting: where it is small it may miss what was written since. */
  private async ifLarge(counting: Promise<C>): Promise<C | undefined> {
    const count = await counting.catch(() => undefined);
    return count && this.isLarge(count) ? count : undefined;
  }

  private begin(name: string, count: () => Promise<C>): Promise<C> {
    const counting = this.count(name, count).finally(() => this.counting.get(name) === counting && this.counting.delete(name));
    this.counting.set(name, counting);
    return counting;
  }

  private isLarge({ total, isExact }: Count): boolean {
    return total > this.exactUpTo || !isExact;
  }

  private async count(name: string, counted: () => Promise<C>): Promise<C> {
    const at = Date.now();
    const count = await counted();
    if (this.isLarge(count)) this.large.set(name, { count, at });
    else this.large.delete(name);
    return count;
  }
}
