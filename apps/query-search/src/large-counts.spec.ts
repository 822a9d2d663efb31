import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LargeCounts, type Count } from './large-counts.js';

let now = 0;
beforeEach(() => {
  now = 1_000_000;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
});
afterEach(() => void jest.restoreAllMocks());

/** A count that takes until it is told what it came to. */
function counting() {
  const waiting: ((total: number | Error) => void)[] = [];
  const count = () => new Promise<Count>((resolve, reject) => void waiting.push((total) => (total instanceof Error ? reject(total) : resolve({ total, isExact: true }))));
  return { waiting, count };
}
const turn = () => new Promise(setImmediate);

describe('a large count', () => {
  it('is told again for three seconds; then whoever asks has it counted anew and still need not wait, until it is five seconds old', async () => {
    const [large, { waiting, count }] = [new LargeCounts(1_000), counting()];
    const first = large.told('open', count);
    now += 400; // as old as when its counting began
    waiting[0]!(2_000);
    expect(await first).toMatchObject({ total: 2_000 });
    now += 2_599;
    expect(await large.told('open', count)).toMatchObject({ total: 2_000 });
    expect(waiting).toHaveLength(1);
    now += 1;
    expect([await large.told('open', count), await large.told('open', count)]).toMatchObject([{ total: 2_000 }, { total: 2_000 }]);
    expect(waiting).toHaveLength(2);
    now += 2_000;
    const late = large.told('open', count);
    waiting[1]!(2_500);
    expect(await late).toMatchObject({ total: 2_500 });
    expect(waiting).toHaveLength(2);
  });

  it('is one that is not exact, too, whatever it came to', async () => {
    const [large, count] = [new LargeCounts(1_000), jest.fn(async () => ({ total: 3, isExact: false }))];
    for (let i = 0; i < 3; i++) expect(await large.told('open', count)).toEqual({ total: 3, isExact: false });
    expect(count).toHaveBeenCalledTimes(1);
  });

  it('that has become small is made anew each time', async () => {
    const [large, { waiting, count }] = [new LargeCounts(1_000), counting()];
    void large.told('open', count);
    waiting[0]!(1_001);
    await turn();
    now += 3_000;
    await large.told('open', count);
    waiting[1]!(1_000);
    await turn();
    const told = large.told('open', count);
    waiting[2]!(999);
    expect(await told).toMatchObject({ total: 999 });
  });

  it('that cannot be renewed is told until it is too old; then whoever asks hears why', async () => {
    const [large, { waiting, count }] = [new LargeCounts(1_000), counting()];
    void large.told('open', count);
    waiting[0]!(1_001);
    await turn();
    now += 4_999;
    expect(await large.told('open', count)).toMatchObject({ total: 1_001 });
    waiting[1]!(new Error('the store is away'));
    await turn();
    now += 1;
    const told = large.told('open', count);
    waiting[2]!(new Error('the store is away'));
    await expect(told).rejects.toThrow('the store is away');
  });

  it('is shared by who asks for the first time meanwhile; a small one is not, nor a failure', async () => {
    const [large, { waiting, count }] = [new LargeCounts(1_000), counting()];
    const both = [large.told('open', count), large.told('open', count)];
    waiting[0]!(1_001);
    expect(await Promise.all(both)).toMatchObject([{ total: 1_001 }, { total: 1_001 }]);
    expect(waiting).toHaveLength(1);
    const [first, second, third] = ['mine', 'mine', 'mine'].map((name) => large.told(name, count));
    waiting[1]!(7);
    expect(await first).toMatchObject({ total: 7 });
    await turn();
    waiting[2]!(new Error('the store is away'));
    await expect(second).rejects.toThrow('the store is away');
    waiting[3]!(9);
    expect(await third).toMatchObject({ total: 9 });
  });
});
