/** So long after their last round the foreground counts as busy, ms: longer than any of its paces. */
const lullMs = 300;
/** How full rounds of the foreground are, of what they take, when the machine has enough to do, and when more is waiting than they take. */
const [heavy, behind] = [0.1, 0.5];
/** How many times as long as they worked those in the background rest: while others have work, while that is heavy, and while they are behind. */
const [restShare, heavyRestShare, longRestShare] = [2, 10, 30];
/** Work that has waited for so long, ms, is not put off for heavy work of others: a peak is let through, a lasting load is not. */
const patienceMs = 5_000;

/** When subscriptions that somebody waits for last had work, for those that give way to them. */
export class Traffic {
  #seenAt = -Infinity;
  #fullness = 0;

  constructor(private readonly clock: () => number = Date.now) {}

  /** @param fullness records of a round as a share of what it takes, 0 to 1 */
  seen(fullness: number): void {
    this.#seenAt = this.clock();
    this.#fullness = fullness;
  }

  /** How many times as long as it took to rest after a round in the background. @param writtenAt when its last record was written, epoch ms */
  rest(writtenAt: number): number {
    const now = this.clock();
    if (now - this.#seenAt >= lullMs) return 0;
    if (this.#fullness > behind) return longRestShare;
    return this.#fullness > heavy && now - writtenAt < patienceMs ? heavyRestShare : restShare;
  }
}
