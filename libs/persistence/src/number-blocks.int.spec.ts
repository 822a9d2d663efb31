import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openTestStore, openWatchedStore } from '../testing/test-store.js';
import { NumberBlocks } from './index.js';

describe('number blocks in MongoDB', () => {
  const { store, another, database, close } = openTestStore('numbers');
  afterAll(close);

  const stores = [store, another(), another()];

  it('of instances that all take the first block at once never overlap', async () => {
    for (let round = 0; round < 10; round += 1) {
      const taken = await Promise.all(stores.map((one) => new NumberBlocks(one).take(`first-${round}`, 1)));
      expect(new Set(taken.flat()).size).toBe(stores.length);
    }
  });

  it('of several instances never overlap, and rise in each', async () => {
    const orgId = `org-${randomUUID().slice(0, 8)}`;
    const instances = stores.map((one) => new NumberBlocks(one));
    const taken = await Promise.all(
      instances.map(async (instance) => {
        const numbers: number[] = [];
        for (let n = 0; n < 40; n += 1) numbers.push(...(await instance.take(orgId, 1 + (n % 5))));
        return numbers;
      }),
    );
    for (const numbers of taken) expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
    const all = taken.flat();
    expect(new Set(all).size).toBe(all.length);
    expect(Math.min(...all)).toBe(1);
  });

  it('of a process that ended are skipped, not given again', async () => {
    const orgId = `org-${randomUUID().slice(0, 8)}`;
    const first = await new NumberBlocks(store).take(orgId, 3);
    const [next] = await new NumberBlocks(store).take(orgId, 1);
    expect(first).toEqual([1, 2, 3]);
    expect(next).toBeGreaterThan(3);
  });

  it('cost one command for a block and none within it; the first of an organisation costs two', async () => {
    const watched = await openWatchedStore(database);
    const blocks = new NumberBlocks(watched.store);
    await blocks.take('acme', 3);
    expect(watched.seen()).toEqual(['findAndModify', 'insert']);
    await blocks.take('acme', 5);
    expect(watched.seen()).toEqual([]);
    await blocks.take('acme', 3);
    expect(watched.seen()).toEqual(['findAndModify']);
    await watched.store.close();
  });
});
