import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { back, beginning, claimed, dropping, holding, joining, switched, type Course } from './course.policy.js';
import { Readings } from './readings.js';

const joined = joining(claimed(beginning, 'somebody', false));
const held = holding(joined);
const replaced = switched(held, false);

/** Read models that are named by their generation, and a course that the spec changes. */
function scene(first: Course = joined) {
  let course: Course | undefined = first;
  const readings = new Readings({ course: () => course, model: (generation) => ({ generation }), next: (ms) => delay(Math.min(ms, 5)) });
  return { readings, turn: (to: Course | undefined) => (course = to) };
}

/** Whether it is over soon. */
const isOver = (work: Promise<unknown>) => Promise.race([work.then(() => true), delay(50, false)]);

/** An answer that comes when the spec says so. */
function later<T>() {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { ask: () => promise, come: resolve };
}

describe('readings', () => {
  it('wait while answers are held, and go on with what is live then', async () => {
    const { readings, turn } = scene(held);
    const read = readings.read(async ({ generation }) => generation);
    expect(await isOver(read)).toBe(false);
    turn(replaced);
    expect(await read).toBe(2);
  });

  it('that were asked before answers were held tell nothing while they are: the other generation may not have it yet', async () => {
    const { readings, turn } = scene();
    const { ask, come } = later<string>();
    const read = readings.read(ask);
    turn(held);
    come('what happened after all agreed to hold');
    expect(await isOver(read)).toBe(false);
    turn(back(held));
    expect(await read).toBe('what happened after all agreed to hold');
  });

  it('that come back from what was replaced meanwhile are asked again', async () => {
    const { readings, turn } = scene();
    const { ask, come } = later<number>();
    const read = readings.read((model) => (model.generation === 1 ? ask() : Promise.resolve(2)));
    turn(replaced);
    come(1);
    expect(await read).toBe(2);
  });

  it('tell nothing as long as nobody knows what is live', async () => {
    const { readings, turn } = scene();
    const { ask, come } = later<number>();
    const read = readings.read(ask);
    turn(undefined);
    come(1);
    expect(await isOver(read)).toBe(false);
    turn(joined);
    expect(await read).toBe(1);
  });

  it('are refused when a hold does not end', async () => {
    const { readings } = scene(held);
    await expect(readings.live()).rejects.toMatchObject({ problem: { status: 503 } });
  });
});

describe('long readings', () => {
  async function* pieces(count: number) {
    for (let piece = 1; piece <= count; piece++) yield piece;
  }

  it('go on with the generation on which they began, across a switch, and tell that they use it', async () => {
    const { readings, turn } = scene();
    const file = readings.kept(await readings.live(), pieces(3));
    expect((await file.next()).value).toBe(1);
    turn(replaced);
    expect(readings.uses).toEqual([1]);
    expect([(await file.next()).value, (await file.next()).value, (await file.next()).done]).toEqual([2, 3, true]);
    expect(readings.uses).toEqual([]);
  });

  it('pause while answers are held', async () => {
    const { readings, turn } = scene();
    const file = readings.kept(await readings.live(), pieces(1));
    turn(held);
    const piece = file.next();
    expect(await isOver(piece)).toBe(false);
    turn(replaced);
    expect((await piece).value).toBe(1);
  });

  it('are broken off, not cut short, when their generation is being deleted', async () => {
    const { readings, turn } = scene();
    const file = readings.kept(await readings.live(), pieces(1));
    await file.next();
    turn(dropping(replaced, 1));
    await expect(file.next()).rejects.toMatchObject({ problem: { status: 503 } });
    expect(readings.uses).toEqual([]);
  });

  it('that their reader leaves are used no longer', async () => {
    const { readings } = scene();
    const file = readings.kept(await readings.live(), pieces(2));
    await file.next();
    await file.return();
    expect(readings.uses).toEqual([]);
  });
});
