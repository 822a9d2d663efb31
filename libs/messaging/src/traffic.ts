/** So long after their last round the foreground counts as busy, ms: longer than any of its paces. */
const lullMs = 300;

/** When subscriptions that somebody waits for last had work, for those that give way to them. */
export class Traffic {
  #seenAt = -Infinity;

  constructor(private readonly clock: () => number = Date.now) {}

  seen(): void {
    this.#seenAt = this.clock();
  }

  get isBusy(): boolean {
    return this.clock() - this.#seenAt < lullMs;
  }
}
