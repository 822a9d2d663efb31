import { setTimeout as delay } from 'node:timers/promises';
import type { Backlog } from '#messaging';
import type { Progress } from '#observability';
import type { Database } from '#persistence';
import { collectionsOf, dropViews } from '../collections.js';
import type { Board, Member } from './board.store.js';
import { dropped, dropping } from './course.policy.js';
import { groupsOf } from './followers.js';

export interface TidyingParts {
  board: Board;
  store: Database;
  backlog: Pick<Backlog, 'forget'>;
  instances: () => Promise<Member[]>;
  progress: Pick<Progress, 'say'>;
  signal: AbortSignal;
}

/** How long something else than a reader may keep it from being deleted, ms. */
const patienceMs = 60_000;
const againMs = 250;

type Outcome = 'done' | 'more' | 'later' | 'read';

/** Deletes generations that are not live any more, once nobody reads them. What it does not come to, the next one does. */
export class Tidying {
  constructor(private readonly parts: TidyingParts) {}

  /** Returns when all is deleted, when it takes too long, or when the signal is aborted. */
  async run(): Promise<void> {
    const { progress, signal } = this.parts;
    let told: Outcome | undefined;
    for (let deadline = Date.now() + patienceMs; !signal.aborted; await delay(againMs)) {
      const outcome = await this.step().catch((): Outcome => 'later'); // members leave, servers come back
      if (outcome === 'done') return;
      if (outcome === 'read') deadline = Date.now() + patienceMs;
      if (outcome === 'read' && told !== 'read') progress.say('An export still reads the old read model, which is deleted then.');
      told = outcome;
      if (Date.now() > deadline) break;
    }
    progress.say('The old read model is left for the next rebuild to delete.');
  }

  private async step(): Promise<Outcome> {
    const { board, store, backlog } = this.parts;
    const course = await board.course();
    if (course.retired.length + course.dropping.length === 0) return 'done';
    const [generation] = course.dropping;
    if (generation === undefined) return this.choose();
    await backlog.forget(groupsOf(generation)); // throws while somebody might still write
    await dropViews(store, collectionsOf(generation));
    await board.change(course, dropped(course, generation));
    return 'more';
  }

  /** Whoever has seen the course of today begins with nothing of what is retired, and tells what it goes on with. */
  private async choose(): Promise<Outcome> {
    const { board, instances } = this.parts;
    const course = await board.course();
    const there = await instances();
    if (there.some(({ seen }) => seen < course.term)) return 'later';
    const used = new Set(there.flatMap(({ uses }) => uses));
    const free = course.retired.find((generation) => !used.has(generation));
    if (free === undefined) return 'read';
    await board.change(course, dropping(course, free));
    return 'more';
  }
}
