import { Injectable } from '@nestjs/common';

/** Tells who waits for a ticket that this process has just stored a newer view of it. Other processes' writes are found by looking. */
@Injectable()
export class Arrivals {
  private readonly waiting = new Map<string, Set<() => void>>();

  /** @param ids `_id`s of stored views */
  announce(ids: readonly string[]): void {
    if (this.waiting.size === 0) return;
    for (const id of ids) for (const wake of this.waiting.get(id) ?? []) wake();
  }

  /** Resolves when the ticket was announced, or after `ms`. */
  async next(id: string, ms: number): Promise<void> {
    const waiters = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, waiters);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiters.delete(wake);
        if (waiters.size === 0 && this.waiting.get(id) === waiters) this.waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      waiters.add(wake);
    });
  }
}
