import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { patiently } from '#observability';
import { isPassing } from '#persistence';
import { currentShape } from '../shape.js';
import type { Board, Doing, Member } from './board.store.js';
import { claimed, released, type Course } from './course.policy.js';
import { goneMs, Presence } from './presence.js';

/** It cannot be done; the message says why. */
export class RebuildFailed extends Error {}

/** It cannot be done just now; the message says why. */
export class NotNow extends Error {}

const sayEveryMs = 500;
const lookEveryMs = 250;

/** Whoever builds a generation: one at a time in an installation. Says that it is there, and sees who else is. */
export class Holder {
  private readonly id = randomUUID();
  private readonly name = `${hostname()}:${process.pid}`;
  private readonly presence = new Presence();
  private readonly ending = new AbortController();
  private saying: Promise<void> | undefined;
  private known: Course | undefined;
  private doing: Doing | undefined;

  constructor(private readonly board: Board) {}

  /** The course as we have left it. */
  get course(): Course {
    return this.known!;
  }

  /** Begins to build, or goes on with what a process has left. @throws RebuildFailed while another process builds */
  async claim(isFresh: boolean): Promise<void> {
    await this.say();
    this.saying = this.sayOn();
    const course = await this.board.course();
    if (course.holder !== null) await this.demandGone(course.holder);
    const wanted = claimed(course, this.id, isFresh);
    if (!(await this.board.change(course, wanted))) throw new RebuildFailed('Another rebuild has just begun.');
    this.known = wanted;
  }

  /** Whoever looks at the board sees how far it is. */
  tell({ label, done, total }: Doing): void {
    this.doing = { label, done, total };
  }

  /** Changes the course, which nobody else may have changed. @throws NotNow when an instance did, RebuildFailed when another process builds by now */
  async change(to: (course: Course) => Course): Promise<void> {
    const wanted = to(this.course);
    const isDone = await this.board.change(this.course, wanted).catch(unlessItPasses);
    this.known = isDone ? wanted : await patiently('reading the course', () => this.board.course());
    if (isDeepStrictEqual(this.known, wanted)) return; // even when the answer was lost
    if (this.known.holder !== this.id) throw new RebuildFailed('Another rebuild has taken over: this one was silent for too long.');
    throw new NotNow('an instance called the switch off');
  }

  /** The instances that are there. @throws StoreFault */
  async instances(): Promise<Member[]> {
    return this.presence.of(await this.board.members()).filter(({ role }) => role === 'instance');
  }

  /** Stops; somebody may go on. */
  async release(): Promise<void> {
    if (this.known?.holder === this.id) await this.change(released).catch(() => undefined); // we are taken for gone soon
    this.ending.abort();
    await this.saying;
    await this.board.forget([this.id]).catch(() => undefined);
  }

  /** Who was there only at the first looks has died lately. */
  private async demandGone(id: string): Promise<void> {
    const deadline = performance.now() + 2 * goneMs;
    for (let beat: number | undefined; performance.now() < deadline; await delay(lookEveryMs)) {
      const other = this.presence.of(await this.board.members()).find(({ _id }) => _id === id);
      if (!other) return;
      if (beat !== undefined && beat !== other.beat) throw new RebuildFailed(`A rebuild is under way already (${other.name}).`);
      beat = other.beat;
    }
  }

  private say(): Promise<void> {
    return this.board.say({ _id: this.id, role: 'rebuild', name: this.name, seen: 0, joined: null, uses: [], shape: currentShape, ...(this.doing && { doing: this.doing }) });
  }

  private async sayOn(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await delay(sayEveryMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.say().then(() => this.instances()).catch(() => []); // tried again in a moment
    }
  }
}

function unlessItPasses(error: unknown): false {
  if (isPassing(error)) return false;
  throw error;
}
