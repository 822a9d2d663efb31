import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger, type BeforeApplicationShutdown, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { unavailable } from '../asking.js';
import type { Board } from './board.store.js';
import { isThere, keptUp, type Course } from './course.policy.js';
import { CourseWatch, type Told } from './course-watch.js';
import { ReadModel, type Feeds } from './read-model.js';
import type { Surroundings } from './read-model.module.js';

export interface GenerationsParts {
  board: Board;
  around: Surroundings;
  feeds: Feeds;
}

/** A read model that is there, or will be. */
interface Opened {
  opening: Promise<ReadModel>;
  model?: ReadModel;
}

/** How long somebody who asks waits for a switch, ms. */
const patienceMs = 2_000;
/** How long what is being read may not know whether it is still there, ms. */
const longPatienceMs = 30_000;

/**
 * The generations of the read model that this instance keeps up to date, and the one that answers. All instances answer from the same one: none
 * begins with a new one before the others have stopped answering from the old one, so nobody is ever shown an older state than before.
 */
export class Generations implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('generations');
  private readonly id = randomUUID();
  private readonly watch: CourseWatch;
  private readonly models = new Map<number, Opened>();
  private readonly reading = new Map<number, number>();
  private readonly closing = new Set<Promise<void>>();
  private isStopping = false;
  private heldAt: number | undefined;

  constructor(private readonly parts: GenerationsParts) {
    this.watch = new CourseWatch({ board: parts.board, tell: () => this.told(), follow: (course) => this.follow(course) });
  }

  async onModuleInit(): Promise<void> {
    await this.watch.start();
    await Promise.all([...this.models.values()].map(({ opening }) => opening));
  }

  /** Consumers drain while requests end, which are still answered. */
  beforeApplicationShutdown(): void {
    this.isStopping = true;
    for (const opened of this.models.values()) this.close(opened);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.watch.stop(), ...this.closing]);
  }

  /** Whether what is read is kept up to date, and all of it lives. */
  get health(): { live: boolean; ready: boolean } {
    const all = [...this.models.values()].flatMap(({ model }) => model ?? []);
    return { live: all.every(({ health }) => health.live), ready: this.answering()?.health.ready ?? false };
  }

  /** How far answers may be behind the events, ms; undefined while that is not known. */
  get lagMs(): number | undefined {
    return this.answering()?.lagMs;
  }

  /** Asks the live read model. What came of one that was replaced meanwhile is asked again. @throws ProblemError dependency-unavailable, and what `ask` throws */
  async read<T>(ask: (model: ReadModel) => Promise<T>): Promise<T> {
    for (;;) {
      const model = await this.live();
      const answer = await ask(model).then((value) => () => value, (error: unknown) => () => {
        throw error;
      });
      if (await this.isStill(model)) return answer();
    }
  }

  /** The read model that answers now; waits for a switch. @throws ProblemError dependency-unavailable */
  async live(): Promise<ReadModel> {
    return (await this.until(() => this.answering(), patienceMs)) ?? refuse();
  }

  /** What takes long to be read is read to its end, although another read model is live by then. @throws ProblemError dependency-unavailable when it is gone */
  async *kept<T>({ generation }: ReadModel, pieces: AsyncIterable<T>): AsyncGenerator<T, void> {
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
    const course = await this.until(() => this.watch.course, longPatienceMs);
    if (!course || !isThere(course, generation)) refuse();
  }

  private async isStill({ generation }: ReadModel): Promise<boolean> {
    const course = (await this.until(() => this.watch.course, patienceMs)) ?? refuse();
    return course.live === generation;
  }

  private answering(): ReadModel | undefined {
    const { course } = this.watch;
    return course === undefined || course.phase === 'holding' ? undefined : this.models.get(course.live)?.model;
  }

  private async until<T>(find: () => T | undefined, ms: number): Promise<T | undefined> {
    const deadline = performance.now() + ms;
    for (let found = find(); ; found = find()) {
      const left = deadline - performance.now();
      if (found !== undefined || left <= 0) return found;
      await this.watch.next(Math.min(left, 100)); // a read model may open between looks
    }
  }

  private told(): Told {
    const joined = [...this.models.values()].flatMap(({ model }) => model ?? []).find((model) => this.hasJoined(model));
    const uses = [...this.reading].filter(([, count]) => count > 0).map(([generation]) => generation);
    return { _id: this.id, role: 'instance', name: `${hostname()}:${process.pid}`, joined: joined?.generation ?? null, uses };
  }

  /** What is live is not counted any more from then on: the new one is then to be counted as far as this one. */
  private hasJoined({ generation, health }: ReadModel): boolean {
    const { course } = this.watch;
    if (course === undefined || course.phase === 'serving') return false;
    return generation === course.building && health.ready && this.models.get(course.live)?.model?.recount.isResting === true;
  }

  private follow(course: Course): void {
    if (this.isStopping) return;
    const wanted = keptUp(course);
    for (const generation of wanted) if (!this.models.has(generation)) this.open(generation);
    for (const generation of [...this.models.keys()]) if (!wanted.includes(generation)) this.leave(generation);
    this.count(course);
    this.tellHold(course);
  }

  private count({ phase, live }: Course): void {
    for (const [generation, { model }] of this.models) {
      if (phase === 'serving' && generation === live) model?.recount.resume();
      else model?.recount.rest();
    }
  }

  private open(generation: number): void {
    const { around, feeds } = this.parts;
    const opened: Opened = { opening: ReadModel.open(around, generation, feeds(generation, () => this.watch.course?.live !== generation)) };
    this.models.set(generation, opened);
    opened.opening.then(
      (model) => (opened.model = model),
      (err: unknown) => {
        this.logger.error({ msg: 'a read model cannot be opened', generation, err });
        this.models.delete(generation);
      },
    );
  }

  private leave(generation: number): void {
    const opened = this.models.get(generation)!;
    this.models.delete(generation);
    this.close(opened);
  }

  private close({ opening }: Opened): void {
    const closing: Promise<void> = opening
      .then((model) => model.close())
      .catch((err: unknown) => this.logger.warn({ msg: 'a read model was closed uncleanly', err }))
      .finally(() => this.closing.delete(closing));
    this.closing.add(closing);
  }

  private tellHold({ phase, live }: Course): void {
    if (phase === 'holding') this.heldAt ??= performance.now();
    else if (this.heldAt !== undefined) {
      this.logger.log({ msg: 'answers go on', generation: live, heldMs: Math.round(performance.now() - this.heldAt) });
      this.heldAt = undefined;
    }
  }
}

function refuse(): never {
  throw unavailable();
}
