import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestStore, openWatchedStore } from '../testing/test-store.js';
import { readOnce } from './read-once.js';

interface Thing {
  _id: string;
  size: number;
  text?: string;
}

const { store, database, close } = openTestStore('read_once');
const things = store.db.collection<Thing>('things');
const all = Array.from({ length: 150 }, (_, i) => ({ _id: `thing-${String(i).padStart(3, '0')}`, size: i % 10 }));
let watched: Awaited<ReturnType<typeof openWatchedStore>>;

beforeAll(async () => {
  await things.createIndexes([{ key: { size: 1, _id: 1 }, name: 'bySize' }]);
  await things.insertMany(all);
  watched = await openWatchedStore(database);
});
afterAll(async () => {
  await watched.store.close();
  await close();
});

const ask = (question: object) => readOnce<Thing>(watched.store.db, 'things', { filter: {}, limit: 1_000, maxTimeMS: 60_000, ...question });

describe('a short read of the server', () => {
  it('costs one command, however many documents it brings', async () => {
    watched.seen();
    expect(await ask({ sort: new Map([['_id', 1]]) })).toEqual(all);
    expect(watched.seen()).toEqual(['find']);
  });

  it('has a filter, an order, a place, a limit, some of the fields and an index', async () => {
    const question = { filter: { size: { $lt: 2 } }, sort: new Map([['size', 1], ['_id', 1]]), skip: 14, limit: 3, projection: { size: 1 }, hint: 'bySize' };
    expect(await ask(question)).toEqual([{ _id: 'thing-140', size: 0 }, { _id: 'thing-001', size: 1 }, { _id: 'thing-011', size: 1 }]);
  });

  it('leaves nothing open where as many were wanted as there are', async () => {
    watched.seen();
    expect(await ask({ limit: 150 })).toHaveLength(150);
    expect(await ask({ limit: 10 })).toHaveLength(10);
    expect(watched.seen()).toEqual(['find', 'find']);
  });

  it('brings all there is where that is more than an answer holds', async () => {
    const large = Array.from({ length: 12 }, (_, i) => ({ _id: `large-${i}`, size: 100, text: 'x'.repeat(2_000_000) }));
    for (const one of large) await things.insertOne(one);
    const found = await ask({ filter: { size: 100 } });
    expect(found.map(({ _id, text }) => [_id, text!.length]).sort()).toEqual(large.map(({ _id, text }) => [_id, text.length]).sort());
  });
});
