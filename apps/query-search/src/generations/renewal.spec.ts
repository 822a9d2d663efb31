import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/support/eventually.js';
import { currentShape } from '../shape.js';
import type { Member } from './board.store.js';
import { beginning, claimed, shapeOf, switched, type Course } from './course.policy.js';
import { Renewal } from './renewal.js';

Logger.overrideLogger(false);

const old: Course = { ...beginning, shapes: {} };
const instance = (_id: string, shape: number | undefined = currentShape): Member => ({ _id, role: 'instance', name: _id, beat: 1, seen: 1, joined: null, uses: [], shape });

/** A board in memory, whose members give signs all the time. */
class Table {
  there: Member[] = [instance('one')];
  looks = 0;
  private beat = 0;
  constructor(public now: Course) {}

  course = async () => this.now;
  change = async ({ term }: Course, to: Course) => {
    if (this.now.term !== term) return false;
    this.now = to;
    return true;
  };
  members = async () => {
    this.looks++;
    return this.there.map((one) => ({ ...one, beat: this.beat++ }));
  };
}

const running: Renewal[] = [];
function start(board: Table, build: (signal: AbortSignal) => Promise<boolean>) {
  const renewal = new Renewal({ board, build, paces: { lookMs: 5, againMs: 5 } });
  running.push(renewal);
  renewal.onApplicationBootstrap();
  return renewal;
}
afterEach(async () => {
  for (const one of running) one.beforeApplicationShutdown();
  await Promise.all(running.splice(0).map((one) => one.onApplicationShutdown()));
});

const looksAgain = async (board: Table, times = 3) => {
  const { looks } = board;
  await eventually(() => board.looks >= looks + times);
};

describe('a read model of an older shape', () => {
  it('is built anew, once', async () => {
    const board = new Table(old);
    let builds = 0;
    start(board, async () => {
      builds++;
      board.now = switched(claimed(board.now, 'builder', false), false);
      return true;
    });
    await eventually(() => board.now.live === 2);
    await looksAgain(board);
    expect(builds).toBe(1);
  });

  it('is left to whoever builds it already, as long as they are there', async () => {
    const board = new Table(claimed(old, 'builder', false));
    board.there.push({ ...instance('builder'), role: 'rebuild' });
    let builds = 0;
    start(board, async () => ++builds > 0);
    await looksAgain(board);
    expect(builds).toBe(0);
    board.there.pop();
    await eventually(() => builds > 0);
  });

  it('is tried again after a failure', async () => {
    const board = new Table(old);
    let builds = 0;
    start(board, async () => ++builds > 2);
    await eventually(() => builds > 2);
  });

  it('is no more built when the service stops', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const renewal = start(new Table(old), async (signal) => {
      resolve();
      await new Promise((done) => signal.addEventListener('abort', done));
      return false;
    });
    await promise;
    renewal.beforeApplicationShutdown();
    await renewal.onApplicationShutdown();
  });
});

describe('a read model of this shape', () => {
  it('is not built anew', async () => {
    const board = new Table(beginning);
    let builds = 0;
    start(board, async () => ++builds > 0);
    await looksAgain(board);
    expect([builds, board.now]).toEqual([0, beginning]);
  });

  it('is of an older one as soon as an instance of an older version writes to it, too', async () => {
    const board = new Table(beginning);
    start(board, async () => false);
    await looksAgain(board);
    board.there.push(instance('two', undefined));
    delete board.there[1]!.shape;
    await eventually(() => shapeOf(board.now, 1) === 1);
  });
});
