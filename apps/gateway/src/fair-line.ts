import { ProblemError } from '#observability';

/** Does one thing at a time for many organisations, which take turns: one that asks for much waits for itself. */
export class FairLine {
  /** What waits, by organisation; the first one is next. */
  private readonly lines = new Map<string, (() => Promise<void>)[]>();
  private isBusy = false;

  /** @param most how many questions of an organisation may wait */
  constructor(private readonly most: number) {}

  /** Resolves with what the work answers, once it was its turn. @throws ProblemError overloaded when too much of this organisation waits */
  async enter<T>(orgId: string, work: () => Promise<T>): Promise<T> {
    const line = this.lines.get(orgId) ?? [];
    if (line.length >= this.most) throw new ProblemError('overloaded', 'Too much is asked at once.', {}, { 'retry-after': '2' });
    return new Promise<T>((resolve, reject) => {
      line.push(() => work().then(resolve, reject));
      this.lines.set(orgId, line);
      if (!this.isBusy) void this.proceed();
    });
  }

  private async proceed(): Promise<void> {
    this.isBusy = true;
    for (let next = this.next(); next !== undefined; next = this.next()) await next();
    this.isBusy = false;
  }

  /** The first of the organisation whose turn it is, which goes to the end with the rest of what it asks. */
  private next(): (() => Promise<void>) | undefined {
    const [orgId, line] = this.lines.entries().next().value ?? [];
    if (orgId === undefined) return undefined;
    const [first, ...rest] = line!;
    this.lines.delete(orgId);
    if (rest.length > 0) this.lines.set(orgId, rest);
    return first;
  }
}
