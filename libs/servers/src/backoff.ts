const firstMs = 200;
const longestMs = 5_000;
const stableMs = 10_000;

/** How long to wait before something that died is started again: 0.2 s, doubling up to 5 s, from the start again after 10 s of life. */
export class Backoff {
  #nextMs = firstMs;

  /** The wait after a life of `livedMs`. */
  after(livedMs: number): number {
    if (livedMs >= stableMs) this.#nextMs = firstMs;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, longestMs);
    return waitMs;
  }
}
