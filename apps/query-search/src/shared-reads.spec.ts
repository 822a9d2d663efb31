import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SharedReads } from './shared-reads.js';

/** Reads that end when the spec says so. */
class Reads {
  readonly begun: PromiseWithResolvers<string>[] = [];
  readonly shared = new SharedReads<string>();
  readonly ask = (name = 'list') =>
    this.shared.read(name, () => {
      this.begun.push(Promise.withResolvers());
      return this.begun.at(-1)!.promise;
    });
}

const settled = () => jest.advanceTimersByTimeAsync(0);

describe('reads that several ask for at once', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('begin after they were asked for, and are one for all who asked before', async () => {
    const reads = new Reads();
    const first = reads.ask();
    const others = [reads.ask(), reads.ask(), reads.ask()];
    await settled();
    expect(reads.begun).toHaveLength(1);
    reads.begun[0]!.resolve('before');
    await settled();
    const late = reads.ask();
    expect(reads.begun).toHaveLength(2);
    reads.begun[1]!.resolve('after');
    await settled();
    reads.begun[2]!.resolve('last');
    expect([await first, await Promise.all(others), await late]).toEqual(['before', ['after', 'after', 'after'], 'last']);
  });

  it('are nobody else’s by another name', async () => {
    const reads = new Reads();
    const both = [reads.ask('mine'), reads.ask('yours')];
    ['a', 'b'].forEach((told, i) => reads.begun[i]!.resolve(told));
    expect(await Promise.all(both)).toEqual(['a', 'b']);
  });

  it('wait behind no slow one', async () => {
    const reads = new Reads();
    const slow = reads.ask();
    const waiting = reads.ask();
    await jest.advanceTimersByTimeAsync(99);
    expect(reads.begun).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(reads.begun).toHaveLength(2);
    reads.begun[1]!.resolve('quick');
    expect(await waiting).toBe('quick');
    reads.begun[0]!.resolve('slow');
    expect(await slow).toBe('slow');
  });

  it('fail for those who share them, and for nobody who asks later', async () => {
    const reads = new Reads();
    const first = reads.ask();
    const shared = [reads.ask(), reads.ask()];
    reads.begun[0]!.reject(new Error('away'));
    await expect(first).rejects.toThrow('away');
    await settled();
    reads.begun[1]!.reject(new Error('still away'));
    for (const one of shared) await expect(one).rejects.toThrow('still away');
    await settled();
    const later = reads.ask();
    reads.begun[2]!.resolve('there');
    expect(await later).toBe('there');
  });

  it('leave nothing behind', async () => {
    const reads = new Reads();
    const all = [reads.ask(), reads.ask(), reads.ask('other')];
    for (let i = 0; i < 3; i += 1) {
      reads.begun.at(-1)!.resolve('x');
      reads.begun.forEach(({ resolve }) => resolve('x'));
      await settled();
    }
    await Promise.all(all);
    await settled();
    expect(reads.shared['running'].size).toBe(0);
  });
});
