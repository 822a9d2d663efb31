import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Member } from './board.store.js';
import { beginning, claimed, holding, joining, switched, type Course } from './course.policy.js';
import { CourseWatch } from './course-watch.js';
import { leaseMs } from './presence.js';

Logger.overrideLogger(false);

const held = holding(joining(claimed(beginning, 'builder', false)));

/** A board in memory. */
class Table {
  signs = new Map<string, Member>();
  changes = 0;
  constructor(public now: Course) {}

  say = async ({ _id, ...said }: Omit<Member, 'beat'>) => void this.signs.set(_id, { _id, ...said, beat: (this.signs.get(_id)?.beat ?? 0) + 1 });
  course = async () => this.now;
  members = async () => [...this.signs.values()];
  forget = async (ids: readonly string[]) => ids.forEach((id) => this.signs.delete(id));
  change = async ({ term }: Course, to: Course) => {
    if (this.now.term !== term) return false;
    this.changes++;
    this.now = to;
    return true;
  };
}

const watches: CourseWatch[] = [];

async function watch(board: Table, _id = 'one', follow: (course: Course) => void = () => undefined) {
  const made = new CourseWatch({ board, tell: () => ({ _id, role: 'instance', name: _id, joined: null, uses: [] }), follow });
  watches.push(made);
  await made.start();
  return made;
}

/** Whoever builds gives a sign before each look: it is there. */
function builderIn(board: Table) {
  const { members } = board;
  board.members = async () => {
    await board.say({ _id: 'builder', role: 'rebuild', name: 'builder', seen: 0, joined: null, uses: [] });
    return members();
  };
}

/** How long it took, and for how much of that the machine did other things, ms. */
async function until(holds: () => boolean, ms: number): Promise<{ took: number; late: number }> {
  const startedAt = performance.now();
  let late = 0;
  for (let before = startedAt; !holds() && before - startedAt < ms; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = performance.now();
    late += Math.max(0, now - before - 20);
    before = now;
  }
  return { took: performance.now() - startedAt, late };
}

describe('watching the course', () => {
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(watches.splice(0).map((one) => one.stop()));
  });

  it('calls a switch off that holds answers for one and a half seconds, whether who asked for it is there or not, once', async () => {
    const board = new Table(held);
    builderIn(board);
    await Promise.all([watch(board, 'one'), watch(board, 'two')]);
    const { took, late } = await until(() => board.now.phase === 'serving', 60_000);
    expect(took).toBeGreaterThan(1_400);
    expect(took - late).toBeLessThan(2_000);
    expect(board.now).toMatchObject({ live: 1, building: 2, phase: 'serving' });
    expect(board.changes).toBe(1);
  });

  it('has no part in a switch that came first', async () => {
    const board = new Table(held);
    builderIn(board);
    const one = await watch(board);
    board.now = switched(held, false);
    await until(() => one.course?.live === 2, 1_000);
    expect([board.now.live, board.changes]).toEqual([2, 0]);
  });

  it('is not sure of anything after the lease, and learns nothing from a look that took longer', async () => {
    const board = new Table(beginning);
    const one = await watch(board);
    expect(one.course).toBe(beginning);
    const { course } = board;
    const { promise, resolve } = Promise.withResolvers<Course>();
    let askedAt = Infinity;
    board.course = () => {
      askedAt = performance.now();
      return promise;
    };
    await until(() => performance.now() - askedAt >= leaseMs, leaseMs + 2_000);
    expect(one.course).toBeUndefined();
    board.course = course;
    resolve(beginning);
    await new Promise((done) => setTimeout(done, 20));
    expect(one.course).toBeUndefined();
    await until(() => one.course !== undefined, 1_000);
    expect(one.course).toBe(beginning);
  });

  it('is not sure of anything when it has stopped: nobody waits for it then', async () => {
    const board = new Table(beginning);
    const one = await watch(board);
    await one.stop();
    expect([one.course, await board.members()]).toEqual([undefined, []]);
  });

  it('is not sure of anything when the machine slept: its steady clock stood still, the other one did not', async () => {
    const one = await watch(new Table(beginning));
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + leaseMs);
    expect(one.course).toBeUndefined();
  });
});
