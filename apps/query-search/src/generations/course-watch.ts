import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { patiently } from '#observability';
import type { Board, Member } from './board.store.js';
import { back, holdMs, type Course } from './course.policy.js';
import { leaseMs, Presence } from './presence.js';

/** Between looks, ms: while nothing happens, and while a switch is near. */
const [usualMs, nearMs] = [500, 40];

/** What an instance tells with every look, beside what it has seen. */
export type Told = Pick<Member, '_id' | 'role' | 'name' | 'joined' | 'uses' | 'shape'>;

export interface CourseWatchParts {
  board: Pick<Board, 'say' | 'course' | 'change' | 'members' | 'forget'>;
  tell: () => Told;
  /** Called with every look's course; what takes time it does on its own. */
  follow: (course: Course) => void;
}

/** Looks at the course again and again, and says that this process is there. */
export class CourseWatch {
  private readonly logger = new Logger('generations');
  private readonly presence = new Presence();
  private readonly stopping = new AbortController();
  private readonly waiting = new Set<() => void>();
  private seen: Course | undefined;
  private lookedAt = longAgo;
  private heldSince: number | undefined;
  private isNews = false;
  private working: Promise<void> | undefined;

  constructor(private readonly parts: CourseWatchParts) {}

  /** The course as it is: whoever changes it waits until we have seen it, or our lease is over. Undefined when we cannot be sure. */
  get course(): Course | undefined {
    return isWithinLease(this.lookedAt) ? this.seen : undefined;
  }

  /** Resolves when the course was seen once. */
  async start(): Promise<void> {
    await patiently('reading which read model is live', () => this.look());
    this.working = this.work();
  }

  /** Resolves after the next look, or after `ms`. */
  async next(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.waiting.add(wake);
    });
  }

  /** Nobody waits for this process any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.working;
    this.lookedAt = longAgo;
    await this.parts.board.forget([this.parts.tell()._id]).catch(() => undefined); // it is taken for gone soon
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const pace = this.seen?.phase === 'serving' ? usualMs : nearMs;
      if (!this.isNews) await delay(pace, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.look().catch((err: unknown) => this.logger.warn({ msg: 'the course cannot be read', err }));
    }
  }

  /** The lease begins before anything is asked: what is answered then is no older. */
  private async look(): Promise<void> {
    const { board, tell, follow } = this.parts;
    const at = momentNow();
    const told = this.seen?.term ?? 0;
    this.isNews = false;
    await board.say({ ...tell(), seen: told });
    const course = await board.course();
    [this.seen, this.lookedAt, this.isNews] = [course, at, course.term !== told];
    follow(course);
    for (const wake of [...this.waiting]) wake();
    this.heldSince = course.phase === 'holding' ? (this.heldSince ?? performance.now()) : undefined;
    if (course.phase !== 'serving') await this.watchOver(course);
  }

  /**
   * When who builds is gone in the middle of a switch, or answers were held for too long, everything stays as it was. Nobody has to be sure of that:
   * both the switch and its end replace the same term, so only one of them happens.
   */
  private async watchOver(course: Course): Promise<void> {
    const why = this.isHeldTooLong() ? 'answers were held for too long' : (await this.isGone(course.holder)) ? 'who builds the read model anew is gone' : undefined;
    if (why !== undefined && (await this.parts.board.change(course, back(course)))) this.logger.warn({ msg: 'the switch is called off', why });
  }

  private isHeldTooLong(): boolean {
    return this.heldSince !== undefined && performance.now() - this.heldSince >= holdMs.instance;
  }

  private async isGone(id: string | null): Promise<boolean> {
    return !this.presence.of(await this.parts.board.members()).some(({ _id }) => _id === id);
  }
}

/** A moment by both clocks, ms: the steady one stands still while the machine sleeps, the other one does not. */
interface Moment {
  steady: number;
  wall: number;
}

const longAgo: Moment = { steady: -Infinity, wall: -Infinity };
const momentNow = (): Moment => ({ steady: performance.now(), wall: Date.now() });
/** A wall clock that was put forward ends a lease early, which does no harm; one that was put back does not make it longer. */
const isWithinLease = ({ steady, wall }: Moment) => performance.now() - steady < leaseMs && Date.now() - wall < leaseMs;
