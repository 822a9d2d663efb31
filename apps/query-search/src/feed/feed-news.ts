import { Injectable } from '@nestjs/common';
import { blockId, FeedStore } from './feed.store.js';
import type { Place } from './feed-places.js';

/** Between looks for what other processes have added, ms. */
const lookMs = 400;

/** Tells who waits for the feeds of organisations that something has come: at once of what this process adds, else by looking. */
@Injectable()
export class FeedNews {
  /** By organisation, those who wait, each with the block that they wait for: the one behind their place. */
  private readonly waiting = new Map<string, Map<() => void, string>>();
  private looking: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly feed: FeedStore) {}

  /** Organisations whose events of a round can be read now. */
  announce(orgIds: Iterable<string>): void {
    if (this.waiting.size === 0) return;
    for (const orgId of orgIds) for (const wake of [...(this.waiting.get(orgId)?.keys() ?? [])]) wake();
  }

  /** Resolves when there may be something behind a place, when `ms` have passed, or when the signal is given. */
  async behind(orgId: string, place: Place, { ms, signal }: { ms: number; signal: AbortSignal }): Promise<void> {
    const those = this.waiting.get(orgId) ?? new Map<() => void, string>();
    this.waiting.set(orgId, those);
    this.timer ??= setInterval(() => void (this.looking ??= this.look().finally(() => (this.looking = undefined))), lookMs).unref();
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(over);
        signal.removeEventListener('abort', wake);
        this.leave(orgId, those, wake);
        resolve();
      };
      const over = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      those.set(wake, blockId(orgId, place.block + 1));
      if (signal.aborted) wake();
    });
  }

  private leave(orgId: string, those: Map<() => void, string>, wake: () => void) {
    those.delete(wake);
    if (those.size === 0 && this.waiting.get(orgId) === those) this.waiting.delete(orgId);
    if (this.waiting.size === 0) this.timer = void clearInterval(this.timer);
  }

  /** Blocks have no gaps: whether there is something is whether the next one is there. One look serves all who wait. */
  private async look(): Promise<void> {
    const wanted = new Set([...this.waiting.values()].flatMap((those) => [...those.values()]));
    const there = await this.feed.there([...wanted]).catch(() => new Set<string>()); // who waits asks by itself in the end
    for (const those of [...this.waiting.values()]) for (const [wake, block] of [...those]) if (there.has(block)) wake();
  }
}
