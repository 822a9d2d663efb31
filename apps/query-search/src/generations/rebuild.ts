import { setTimeout as delay } from 'node:timers/promises';
import type { Backlog } from '#messaging';
import { amount, duration, patiently, type Progress, type Step } from '#observability';
import { guarded } from '#persistence';
import { collectionsOf } from '../collections.js';
import { currentShape } from '../shape.js';
import { isCountedAsFar, Marks, type Waiting } from '../stats/marks.store.js';
import type { Recount } from '../stats/recount.js';
import type { Board } from './board.store.js';
import { isOther, shapeOf } from './course.policy.js';
import { Followers, readers } from './followers.js';
import { Holder, RebuildFailed } from './holder.js';
import { ReadModel, type Feeds } from './read-model.js';
import type { Surroundings } from './read-model.module.js';
import { Switch } from './switch.js';
import { Tidying } from './tidying.js';

export interface RebuildParts {
  board: Board;
  around: Surroundings;
  feeds: Feeds;
  backlog: Backlog;
  progress: Pick<Progress, 'tell' | 'say'>;
  /** Aborted by who no longer wants it. */
  signal: AbortSignal;
  /** Begin anew instead of going on with what an earlier run has left. */
  restart: boolean;
  /** Leave the collections and groups of what was live. */
  keepOld: boolean;
}

const lookMs = 1_000;
/** How long statistics are waited for before a switch is tried, ms: days that change all the time are counted all the time. */
const countMs = 60_000;
const countAgainMs = 200;
/** How long tickets that are live may be missing in what was built, ms. */
const usualWholeMs = 15_000;
const countedAtOnce = 4;
/** Times that a switch is tried, and between them, ms. */
const [mostTries, againMs] = [10, 2_000];

/** What is known of marks while the store is away. */
const nothing: Waiting = new Map();

/** Builds the next generation of the read model from the events, beside the live one, and switches to it when it has caught up. */
export class Rebuild {
  private readonly holder: Holder;
  private model: ReadModel | undefined;
  private counting: { done: Promise<unknown>; end: AbortController } | undefined;

  constructor(
    private readonly parts: RebuildParts,
    private readonly wholeMs = usualWholeMs,
  ) {
    this.holder = new Holder(parts.board);
  }

  /** False when it was stopped before the switch: the next run goes on. @throws RebuildFailed */
  async run(): Promise<boolean> {
    try {
      await this.holder.claim(this.parts.restart);
      if (!(await this.build())) return false;
      await this.leave();
      await new Tidying({ ...this.parts, store: this.parts.around.store, instances: () => this.holder.instances() }).run();
      return true;
    } finally {
      await Promise.all([this.rest(), this.leave()]);
      await this.holder.release();
    }
  }

  private async build(): Promise<boolean> {
    const { around, feeds, backlog, signal, progress } = this.parts;
    const generation = this.holder.course.building!;
    const followers = new Followers(backlog, generation);
    const startedAt = performance.now();
    for (let tries = 1; !signal.aborted; tries++) {
      if (shapeOf(this.holder.course, generation) !== currentShape) throw new RebuildFailed('An instance of an older version has joined. What was built is of no use: run it again to begin anew.');
      this.model ??= await ReadModel.open(around, generation, feeds(generation, () => true));
      const records = await this.replay(this.model, followers);
      this.countOn(this.model.recount);
      await this.count();
      await this.demandWhole();
      await this.alike();
      const heldMs = signal.aborted ? undefined : await this.switched(followers);
      if (heldMs !== undefined) {
        progress.say(`The read model was built anew in ${duration((performance.now() - startedAt) / 1_000)} from ${amount(records)} events. Answers waited for ${amount(heldMs)} ms at the switch.`);
        return true;
      }
      if (tries === mostTries) throw new RebuildFailed('It does not come to a switch. What was built stays: run it again to go on.');
      await this.pause(againMs);
    }
    return false;
  }

  /** Waits until the generation has caught up. Servers that are away for a while are waited for. @returns events on the topic */
  private async replay(model: ReadModel, followers: Followers): Promise<number> {
    for (let [done, total] = [0, 0]; ; await this.pause(lookMs)) {
      const look = await followers.look().catch(() => undefined);
      if (look) ({ done, total } = look);
      const { detail } = model.health;
      this.tell({ label: 'events', done: done / readers, total: total / readers, unit: 'events', ...(detail !== undefined && { remark: detail }) });
      if (look?.isThere || this.parts.signal.aborted) return total / readers;
    }
  }

