import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Logger, type BeforeApplicationShutdown, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { patiently } from '#observability';
import { currentShape } from '../shape.js';
import type { Board, Doing } from './board.store.js';
import { isOutdated, keptUp, lowered, shapeOf, type Course } from './course.policy.js';
import { CourseWatch, type Told } from './course-watch.js';
import { ReadModel, type Feeds } from './read-model.js';
import type { Surroundings } from './read-model.module.js';
import { Readings } from './readings.js';

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

/**
 * The generations of the read model that this instance keeps up to date, and the one that answers. All instances answer from the same one: none
 * begins with a new one before the others have stopped answering from the old one, so nobody is ever shown an older state than before.
 */
export class Generations implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('generations');
  private readonly id = randomUUID();
  private readonly watch: CourseWatch;
  /** Of what is live. */
  readonly readings: Readings<ReadModel>;
  private readonly models = new Map<number, Opened>();
  private readonly closing = new Set<Promise<void>>();
  private isStopping = false;
  private heldAt: number | undefined;

  constructor(private readonly parts: GenerationsParts) {
    this.watch = new CourseWatch({ board: parts.board, tell: () => this.told(), follow: (course) => this.follow(course) });
    const { watch, models } = this;
    this.readings = new Readings({ course: () => watch.course, model: (generation) => models.get(generation)?.model, next: (ms) => watch.next(ms) });
  }

  async onModuleInit(): Promise<void> {
    while (!(await patiently('telling what is written from now on', () => this.admit()))) continue;
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
    return { live: all.every(({ health }) => health.live), ready: this.readings.answering()?.health.ready ?? false };
  }

  /** How far answers may be behind the events, ms; undefined while that is not known. */
  get lagMs(): number | undefined {
    return this.readings.answering()?.lagMs;
  }

  /** How far it is that what answers is built anew, while it is of an older shape. @throws StoreFault */
  async renewal(): Promise<Doing | undefined> {
    const { course } = this.watch;
    if (course === undefined || !isOutdated(course)) return undefined;
    const builder = (await this.parts.board.members()).find(({ _id }) => _id === course.holder);
    return builder?.doing ?? { label: 'waiting for its turn', done: 0, total: 0 };
  }

  /** Before anything is written: what a newer version has made is of our shape, too, from now on. False when the course has just become another one. */
  private async admit(): Promise<boolean> {
    const { board } = this.parts;
    const course = await board.course();
    const wanted = lowered(course, [{ shape: currentShape }]);
    return wanted === course || board.change(course, wanted);
  }

  private told(): Told {
    const joined = [...this.models.values()].flatMap(({ model }) => model ?? []).find((model) => this.hasJoined(model));
    return { _id: this.id, role: 'instance', name: `${hostname()}:${process.pid}`, joined: joined?.generation ?? null, uses: this.readings.uses, shape: currentShape };
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
    const shape = () => (this.watch.course ? shapeOf(this.watch.course, generation) : undefined);
    const opened: Opened = { opening: ReadModel.open({ ...around, shape }, generation, feeds(generation, () => this.watch.course?.live !== generation)) };
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
