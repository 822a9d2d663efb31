import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import type { Sort } from '#contracts';
import { ada, grace } from '../../../libs/contracts/testing/builders.js';
import { conditionsOf, type Condition } from './list-conditions.js';
import { behind } from './list-order.js';
import { queryOf, waysOf } from './list-plan.js';
import { PlannedReads } from './planned-reads.store.js';

const tooSlow = new mongoose.mongo.MongoServerError({ message: 'canceling statement', code: 50 });
const unreachable = new mongoose.mongo.MongoServerSelectionError('nobody there', {} as never);
const base = { orgId: 'acme', deleted: false };
const open = queryOf({ base, sort: '-createdAt', conditions: conditionsOf(grace, {}) });
const all = queryOf({ base, sort: '-createdAt', conditions: conditionsOf(ada, {}) });

/** A collection that answers by the index it is asked to use, and remembers what it was asked. */
function collection(answers: Record<string, number | Error>) {
  const asked: string[] = [];
  const answer = async (hint: string) => {
    asked.push(hint);
    await new Promise((resolve) => setTimeout(resolve, hint === 'byKey' ? (answers['slow'] as number | undefined) : 0).unref());
    const value = answers[hint]!;
    if (value instanceof Error) throw value;
    return value;
  };
  const views = { find: (_: unknown, { hint }: { hint: string }) => ({ toArray: async () => [await answer(hint)] }), countDocuments: (_: unknown, { hint }: { hint: string }) => answer(hint) };
  // Several answers of one index: to a question that is for one document of the organisation, behind others or the first of all.
  const place = (hint: string, { filter, limit, sort }: { filter: object; limit?: number; sort?: Map<string, number> }) => {
    if (limit !== 1 || !sort) return hint;
    return `${hint} ${sort.get('createdAt') === 1 ? '' : '-'}createdAt${'orgId' in filter ? '' : ' of anybody'}`;
  };
  const db = { command: async ({ hint, ...asked }: { hint: string; filter: object }) => ({ cursor: { firstBatch: [await answer(place(hint, asked))], id: 0 } }), collection: () => views };
  return { asked, answers, reads: new PlannedReads(db as never, 'tickets') };
}
const page = { skip: 0, limit: 26 };
/** Whatever else the machine does, no time passes: a way that took long would say nothing of the other one. */
const timeStandsStill = () => void jest.spyOn(performance, 'now').mockReturnValue(performance.now());
afterEach(() => void jest.restoreAllMocks());

describe('what meets several conditions on one index', () => {
  const conditions = conditionsOf(ada, { status: ['open'], assignee: ['grace'] }).map((one) => ({ ...one, lead: { ...one.lead!, size: 2_000 } }));
  const both = (sort: Sort) => queryOf({ base, sort, conditions });

  it('is gathered by it and sorted here where it was counted as few, and found as it was where it is many by then', async () => {
    const { asked, answers, reads } = collection({ byKey: 300, _id_: 1, byUpdate: 7 });
    expect(await reads.find(both('-updatedAt'), page, {})).toEqual([7]);
    await reads.count(both('-updatedAt'));
    answers['byKey'] = { _id: 'acme/1', updatedAt: new Date() } as never;
    expect(await reads.find(both('-updatedAt'), page, { ticket: 1 })).toEqual([]);
    expect(asked).toEqual(['byUpdate', 'byKey', 'byKey', '_id_']);
  });

  it('is found in order where it is many', async () => {
    const { asked, reads } = collection({ byKey: 501 });
    await reads.count(both('-createdAt'));
    expect(await reads.find(both('-createdAt'), page, {})).toEqual([501]);
    expect(asked).toEqual(['byKey', 'byKey']);
  });
});

