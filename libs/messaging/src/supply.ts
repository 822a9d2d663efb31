/** Nobody wants any more what was asked for. */
export class Unwanted extends Error {}

interface Waiting {
  amount: number;
  begin: () => void;
}

/** Something of which there is only so much, such as memory, given out first come, first served. */
export class Supply {
  #taken = 0;
  #waiting: Waiting[] = [];

  constructor(private readonly amount: number) {}

  /** Resolves when so much is free; where it is more than there is at all, when nobody has any. @throws Unwanted once the signal is aborted */
  async take(amount: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new Unwanted();
    await new Promise<void>((begin, fail) => {
      const waiting: Waiting = { amount, begin };
      this.#waiting.push(waiting);
      signal.addEventListener('abort', () => this.leave(waiting, fail), { once: true });
      this.proceed();
    });
  }

  /** Takes so much if that is free and nobody waits. @returns whether it did */
  takeNow(amount: number): boolean {
    if (this.#waiting.length > 0 || !this.fits(amount)) return false;
    this.#taken += amount;
    return true;
  }

  giveBack(amount: number): void {
    this.#taken -= amount;
    this.proceed();
  }

  private leave(waiting: Waiting, fail: (error: Unwanted) => void): void {
    this.#waiting = this.#waiting.filter((one) => one !== waiting);
    fail(new Unwanted());
    this.proceed();
  }

  private proceed(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.fits(next.amount); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#taken += next.amount;
      next.begin();
    }
  }

  private fits(amount: number): boolean {
    return this.#taken === 0 || this.#taken + amount <= this.amount;
  }
}
