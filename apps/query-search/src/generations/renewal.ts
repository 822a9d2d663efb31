import { setTimeout as delay } from 'node:timers/promises';
import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { outdated } from '../metrics.js';
import type { Board, Member } from './board.store.js';
import { isOutdated, lowered, type Course } from './course.policy.js';
import { Presence } from './presence.js';

export interface RenewalParts {
  board: Pick<Board, 'course' | 'change' | 'members'>;
  /** Builds the read model anew, and switches. False when that failed, or was stopped. */
  build: (signal: AbortSignal) => Promise<boolean>;
  /** Between looks, and after the first failure, ms. */
  paces?: { lookMs: number; againMs: number };
}

const usualPaces = { lookMs: 5_000, againMs: 30_000 };
/** After failures it is tried again twice as late each time, ms at most. */
const longestMs = 3_600_000;

/**
 * Sees to it that what is live is what this version makes of events: after an update of the service the read model may be of an older shape. One of the instances then has it built anew, as
 * `npm run query:rebuild` does. Instances of older versions write what they make: as long as there is one, what is kept up to date is of its shape.
 */
export class Renewal implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('generations');
  private readonly presence = new Presence();
  private readonly stopping = new AbortController();
  private working: Promise<void> | undefined;

  constructor(private readonly parts: RenewalParts) {}

  onApplicationBootstrap(): void {
    this.working = this.work();
  }

  beforeApplicationShutdown(): void {
    this.stopping.abort();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.working;
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    const { lookMs, againMs } = this.parts.paces ?? usualPaces;
    for (let [pause, failures] = [0, 0]; !signal.aborted; ) {
      await delay(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined); // instances begin at different moments
      const isGood = signal.aborted || (await this.look());
      failures = isGood ? 0 : failures + 1;
      pause = isGood ? lookMs : Math.min(longestMs, againMs * 2 ** (failures - 1));
    }
  }

  /** False when building failed. */
  private async look(): Promise<boolean> {
    try {
      const { board } = this.parts;
      const [course, members] = [await board.course(), this.presence.of(await board.members())];
      const wanted = lowered(course, members.filter(({ role }) => role === 'instance'));
      if (wanted !== course) await board.change(course, wanted);
      outdated.set(Number(isOutdated(wanted)));
      return !isOutdated(wanted) || isBuilding(wanted, members) || (await this.build());
    } catch (err) {
      this.logger.warn({ msg: 'the shape of the read model cannot be read', err });
      return true;
    }
  }

  private async build(): Promise<boolean> {
    this.logger.warn({ msg: 'the read model is of an older shape: it is built anew beside what is live' });
    const { signal } = this.stopping;
    const isDone = await this.parts.build(signal);
    if (!isDone && !signal.aborted) this.logger.warn({ msg: 'the read model is still of an older shape: building is tried again later' });
    return isDone;
  }
}

const isBuilding = ({ holder }: Course, members: readonly Member[]) => holder !== null && members.some(({ _id }) => _id === holder);
