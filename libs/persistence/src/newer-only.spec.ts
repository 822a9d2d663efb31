import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { duplicates } from './newer-only.js';

const { MongoBulkWriteError, MongoNetworkError } = mongoose.mongo;
const bulk = (cause: unknown) => new MongoBulkWriteError(cause as never, { ok: 0 } as never);
const failed = (...codes: number[]) => bulk({ message: 'bulk', writeErrors: codes.map((code, index) => ({ index: index + 3, code, errmsg: `code ${code}` })) });

describe('what failed in a bulk', () => {
  it('is told by place where documents were there already', () => expect(duplicates(failed(11_000, 11_000))).toEqual([3, 4]));

  it('is trouble where anything else was among it', () => expect(() => duplicates(failed(11_000, 50))).toThrow('code 50'));

  it('is trouble where the server was lost on the way: then nobody knows what was written', () => {
    const lost = bulk(new MongoNetworkError('connection closed'));
    expect(() => duplicates(lost)).toThrow(lost);
  });

  it('is trouble where it was no bulk at all', () => expect(() => duplicates(new RangeError('mine'))).toThrow(RangeError));
});
