/** Places that are taken in turn: who waits stands in line, and not for ever. */
export class Places {
  private free: number;
  private readonly line = new Set<() => void>();

  constructor(most: number) {
    this.free = most;
  }

  /** Takes a place, which must be given back. @returns whether there was one within the time */
  async take(withinMs: number): Promise<boolean> {
    if (this.free > 0) {
      this.free -= 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const enter = () => resolve(true);
    this.line.add(enter);
    const timer = setTimeout(() => {
      if (this.line.delete(enter)) resolve(false);
    }, withinMs);
    return promise.finally(() => clearTimeout(timer));
  }

  /** Gives a place back: the first in line has it. */
  leave(): void {
    const [next] = this.line;
    if (next === undefined) {
      this.free += 1;
      return;
    }
    this.line.delete(next);
    next();
  }
}
