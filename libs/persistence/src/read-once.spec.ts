import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { readOnce } from './read-once.js';

const { Long, MongoNetworkError, MongoServerError } = mongoose.mongo;
const question = { filter: { a: 1 }, limit: 5, skip: 2, maxTimeMS: 100 };

/** A database that answers a command so, and everything by its cursors; remembers what it was asked. */
function database(answer: object | Error) {
  const asked: object[] = [];
  const command = async (one: object) => {
    asked.push(one);
    if ('killCursors' in one) return {};
    if (answer instanceof Error) throw answer;
    return { cursor: answer };
  };
  const find = (...how: unknown[]) => ({ toArray: async () => [{ _id: 'by a cursor', how }] });
  const db = { command, collection: () => ({ find }), readConcern: { level: 'majority' } };
  return { asked, read: () => readOnce(db as never, 'things', question) };
}
const byCursor = [{ _id: 'by a cursor', how: [{ a: 1 }, { limit: 5, skip: 2, maxTimeMS: 100 }] }];

describe('a short read', () => {
  it('is one command, with the guarantees of the database', async () => {
    const { asked, read } = database({ firstBatch: [{ _id: '1' }], id: 0 });
    expect(await read()).toEqual([{ _id: '1' }]);
    expect(asked).toEqual([{ find: 'things', ...question, batchSize: 6, readConcern: { level: 'majority' } }]);
  });

  it('whose documents do not fit into one answer is read on by a cursor, and leaves none behind', async () => {
    const { asked, read } = database({ firstBatch: [{ _id: '1' }], id: 7 });
    expect(await read()).toEqual(byCursor);
    expect(asked.at(-1)).toEqual({ killCursors: 'things', cursors: [Long.fromNumber(7)] });
  });

  it('whose connection was lost is tried again', async () => {
    const { read } = database(new MongoNetworkError('lost'));
    expect(await read()).toEqual(byCursor);
  });

  it.each([
    ['takes too long', new MongoServerError({ message: 'time is up', code: 50 })],
    ['is wrong', new MongoServerError({ message: 'no such index', code: 2 })],
  ])('that %s is not', async (_, error) => {
    await expect(database(error).read()).rejects.toBe(error);
  });
});