describe('a condition that leads to more than is counted', () => {
  const now = Date.now();
  beforeEach(() => void jest.spyOn(Date, 'now').mockReturnValue(now));
  const weighed = async (answers: Record<string, unknown>, condition: Condition) => {
    const { asked, reads } = collection(answers as never);
    const [one] = await reads.weighed(base, [condition]);
    return { asked, lead: one!.lead! };
  };
  const minutes = (ago: number) => ({ createdAt: new Date(now - ago * 60_000) });
  const many = { byKey: 10_000, 'byKey -createdAt': minutes(1), 'byKey createdAt': minutes(100) };

  it('is weighed by how far back its newest reach, and several values by what comes of all of them', async () => {
    const { asked, lead } = await weighed(many, conditionsOf(ada, { status: ['closed'] })[0]!);
    expect([asked, lead.size]).toEqual([['byKey', 'byKey -createdAt', 'byKey createdAt'], 50_000]); // five times what is counted
    expect(lead.reach).toBe(60_000);
    const both = await weighed(many, conditionsOf(ada, { status: ['closed', 'resolved'] })[0]!);
    expect(both.lead.size).toBe(100_000);
    expect(both.lead.reach).toBe(30_000);
  });

  it.each([[1_000, 300_000], [10, 50_000], [NaN, 50_000]])('is taken for as many as would have come in its %s minutes at 300 a minute, but for no less than usual: %s', async (ago, size) => {
    const { lead } = await weighed({ ...many, 'byKey createdAt': ago ? minutes(ago) : {} }, conditionsOf(ada, { status: ['closed'] })[0]!);
    expect(lead.size).toBe(size);
  });

  it('is not where it leads to few, nor where its index has them in no order', async () => {
    expect((await weighed({ byKey: 9_999 }, conditionsOf(ada, { status: ['closed'] })[0]!)).asked).toEqual(['byKey']);
    const tags = Array.from({ length: 40 }, (_, i) => `tag-${i}`);
    expect((await weighed(many, conditionsOf(ada, { tag: tags })[0]!)).asked).toEqual(['byKey']);
  });
});

describe('a list whose order may lead past many tickets', () => {
  it('walks it, and gathers what matches when that takes too long; the next one gathers at once', async () => {
    timeStandsStill();
    const { asked, reads } = collection({ byCreation: tooSlow, byKey: 1 });
    expect(await reads.find(open, page, {})).toEqual([1]);
    expect(await reads.find(open, page, {})).toEqual([1]);
    expect(asked).toEqual(['byCreation', 'byKey', 'byKey', 'byKey', 'byKey']); // each time counted before it is sorted
  });

  it('is walked to the end where there is too much to be sorted', async () => {
    const { asked, reads } = collection({ byCreation: tooSlow, byKey: 10_001 });
    await expect(reads.find(open, page, {})).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' } });
    expect(asked).toEqual(['byCreation', 'byKey', 'byCreation']);
  });

  it('is counted the other way round, and by what was learned for counting only', async () => {
    timeStandsStill();
    const { asked, answers, reads } = collection({ byCreation: tooSlow, byKey: 1 });
    await reads.find(open, page, {});
    await reads.count(open);
    Object.assign(answers, { byCreation: 5, byKey: tooSlow });
    expect(await reads.count(open)).toMatchObject({ total: 5 });
    await reads.count(open);
    expect(asked).toEqual(['byCreation', 'byKey', 'byKey', 'byKey', 'byKey', 'byCreation', 'byCreation']);
  });

  it('keeps to walking where gathering is slow as well', async () => {
    const { asked, answers, reads } = collection({ byCreation: tooSlow, byKey: 1 });
    answers['slow'] = 150;
    await reads.find(open, page, {});
    answers['byCreation'] = 2;
    await reads.find(open, page, {});
    expect(await reads.find(open, page, {})).toEqual([2]);
    expect(asked).toEqual(['byCreation', 'byKey', 'byKey', 'byCreation', 'byCreation']);
  });

  it('is told as unavailable when no way is quick enough, or the store is not there', async () => {
    for (const trouble of [tooSlow, unreachable]) {
      const { reads } = collection({ byCreation: trouble, byKey: trouble });
      for (const read of [() => reads.find(open, page, {}), () => reads.find(all, page, {}), () => reads.count(open), () => reads.count(all)]) {
        await expect(read()).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' }, headers: { 'retry-after': '1' } });
      }
    }
  });

  it('is told as unavailable while the store is silent', async () => {
    const { answers, reads } = collection({ byKey: 1 });
    answers['slow'] = 10_000;
    // However late timers fire on a slow machine, they do so in their order.
    let isLate = false;
    const late = setTimeout(() => (isLate = true), 5_000);
    await expect(reads.find({ ...open, walk: open.led! }, page, {})).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' } });
    expect(isLate).toBe(false);
    clearTimeout(late);
  });

  it('does not hide a mistake of ours as a busy store', async () => {
    const { reads } = collection({ byCreation: new TypeError('ours') });
    await expect(reads.find(all, page, {})).rejects.toThrow(TypeError);
  });
});

