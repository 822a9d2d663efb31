import { LRUCache } from 'lru-cache';
import { isTimeUp } from '#persistence';
import { asking } from './asking.js';

/** A plan that gambles gets so long, ms: a good guess needs a fraction, and more than that costs less by the other plan. */
export const gambleMs = 80;
/** How long a lost gamble is remembered, ms. */
const memoryMs = 60_000;

/** Two ways to answer the same: one that is mostly quicker, and one that is never slow. */
interface Ways<R> {
  first: (ms: number) => Promise<R>;
  second: () => Promise<R>;
  /** How long the first one is tried, ms. */
  stakeMs?: number;
}

/** Bets on the way that is mostly quicker, and remembers where it lost. */
export class Gambles {
  private readonly lost = new LRUCache<string, true>({ max: 5_000, ttl: memoryMs });

  /** Tries the first way for a moment, unless it lost to the second lately. @throws ProblemError dependency-unavailable */
  async play<R>(memory: string, { first, second, stakeMs = gambleMs }: Ways<R>): Promise<R> {
    const isLost = this.lost.has(memory);
    const tried = isLost ? undefined : await asking(() => inTime(first(stakeMs)));
    if (tried) return tried.value;
    const start = performance.now();
    const value = await asking(second);
    // Where both are slow the store is busy, and the first may be the better one all the same.
    if (performance.now() - start < gambleMs) this.lost.set(memory, true);
    else this.lost.delete(memory);
    return value;
  }
}

/** Undefined when time was up. */
async function inTime<R>(reading: Promise<R>): Promise<{ value: R } | undefined> {
  try {
    return { value: await reading };
  } catch (error) {
    if (isTimeUp(error)) return undefined;
    throw error;
  }
}
