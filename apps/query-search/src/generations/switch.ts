import { setTimeout as delay } from 'node:timers/promises';
import { isCountedAsFar, type Marks } from '../stats/marks.store.js';
import type { Member } from './board.store.js';
import { back, holding, holdMs, isOther, joining, lowered, switched, type Course } from './course.policy.js';
import type { Followers } from './followers.js';
import { NotNow, type Holder } from './holder.js';

export interface SwitchParts {
  holder: Pick<Holder, 'change' | 'course' | 'instances'>;
  followers: Pick<Followers, 'look' | 'end' | 'left'>;
  /** Of what is live, and of what was built. */
  marks: readonly [Pick<Marks, 'waiting'>, Pick<Marks, 'waiting'>];
  /** We stop to keep the new generation up to date: instances do. */
  leave: () => Promise<void>;
  /** We stop to count: the less there is to do while answers are held, the shorter they are. */
  rest: () => Promise<void>;
  signal: AbortSignal;
  keepOld: boolean;
}

/** How long instances may take to join, all of it to catch up, and answers to be held, ms. */
const usualLimits: Record<'joinMs' | 'catchUpMs' | 'holdMs', number> = { joinMs: 60_000, catchUpMs: 60_000, holdMs: holdMs.builder };
const [usualMs, nearMs] = [300, 20];

/**
 * Switches from the live generation to the one that was built. Nobody may see an older state after a newer one, whichever instance answers:
 * instances join in keeping the new generation up to date, then all of them hold their answers, so nobody is told anything that came after that
 * moment; once the new generation has every event that had come by then, it is live and answers go on.
 */
export class Switch {
  constructor(
    private readonly parts: SwitchParts,
    private readonly limits = usualLimits,
  ) {}

  /** @returns how long answers were held, ms @throws NotNow when something came in between: everything is as it was then */
  async run(): Promise<number> {
    try {
      if (await this.join()) await this.parts.leave();
      await this.until(this.limits.catchUpMs, 'the new read model does not catch up', usualMs, () => this.isLevel());
      await this.parts.rest();
      return await this.hold();
    } catch (error) {
      await this.callOff();
      throw error;
    }
  }

  /** False when there is no instance. */
  private async join(): Promise<boolean> {
    const { holder } = this.parts;
    await holder.change(joining);
    let instances: Member[] = [];
    const haveAll = async () => {
      instances = await this.instances();
      return instances.every(({ joined }) => joined === holder.course.building);
    };
    await this.until(this.limits.joinMs, 'an instance does not join', usualMs, haveAll);
    return instances.length > 0;
  }

  /** @throws NotNow when one of another version has joined: it has written what it makes of events */
  private async instances(): Promise<Member[]> {
    const { holder } = this.parts;
    const instances = await holder.instances();
    if (!instances.some(isOther)) return instances;
    await holder.change((course) => lowered(course, instances));
    throw new NotNow('there is an instance of another version');
  }

  private async isLevel(): Promise<boolean> {
    const { followers, marks: [live, built] } = this.parts;
    const { isThere } = await followers.look();
    return isThere && isCountedAsFar(await built.waiting(), await live.waiting());
  }

  /** Between asking all to hold and the switch nobody answers. */
  private async hold(): Promise<number> {
    const { holder, followers, keepOld } = this.parts;
    const startedAt = performance.now();
    await holder.change(holding);
    const isSeen = async () => (await this.instances()).every(({ seen }) => seen >= holder.course.term);
    await this.until(this.limits.holdMs, 'an instance does not hold its answers', nearMs, isSeen);
    const end = await followers.end(); // behind it there is nothing that anybody was told
    const left = this.limits.holdMs - (performance.now() - startedAt);
    await this.until(left, 'the new read model lags too far behind', nearMs, async () => (await followers.left(end)) === 0);
    await holder.change((course) => switched(course, keepOld));
    return performance.now() - startedAt;
  }

  /** A question that stays without an answer does not hold anybody for longer. */
  private async until(ms: number, otherwise: string, pauseMs: number, holds: () => Promise<boolean>): Promise<void> {
    const late = new AbortController();
    const lateness = delay(ms, false, { signal: late.signal, ref: false }).catch(() => false);
    const asked = async () => {
      while (!late.signal.aborted && !(await holds())) await delay(pauseMs, undefined, { signal: this.parts.signal });
      return true;
    };
    try {
      if (!(await Promise.race([asked(), lateness]))) throw new NotNow(otherwise);
    } finally {
      late.abort();
    }
  }

  /** Where an instance has called it off, or it happened although the answer was lost, there is nothing to do. */
  private async callOff(): Promise<void> {
    const { holder } = this.parts;
    const isUnderWay = ({ phase, building }: Course) => phase !== 'serving' && building !== null;
    if (isUnderWay(holder.course)) await holder.change(back);
  }
}
