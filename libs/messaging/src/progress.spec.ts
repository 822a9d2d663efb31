import { describe, expect, it } from '@jest/globals';
import { GroupProgress, type ProgressSource } from './progress.js';

/** A topic of two partitions and a group on it, at a time that the spec moves, or another group's progress does. */
function setting(clock?: () => number | undefined) {
  const state = { now: 1_000_000, written: [] as { at: number; partition: number }[], committed: new Map([[0, 0], [1, 0]]), isDown: false };
  const endsAt = (time: number) => new Map([0, 1].map((partition) => [partition, state.written.filter((record) => record.partition === partition && record.at < time).length]));
  const answering = async <T>(answer: () => T) => {
    if (state.isDown) throw new Error('down');
    return answer();
  };
  const source: ProgressSource = {
    ends: () => answering(() => endsAt(Infinity)),
    endsAt: (time) => answering(() => endsAt(time)),
    committed: () => answering(() => new Map(state.committed)),
    close: async () => undefined,
  };
  const progress = new GroupProgress(source, clock ?? (() => state.now));
  const write = (partition: number) => void state.written.push({ at: state.now, partition });
  const look = async (ms = 500) => {
    state.now += ms;
    await progress.update();
    return progress.lagMs;
  };
  return { state, progress, write, look };
}

describe('the progress of a group', () => {
  it('is unknown before the first look, and the present while nothing is left', async () => {
    const { state, progress, look } = setting();
    expect([progress.asOf, progress.lagMs]).toEqual([undefined, undefined]);
    expect(await look()).toBe(0);
    state.now += 400;
    expect(progress.asOf).toBe(state.now);
  });

  it('is the newest look whose end was reached', async () => {
    const { state, write, look } = setting();
    await look();
    write(0);
    expect(await look()).toBe(500);
    write(1);
    expect(await look()).toBe(1_000);
    state.committed.set(0, 1);
    expect(await look()).toBe(1_000);
    state.committed.set(1, 1);
    expect(await look()).toBe(0);
  });

  it('counts on nothing that may have come since, where that is asked', async () => {
    const { state, progress, write, look } = setting();
    expect(progress.heardUpTo).toBeUndefined();
    await look();
    const seen = state.now;
    state.now += 400;
    expect(progress.heardUpTo).toBe(seen);
    write(0);
    await look();
    expect(progress.heardUpTo).toBe(seen);
    state.committed.set(0, 1);
    await look();
    expect(progress.heardUpTo).toBe(state.now);
    state.isDown = true;
    const last = state.now;
    await look();
    expect(progress.heardUpTo).toBe(last);
  });

  it('of a group that works on what another one makes is no newer than that one was when it was looked at', async () => {
    const first = setting();
    const second = setting(() => first.progress.heardUpTo);
    const look = async () => {
      await first.look();
      await second.progress.update();
      return second.progress.heardUpTo;
    };
    await second.progress.update();
    expect(second.progress.heardUpTo).toBeUndefined();
    expect(await look()).toBe(first.state.now);
    const seen = first.state.now;
    first.write(0); // and what is made of it is not there yet
    expect([await look(), await look()]).toEqual([seen, seen]);
    second.write(1);
    first.state.committed.set(0, 1);
    expect(await look()).toBe(seen);
    second.state.committed.set(1, 1);
    expect(await look()).toBe(first.state.now);
  });

  it('grows older while the cluster does not answer', async () => {
    const { state, look } = setting();
    await look();
    state.isDown = true;
    expect(await look()).toBe(500);
    expect(await look()).toBe(1_000);
    state.isDown = false;
    expect(await look()).toBe(0);
  });

  it('is told by the age of what is left where the group was behind before', async () => {
    const { state, progress, write, look } = setting();
    write(0);
    state.now += 100_000;
    write(1);
    state.committed.set(0, 0);
    state.now += 5_000;
    await progress.update();
    expect(progress.lagMs).toBeGreaterThanOrEqual(105_000);
    expect(progress.lagMs).toBeLessThan(3 * 105_000);
    state.committed.set(0, 1);
    state.committed.set(1, 1);
    expect(await look()).toBe(0);
  });

  it('needs little memory however long a group stands still', async () => {
    const { state, write, look } = setting();
    await look();
    write(0);
    for (let i = 0; i < 3_000; i++) await look(1);
    expect(await look(0)).toBe(3_000);
    state.committed.set(0, 1);
    expect(await look()).toBe(0);
  });
});
