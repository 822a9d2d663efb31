import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { duplicates, putNewer } from './newer-only.js';

const { MongoBulkWriteError, MongoNetworkError } = mongoose.mongo;
const bulk = (cause: unknown, concern?: object) => new MongoBulkWriteError(cause as never, { ok: 0, getWriteConcernError: () => concern } as never);
const failures = (codes: number[]) => ({ message: 'bulk', writeErrors: codes.map((code, index) => ({ index: index + 3, code, errmsg: `code ${code}` })) });
const failed = (...codes: number[]) => bulk(failures(codes));

describe('what failed in a bulk', () => {
  it('is told by place where documents were there already', () => expect(duplicates(failed(11_000, 11_000))).toEqual([3, 4]));

  it('is trouble where anything else was among it', () => {
    expect(() => duplicates(failed(11_000, 121))).toThrow(expect.objectContaining({ message: 'code 121', code: 121 }));
    expect(() => duplicates(failed(11_000, 50))).toThrow(expect.objectContaining({ passes: true }));
  });

  it('is trouble where what was written may not stay: the others are not told apart then', () =>
    expect(() => duplicates(bulk(failures([11_000]), { code: 64 }))).toThrow(expect.objectContaining({ passes: true })));

  it('is trouble where the server was lost on the way: then nobody knows what was written', () => {
    const lost = bulk(new MongoNetworkError('connection closed'));
    expect(() => duplicates(lost)).toThrow(lost);
  });

  it('is trouble where it was no bulk at all', () => expect(() => duplicates(new RangeError('mine'))).toThrow(RangeError));
});

describe('documents that are stored', () => {
  it.each([
    [0, []],
    [1, [1]],
    [99, [99]],
    [100, [50, 50]],
    [501, [251, 250]],
  ])('%i of them are so many bulks: %j', async (count, sizes) => {
    const bulks: unknown[][] = [];
    const collection = { bulkWrite: async (operations: unknown[]) => void bulks.push(operations) };
    await putNewer(collection as never, Array.from({ length: count }, (_, i) => ({ document: { _id: `${i}`, version: 1 }, isNew: true })));
    expect(bulks.map(({ length }) => length)).toEqual(sizes);
    expect(new Set(bulks.flat().map((operation) => JSON.stringify(operation))).size).toBe(count);
  });
});
