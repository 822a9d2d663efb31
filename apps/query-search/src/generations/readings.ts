import { unavailable } from '../asking.js';
import { holdMs, isThere, type Course } from './course.policy.js';

/** How long what is being read may not know whether it is still there, ms. */
const longPatienceMs = 30_000;

export interface ReadingsParts<M> {
  /** The course as it is; undefined when we cannot be sure. */
  course: () => Course | undefined;
  /** The read model of a generation, once it is there. */
  model: (generation: number) => M | undefined;
  /** Resolves when the course was looked at, or after so many ms. */
  next: (ms: number) => Promise<void>;
}

/** Reads what is live, and tells nobody anything while answers are held. @typeParam M a read model */
export class Readings<M extends { readonly generation: number }> {
  private readonly reading = new Map<number, number>();

  constructor(private readonly parts: ReadingsParts<M>) {}

  /** Generations that are being read for long. */
  get uses(): number[] {
    return [...this.reading].filter(([, count]) => count > 0).map(([generation]) => generation);
  }

  /** Asks the live read model. What came of one that was replaced meanwhile is asked again. @throws ProblemError dependency-unavailable, and what `ask` throws */
  async read<T>(ask: (model: M) => Promise<T>): Promise<T> {
    for (;;) {
      const model = await this.live();
      const answer = await ask(model).then((value) => () => value, (error: unknown) => () => {
        throw error;
      });
      if (await this.isStill(model)) return answer();
    }
  }

  /** The read model that answers now; waits for a switch. @throws ProblemError dependency-unavailable */
  async live(): Promise<M> {
    return (await this.until(() => this.answering(), holdMs.asker)) ?? refuse();
  }

  /** The read model that answers now; undefined when none does. */
  answering(): M | undefined {
    const { course } = this;
    return course && this.parts.model(course.live);
  }

  /** What takes long to be read is read to its end, although another read model is live by then. @throws ProblemError dependency-unavailable when it is gone */
  async *kept<T>({ generation }: M, pieces: AsyncIterable<T>): AsyncGenerator<T, void> {
    this.reading.set(generation, (this.reading.get(generation) ?? 0) + 1);
    try {
      for await (const piece of pieces) {
        await this.demand(generation);
        yield piece;
      }
      await this.demand(generation); // a collection that is gone has an end, too
    } finally {
      this.reading.set(generation, this.reading.get(generation)! - 1);
    }
  }

  private async demand(generation: number): Promise<void> {
    const course = await this.until(() => this.course, longPatienceMs);
    if (!course || !isThere(course, generation)) refuse();
  }

  private async isStill({ generation }: M): Promise<boolean> {
    const course = (await this.until(() => this.course, holdMs.asker)) ?? refuse();
    return course.live === generation;
  }

  /**
   * The course while answers may be given. What was asked before answers were held is held, too: it may know more than the new generation will have
   * when it begins.
   */
  private get course(): Course | undefined {
    const course = this.parts.course();
    return course?.phase === 'holding' ? undefined : course;
  }

  private async until<T>(find: () => T | undefined, ms: number): Promise<T | undefined> {
    const deadline = performance.now() + ms;
    for (let found = find(); ; found = find()) {
      const left = deadline - performance.now();
      if (found !== undefined || left <= 0) return found;
      await this.parts.next(Math.min(left, 100)); // a read model may open between looks
    }
  }
}

function refuse(): never {
  throw unavailable();
}
