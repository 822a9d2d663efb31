import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { patiently } from '#observability';
import type { Board, Member } from './board.store.js';
import { back, type Course } from './course.policy.js';
import { leaseMs, Presence } from './presence.js';

/** Between looks, ms: while nothing happens, and while a switch is near. */
const [usualMs, nearMs] = [500, 40];

/** What an instance tells with every look, beside what it has seen. */
export type Told = Pick<Member, '_id' | 'role' | 'name' | 'joined' | 'uses'>;

export interface CourseWatchParts {
  board: Board;
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
  private lookedAt = -Infinity;
  private isNews = false;
  private working: Promise<void> | undefined;

  constructor(private readonly parts: CourseWatchParts) {}

  /** The course as it is: whoever changes it waits until we have seen it, or our lease is over. Undefined when we cannot be sure. */
  get course(): Course | undefined {
    return performance.now() - this.lookedAt < leaseMs ? this.seen : undefined;
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
    const at = performance.now();
    const told = this.seen?.term ?? 0;
    this.isNews = false;
    await board.say({ ...tell(), seen: told });
    const course = await board.course();
    [this.seen, this.lookedAt, this.isNews] = [course, at, course.term !== told];
    follow(course);
    for (const wake of [...this.waiting]) wake();
    if (course.phase !== 'serving') await this.watchOver(course);
  }

  /** When who builds is gone in the middle of a switch, everything stays as it was. */
  private async watchOver(course: Course): Promise<void> {
    const present = this.presence.of(await this.parts.board.members());
    if (present.some(({ _id }) => _id === course.holder)) return;
    if (await this.parts.board.change(course, back(course))) this.logger.warn({ msg: 'who builds the read model anew is gone: the switch is called off' });
  }
}
