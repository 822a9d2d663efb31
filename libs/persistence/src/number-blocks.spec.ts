import { beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { NumberBlocks, type Database } from './index.js';

/** A counter collection that answers when told to, in any order. */
class Counters {
  readonly sizes: number[] = [];
  private readonly next = new Map<string, number>();
  private readonly waiting: (() => void)[] = [];
  isSlow = false;

  readonly db = { collection: () => this } as unknown as Database['db'];

  async findOneAndUpdate({ _id }: { _id: string }, { $inc }: { $inc: { next: number } }) {
    const before = this.next.get(_id);
    if (before === undefined) return null;
    return this.answer(_id, $inc.next, before + $inc.next);
  }

  async insertOne({ _id, next }: { _id: string; next: number }) {
    if (this.next.has(_id)) throw new mongoose.mongo.MongoServerError({ message: 'duplicate', code: 11_000 });
    return this.answer(_id, next, next);
  }

  private async answer(_id: string, size: number, next: number) {
    this.next.set(_id, next);
    this.sizes.push(size);
    if (this.isSlow) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return { _id, next };
  }

  answerLastFirst() {
    this.isSlow = false;
    while (this.waiting.length > 0) this.waiting.pop()!();
  }
}

let counters: Counters;
let now = 0;
let blocks: NumberBlocks;
beforeEach(() => {
  counters = new Counters();
  blocks = new NumberBlocks(counters, () => now);
});

const rises = (numbers: readonly number[]) => numbers.every((number, n) => n === 0 || number > numbers[n - 1]!);

describe('number blocks', () => {
  it('begin at 1 and rise without a hole while the process lives', async () => {
    const taken: number[] = [];
    for (const count of [1, 3, 0, 20, 1, 2]) taken.push(...(await blocks.take('acme', count)));
    expect(taken).toEqual(Array.from({ length: 27 }, (_, n) => n + 1));
  });

  it('count each organisation for itself', async () => {
    expect(await blocks.take('acme', 2)).toEqual([1, 2]);
    expect(await blocks.take('globex', 1)).toEqual([1]);
    expect(await blocks.take('acme', 1)).toEqual([3]);
  });

  it('never overlap with those of another instance', async () => {
    const other = new NumberBlocks(counters, () => now);
    const taken: number[] = [];
    for (let n = 0; n < 50; n += 1) taken.push(...(await (n % 2 ? blocks : other).take('acme', 3)));
    expect(new Set(taken).size).toBe(150);
  });

  it('rise although two ask at once and the counter answers out of turn', async () => {
    counters.isSlow = true;
    const both = [blocks.take('acme', 20), blocks.take('acme', 20), blocks.take('globex', 1)];
    await new Promise((resolve) => setImmediate(resolve));
    counters.answerLastFirst();
    const [one, two] = await Promise.all(both);
    expect(rises([...one!, ...two!])).toBe(true);
    expect(rises([...one!, ...two!, ...(await blocks.take('acme', 20))])).toBe(true);
  });

  it('ask the counter once for as many as are needed at once', async () => {
    await blocks.take('acme', 500);
    expect(counters.sizes).toEqual([500]);
  });

  it('grow while they are used up quickly, up to a limit, and shrink again', async () => {
    for (let n = 0; n < 5_000; n += 5) await blocks.take('acme', 5);
    expect(counters.sizes.slice(0, 8)).toEqual([8, 16, 32, 64, 128, 256, 512, 1_000]);
    expect(Math.max(...counters.sizes)).toBe(1_000);
    for (let n = 0; n < 5_000; n += 5) await blocks.take('acme', 5).then(() => (now += 60_000));
    expect(counters.sizes.at(-1)).toBe(8);
  });

  it('begin once when two instances begin at once', async () => {
    const other = new NumberBlocks(counters, () => now);
    const [one, two] = await Promise.all([blocks.take('acme', 2), other.take('acme', 2)]);
    expect([...one, ...two].sort((a, b) => a - b)).toEqual([1, 2, 9, 10]);
  });

  it('a counter that fails is asked again', async () => {
    const { findOneAndUpdate } = counters;
    counters.findOneAndUpdate = () => Promise.reject(new Error('down'));
    await expect(blocks.take('acme', 1)).rejects.toThrow('down');
    counters.findOneAndUpdate = findOneAndUpdate;
    expect(await blocks.take('acme', 1)).toEqual([1]);
  });
});