  /** Several months at a time: most of it is waiting for the store. */
  private countOn(recount: Recount): void {
    const end = new AbortController();
    const { signal } = end;
    const work = async () => {
      while (!signal.aborted) {
        const hasCounted = await recount.next(signal).catch(() => false); // the store is away for a while
        if (!hasCounted) await delay(countAgainMs, undefined, { signal }).catch(() => undefined);
      }
    };
    this.counting ??= { end, done: Promise.all(Array.from({ length: countedAtOnce }, work)) };
  }

  /** Stops to count. */
  private async rest(): Promise<void> {
    const { counting } = this;
    this.counting = undefined;
    counting?.end.abort();
    await counting?.done;
  }

  /** Waits until statistics are nearly as far as those that are shown. */
  private async count(): Promise<void> {
    const [live, built] = this.marks();
    const { signal } = this.parts;
    const deadline = performance.now() + countMs;
    for (let most = 0; !signal.aborted && performance.now() < deadline; await this.pause(lookMs)) {
      const [shown, waiting] = await Promise.all([live.waiting(), built.waiting()]).catch(() => [nothing, nothing]);
      most = Math.max(most, waiting.size);
      this.tell({ label: 'statistics', done: most - waiting.size, total: most, unit: 'days' });
      if (waiting !== nothing && isCountedAsFar(waiting, shown)) return;
    }
  }

  /** Events that are missing on their topic would be tickets that nobody finds any more. @throws RebuildFailed */
  private async demandWhole(): Promise<void> {
    const { live, building } = this.holder.course;
    const { db } = this.parts.around.store;
    const tickets = (generation: number) => patiently('counting tickets', () => guarded(() => db.collection(collectionsOf(generation).views).countDocuments()));
    const [shown, deadline] = [await tickets(live), performance.now() + this.wholeMs];
    for (let built = await tickets(building!); built < shown && !this.parts.signal.aborted; built = await tickets(building!)) {
      if (performance.now() > deadline) throw new RebuildFailed(`What was built has ${amount(built)} tickets, what is live ${amount(shown)}: events are missing on their topic. Nothing was switched.`);
      this.tell({ label: 'tickets', done: built, total: shown, unit: 'tickets' });
      await this.pause(lookMs); // what came meanwhile is still on its way
    }
  }

  /** Instances of other versions, which would write what they make of events, are waited for until they are gone. */
  private async alike(): Promise<void> {
    for (;;) {
      const others = await this.holder.instances().then((all) => all.filter(isOther), () => undefined);
      if (others?.length === 0 || this.parts.signal.aborted) return;
      this.tell({ label: 'waiting for instances of another version to end', done: 0, total: others?.length ?? 0, unit: 'instances' });
      await this.pause(lookMs);
    }
  }

  /** How long answers were held, ms; undefined when it did not work out this time. */
  private async switched(followers: Followers): Promise<number | undefined> {
    const { signal, keepOld, progress } = this.parts;
    const { holder } = this;
    const target = holder.course.building;
    const startedAt = performance.now();
    try {
      return await new Switch({ holder, followers, marks: this.marks(), leave: () => this.leave(), rest: () => this.rest(), signal, keepOld }).run();
    } catch (error) {
      if (holder.course.live === target) return performance.now() - startedAt; // its answer came too late
      if (error instanceof RebuildFailed) throw error;
      if (!signal.aborted) progress.say(`Not yet: ${error instanceof Error ? error.message : String(error)}.`);
      return undefined;
    }
  }

  private tell(step: Step): void {
    this.parts.progress.tell(step);
    this.holder.tell(step);
  }

  private marks(): readonly [Marks, Marks] {
    const { live, building } = this.holder.course;
    const { store } = this.parts.around;
    return [new Marks(store, collectionsOf(live)), new Marks(store, collectionsOf(building!))];
  }

  /** Stops to keep the generation up to date. */
  private async leave(): Promise<void> {
    const { model } = this;
    this.model = undefined;
    await model?.close();
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.parts.signal }).catch(() => undefined);
  }
}
