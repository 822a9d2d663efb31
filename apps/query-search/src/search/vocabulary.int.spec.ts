import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ada } from '../../../../libs/contracts/testing/builders.js';
import { Running } from '../../testing/running.js';
import { Story } from '../../testing/stories.js';
import { collectionsOf, dropViews, prepareViews } from '../collections.js';
import { ProjectionStore } from '../projection.store.js';
import { mostBeginnings, Vocabulary } from './vocabulary.store.js';

const collections = collectionsOf(1);
const entry = (orgId: string, ...tokens: string[]) => ({ orgId, tokens });

let service: Running;
beforeAll(async () => {
  service = await Running.start();
});
afterAll(() => service.stop());

/** Of another instance, which remembers nothing; of a generation of its own unless told otherwise. */
const another = (generation = 1) => new Vocabulary({ db: service.db }, collectionsOf(generation));
const sorted = (words?: readonly string[]) => words?.toSorted();

describe('the vocabulary', () => {
  it('has the words that begin with something, of one organisation, whoever noted them and however often', async () => {
    const [one, other] = [another(), another()];
    const entries = [entry('a', 'print', 'printer', 'prism', 'zoë', 'pri'), entry('b', 'printed'), entry('a', 'printer')];
    await Promise.all([one.note(entries), other.note(entries), one.note(entries)]);
    for (const vocabulary of [one, other, another()]) {
      expect(sorted(await vocabulary.beginnings('a', 'print'))).toEqual(['print', 'printer']);
      expect(sorted(await vocabulary.beginnings('a', 'pri'))).toEqual(['pri', 'print', 'printer', 'prism']);
      expect(await vocabulary.beginnings('b', 'pri')).toEqual(['printed']);
      expect(await vocabulary.beginnings('a', 'zo')).toEqual(['zoë']);
      expect(await vocabulary.beginnings('a', 'printers')).toEqual([]);
      expect(await vocabulary.beginnings('', 'a')).toEqual([]);
    }
  });

  it('tells what was read since somebody asked again, and to nobody what was read before: another instance may have told more by then', async () => {
    const [one, other] = [another(), another()];
    const before = performance.now();
    expect(await one.beginnings('g', 'gr')).toEqual([]);
    await other.note([entry('g', 'green')]);
    expect(await one.beginnings('g', 'gr', before)).toEqual([]);
    expect(await one.beginnings('g', 'gr')).toEqual(['green']);
    expect(await one.beginnings('g', 'gr', before)).toEqual(['green']);
  });

  it('has words of every script behind what they begin with', async () => {
    await another().note([entry('c', '𝒳y', '中文', '中', 'a\u{2FA1D}', 'ab')]);
    expect(sorted(await another().beginnings('c', '中'))).toEqual(['中', '中文']);
    expect(await another().beginnings('c', '𝒳')).toEqual(['𝒳y']);
    expect(sorted(await another().beginnings('c', 'a'))).toEqual(['ab', 'a\u{2FA1D}']);
  });

  it('tells a few words, and nothing where there are more', async () => {
    const words = Array.from({ length: mostBeginnings + 1 }, (_, i) => `w${i.toString(36)}`);
    await another().note([entry('d', ...words.slice(1))]);
    expect(await another().beginnings('d', 'w')).toHaveLength(mostBeginnings);
    await another().note([entry('d', words[0]!)]);
    expect(await another().beginnings('d', 'w')).toBeUndefined();
  });

  it('neither has nor tells words that begin with no letter: there are as many as tickets', async () => {
    const before = await service.db.collection(collections.words).countDocuments();
    await another().note([entry('e', '12', '#12', '2nd', '0196f0a0-0000-7000-8000-0000000000c1')]);
    expect(await service.db.collection(collections.words).countDocuments()).toBe(before);
    for (const prefix of ['1', '#', '2n', '0196f0a0-']) expect(await another().beginnings('e', prefix)).toBeUndefined();
  });

  it('knows a word before an entry has it', async () => {
    class Failing extends Vocabulary {
      override note = () => Promise.reject(new Error('the store is away'));
    }
    const store = new ProjectionStore({ db: service.db } as never, collections, { announce: () => undefined } as never, new Failing({ db: service.db }, collections));
    const document = { _id: 'a/1', version: 1, orgId: 'a', createdAt: new Date(), tokens: ['never'], said: '', noted: '' };
    await expect(store.putEntries([{ document, isNew: true }])).rejects.toThrow('the store is away');
    expect(await service.db.collection<{ _id: string }>(collections.search).findOne({ _id: 'a/1' })).toBeNull();
  });

  it('tries again what it could not note', async () => {
    const vocabulary = another();
    const collection = Object.getPrototypeOf(service.db.collection('x')) as { bulkWrite: (...asked: unknown[]) => Promise<unknown> };
    const bulkWrite = collection.bulkWrite;
    // Of words alone: the service writes others, too.
    const closed = jest.spyOn(collection, 'bulkWrite').mockImplementation(async function (this: { collectionName: string }, ...asked) {
      if (this.collectionName === collections.words) throw new Error('away');
      return bulkWrite.apply(this as never, asked);
    });
    await expect(vocabulary.note([entry('f', 'again')])).rejects.toThrow('away');
    closed.mockRestore();
    await vocabulary.note([entry('f', 'again')]);
    expect(await vocabulary.beginnings('f', 'ag')).toEqual(['again']);
  });

  it('is of no use where entries were stored without it, until there are new ones', async () => {
    const old = collectionsOf(7);
    await prepareViews({ db: service.db }, old);
    await service.db.collection<{ _id: string }>(old.search).insertOne({ _id: 'a/1' });
    await another(7).prepare();
    await another(7).note([entry('a', 'printer')]);
    expect(await another(7).beginnings('a', 'print')).toBeUndefined();
    await dropViews({ db: service.db }, old);
    await another(7).prepare();
    expect(await another(7).beginnings('a', 'print')).toEqual([]);
    await dropViews({ db: service.db }, old);
  });
});

describe('a search by a beginning', () => {
  const find = async (q: string) => ((await service.get(ada, `/tickets?q=${encodeURIComponent(q)}`)).body as { total: number }).total;

  it('finds a word at once that nobody has used before, and not what was asked for in vain', async () => {
    expect(await find('xylo')).toBe(0);
    await service.project(...new Story({ number: 1 }).create({ title: 'Xylophone' }).events);
    expect([await find('xylo'), await find('xylophone'), await find('xylophones')]).toEqual([1, 1, 0]);
  });

  it('finds by a number and by an id, which the vocabulary has none of', async () => {
    const story = new Story({ number: 4_242, id: 'abcdef00-0000-4000-8000-000000000001' }).create({ title: 'Numbered' });
    await service.project(...story.events);
    expect([await find('424'), await find('#42'), await find('4242'), await find(story.id), await find('abcdef00'), await find('abc')]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('finds all the same without a vocabulary', async () => {
    await service.db.collection(collections.words).deleteMany({});
    const other = await Running.start(service.database);
    expect((await other.get(ada, '/tickets?q=xylo')).body.total).toBe(1);
    await other.stop({ keep: true });
  });
});