describe('a count', () => {
  it('up to 1,000 is made anew each time', async () => {
    const { asked, answers, reads } = collection({ byCreation: 1_000 });
    expect(await reads.count(all)).toEqual({ total: 1_000, isExact: true });
    answers['byCreation'] = 999;
    expect(await Promise.all([reads.count(all), reads.count(all)])).toEqual([{ total: 999, isExact: true }, { total: 999, isExact: true }]);
    expect(asked).toHaveLength(3);
  });

  it('above that is told again for seconds, to the same question only', async () => {
    const { asked, reads } = collection({ byCreation: 1_001, byKey: 7 });
    expect([await reads.count(all), await reads.count(all), await reads.count(open)].map(({ total }) => total)).toEqual([1_001, 1_001, 7]);
    expect(asked).toEqual(['byCreation', 'byKey']);
  });

  it('stops at 10,000', async () => {
    expect(await collection({ byCreation: 10_000 }).reads.count(all)).toEqual({ total: 10_000, isExact: true });
    expect(await collection({ byCreation: 10_001 }).reads.count(all)).toEqual({ total: 10_000, isExact: false });
  });
});

describe('a condition of several values', () => {
  const among = (...sizes: number[]) => {
    const values = sizes.map((size) => `word${size}`);
    const anyOf = { field: 'tokens', values } as const;
    const size = sizes.reduce((sum, one) => sum + one, 0);
    return queryOf({ base, sort: '-createdAt', conditions: [{ filter: {}, lead: { index: 'byWord', isSingle: false, anyOf, size, ways: waysOf(anyOf, sizes) } }] });
  };

  it('is found by in as many ways as it has frequent values, and one for all rare ones', async () => {
    expect(waysOf({ field: 'tokens', values: ['a', 'b', 'c', 'd'] }, [400, 9_000, 1, 501])).toEqual([{ tokens: 'd' }, { tokens: 'b' }, { tokens: { $in: ['c', 'a'] } }]);
    expect(waysOf({ field: 'tokens', values: ['a', 'b'] }, [1_000, 9_000])).toEqual([{ tokens: 'a' }, { tokens: 'b' }]);
    expect(among(1, 2).led).not.toHaveProperty('ways');
  });

  it('walks where there are many ways, and takes them all when that takes too long', async () => {
    const { asked, answers, reads } = collection({ byCreation: { _id: 'walked' } as never, byWord: { _id: 'a', createdAt: new Date() } as never });
    const few = [601, 602, 603, 604, 605, 606, 607, 608];
    expect(await reads.find(among(...few, 609), page, {})).toEqual([{ _id: 'walked' }]);
    answers['byCreation'] = tooSlow;
    expect(await reads.find(among(...few, 609), page, {})).toEqual([expect.objectContaining({ _id: 'a' })]);
    expect(await reads.find(among(...few), page, {})).toEqual([expect.objectContaining({ _id: 'a' })]);
    expect(asked).toEqual(['byCreation', 'byCreation', ...Array.from({ length: 17 }, () => 'byWord')]);
  });

  it('neither takes all ways far into a list nor sorts what is too much', async () => {
    const { asked, reads } = collection({ byCreation: 1, byWord: 10_001 });
    await reads.find(among(6_001, 6_002), { skip: 9_975, limit: 26 }, {});
    expect(asked).toEqual(['byCreation']);
  });

  it('is counted by the one that is as frequent as anybody counts, where there is one', async () => {
    const { asked, answers, reads } = collection({ byKey: 10_000 });
    const conditions = await reads.weighed(base, conditionsOf(ada, { status: ['open', 'closed'] }));
    const query = queryOf({ base, sort: '-createdAt', conditions });
    expect(query.led!.some).toEqual({ filter: { ...base, $and: [{ keys: 'status:open' }] }, hint: 'byKey' });
    answers['byKey'] = 10_001;
    asked.length = 0;
    expect(await reads.countNow(query)).toEqual({ total: 10_000, isExact: false });
    expect(asked).toEqual(['byKey']);
    const rare = collection({ byKey: 9_999 }).reads;
    expect(queryOf({ base, sort: '-createdAt', conditions: await rare.weighed(base, conditionsOf(ada, { status: ['open', 'closed'] })) }).led).not.toHaveProperty('some');
  });

  it('is counted at once', async () => {
    const { asked, answers, reads } = collection({ byCreation: 1, byWord: 10_001 });
    const many = among(6_001, 6_002, 6_003, 6_004);
    expect(await reads.countNow(many)).toEqual({ total: 10_000, isExact: false });
    answers['byWord'] = tooSlow; // all others would take longer
    await expect(reads.countNow(many)).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' } });
    expect(asked).toEqual(['byWord', 'byWord']);
  });
});

