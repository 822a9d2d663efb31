/** So long after their last round the foreground counts as busy, ms: longer than any of its paces. */
const lullMs = 300;
/** How many times as long as they worked those in the background rest, while others have work, and while those are behind. */
const [restShare, longRestShare] = [2, 30];

/** When subscriptions that somebody waits for last had work, for those that give way to them. */
export class Traffic {
  #seenAt = -Infinity;
  #isBehind = false;

  constructor(private readonly clock: () => number = Date.now) {}

  /** @param isBehind whether there was as much work as a round takes, so more is waiting */
  seen(isBehind: boolean): void {
    this.#seenAt = this.clock();
    this.#isBehind = isBehind;
  }

  /** How many times as long as it took to rest after a round in the background. */
  get rest(): number {
    if (this.clock() - this.#seenAt >= lullMs) return 0;
    return this.#isBehind ? longRestShare : restShare;
  }
}
