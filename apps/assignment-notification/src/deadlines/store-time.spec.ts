import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Database } from '#persistence';
import { StoreTime } from './store-time.js';

/** A store whose clock, and the time that passes, the spec moves. */
let store: { now: number; isAway: boolean };
let passed: number;
let time: StoreTime;
beforeEach(async () => {
  [store, passed] = [{ now: Date.parse('2026-01-05T10:00:00.000Z'), isAway: false }, 5_000];
  jest.spyOn(performance, 'now').mockImplementation(() => passed);
  const command = async () => {
    if (store.isAway) throw new Error('away');
    return { localTime: new Date(store.now) };
  };
  time = new StoreTime({ db: { command } } as unknown as Database);
  await time.prepare();
});
afterEach(() => void jest.restoreAllMocks());

/** Both clocks go on. */
function wait(ms: number) {
  passed += ms;
  store.now += ms;
}
const minute = 60_000;

describe('the time of the store', () => {
  it('goes on between readings, and while the store does not answer', async () => {
    wait(400);
    expect(time.now()).toBe(store.now);
    store.isAway = true;
    wait(minute);
    await expect(time.read()).rejects.toThrow('away');
    expect(time.now()).toBe(store.now);
  });

  it('has nothing to do with the clock of the process', async () => {
    jest.spyOn(Date, 'now').mockReturnValue(0);
    wait(500);
    expect([await time.read(), time.now()]).toEqual([store.now, store.now]);
  });

  it('that is put forward for a moment is not believed', async () => {
    wait(500);
    const right = store.now;
    store.now += 60 * minute;
    expect(await time.read()).toBe(right);
    store.now = right + 30 * minute; // another moment is no confirmation of the first
    expect(await time.read()).toBe(right);
    store.now = right;
    wait(500);
    expect(await time.read()).toBe(right + 500);
  });

  it('that is put forward for good is believed at the second reading', async () => {
    store.now += 60 * minute;
    await time.read();
    wait(500);
    expect(await time.read()).toBe(store.now);
  });

  it('that is put back is believed at once', async () => {
    store.now -= 60 * minute;
    expect(await time.read()).toBe(store.now);
  });

  it('is late rather than early by what an answer took', async () => {
    const command = async () => {
      wait(300);
      return { localTime: new Date(store.now) };
    };
    const slow = new StoreTime({ db: { command } } as unknown as Database);
    await slow.prepare();
    await slow.read();
    expect(slow.now()).toBe(store.now);
  });
});