describe('words that begin alike', () => {
  it('are counted in their index, however slow the store is: walking would be slower', async () => {
    const { asked, reads } = collection({ byCreation: 1, byWord: tooSlow });
    const begins = queryOf({ base, sort: '-createdAt', conditions: [{ filter: { tokens: /^20/ }, lead: { index: 'byWord', isSingle: false, size: 10_000 } }] });
    await expect(reads.countNow(begins)).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' } });
    expect(asked).toEqual(['byWord']);
  });
});

describe('a condition that very many meet', () => {
  const [frequent, all] = [{ tokens: 'a' }, { tokens: /^a/ }];
  const condition = (isMost: boolean, some?: object) => ({ filter: all, lead: { index: 'byWord' as const, isSingle: false, size: Infinity, common: { isMost }, ...(some && { some }) } });
  const query = (isMost: boolean, some?: object) => queryOf({ base, sort: '-createdAt', conditions: [condition(isMost, some)] });

  it('leads when nothing else does, and is not counted to know that', async () => {
    const { asked, reads } = collection({ byWord: 3, byKey: 3 });
    const weighed = await reads.weighed(base, [condition(true), { filter: { keys: 'tag:a' }, lead: { index: 'byKey', isSingle: true } }]);
    expect(asked).toEqual(['byKey']);
    expect(queryOf({ base, sort: '-createdAt', conditions: weighed }).led).toMatchObject({ hint: 'byKey' });
  });

  it('is found by walking, however long that takes: gathering would take longer', async () => {
    const { asked, reads } = collection({ byCreation: tooSlow, byWord: 1 });
    await expect(reads.find(query(false, frequent), page, {})).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable' } });
    expect(asked).toEqual(['byCreation']);
  });

  it('is counted by some of them; where those are not enough by walking, if most meet it, or else in its index', async () => {
    expect(query(true, frequent).led!.some).toEqual({ filter: { ...base, $and: [frequent] }, hint: 'byWord' });
    const enough = collection({ byWord: 10_001, byCreation: 7 });
    for (const isMost of [true, false]) expect(await enough.reads.countNow(query(isMost, frequent))).toEqual({ total: 10_000, isExact: false });
    expect(enough.asked).toEqual(['byWord', 'byWord']);
    const { asked, reads } = collection({ byWord: 10_000, byCreation: 7 });
    expect(await reads.countNow(query(false, frequent))).toEqual({ total: 10_000, isExact: true });
    expect(await reads.countNow(query(true, frequent))).toEqual({ total: 7, isExact: true });
    expect(await reads.countNow(query(true))).toEqual({ total: 7, isExact: true });
    expect(asked).toEqual(['byWord', 'byWord', 'byWord', 'byCreation', 'byCreation']);
  });
});

describe('a list that goes on', () => {
  const conditions = [{ filter: { keys: 'status:open' }, lead: { index: 'byKey' as const, isSingle: true, size: 10_000 } }];
  const query = queryOf({ base, sort: '-createdAt', conditions, from: behind('-createdAt', [1, 'acme/1']) });

  it('passes over what came before where that is little, and walks where it may be much', async () => {
    const { asked, reads } = collection({ byCreation: 1, byKey: 1 });
    for (const passed of [undefined, 1_101, 1_100]) await reads.find(query, { ...page, passed }, {});
    expect(asked).toEqual(['byCreation', 'byCreation', 'byKey']);
  });
});

describe('a condition of one value', () => {
  it('is what is counted by, and found by in order of creation', async () => {
    const one = queryOf({ base, sort: 'number', conditions: conditionsOf(ada, { tag: ['vip'] }) });
    const { asked, reads } = collection({ byKey: 3, byNumber: 1 });
    await reads.count(one);
    await reads.find(one, page, {});
    await reads.find(queryOf({ base, sort: 'createdAt', conditions: conditionsOf(ada, { tag: ['vip'] }) }), page, {});
    expect(asked).toEqual(['byKey', 'byNumber', 'byKey']);
  });
});
