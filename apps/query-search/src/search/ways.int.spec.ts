import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Running } from '../../testing/running.js';
import { collectionsOf } from '../collections.js';
import { anyOf, rangeOf, type Condition } from '../list-conditions.js';
import { behind, compare, positionOf } from '../list-order.js';
import { queryOf } from '../list-plan.js';
import { PlannedReads } from '../planned-reads.store.js';
import type { SearchEntry } from './search-entry.projection.js';

const words = ['print', 'printed', 'printer', 'prints'];
const at = (i: number) => new Date(Date.UTC(2026, 0, 1 + Math.floor(i / 5)));
/** Many share a moment, and many have several of the words. */
const entries: SearchEntry[] = Array.from({ length: 120 }, (_, i) => ({
  _id: `acme/${(i * 37) % 120}`,
  orgId: 'acme',
  version: 1,
  createdAt: at(i),
  tokens: [...(i % 3 ? ['=tag:a'] : []), ...words.filter((_, w) => i % (w + 2) === 0), 'other'],
  said: '',
  noted: '',
}));

let service: Running;
let collection: mongoose.mongo.Collection<SearchEntry>;
beforeAll(async () => {
  service = await Running.start();
  collection = service.db.collection<SearchEntry>(collectionsOf(1).search);
  await collection.insertMany(entries);
});
afterAll(() => service.stop());

const lead = { index: 'byWord' as const, isSingle: false, size: 9_000 };
const filter = { tokens: { $in: words } };
/** As for words of which three are frequent; and undivided. */
const divided = (size: number): Condition => ({ filter, lead: { ...lead, ways: [{ tokens: 'print' }, { tokens: 'printer' }, { tokens: { $in: ['printed', 'prints'] } }], size } });
const undivided: Condition = { filter, lead };
const others: Record<string, Condition[]> = { none: [], 'a key': anyOf({ field: 'tokens', values: ['=tag:a'] }, 'byWord').map((one) => ({ ...one, lead: { ...one.lead!, size: 10_000 } })), 'a time of creation': rangeOf('createdAt', at(20).toISOString(), at(90).toISOString()) };

describe('what several values lead to', () => {
  it.each([['words', { tokens: { $in: ['=tag:a', 'printed'] } }], ['a beginning', { tokens: /^pri/ }]])('is in order beside a word that more tickets have: %s', async (_, filter) => {
    const reads = new PlannedReads<SearchEntry>(service.db, collectionsOf(1).search);
    const conditions = [{ filter, lead: { ...lead, size: 80 } }, ...anyOf({ field: 'tokens', values: ['other'] }, 'byWord').map((one) => ({ ...one, lead: { ...one.lead!, size: 120 } }))];
    for (const sort of ['-createdAt', 'createdAt'] as const) {
      const found = await reads.find(queryOf({ base: { orgId: 'acme' }, sort, conditions }), { skip: 0, limit: 1_000 }, { createdAt: 1 });
      const positions = found.map((entry) => positionOf(sort, entry as never));
      expect(positions).toEqual([...positions].sort((one, other) => compare(sort, one, other)));
      expect(found.length).toBeGreaterThan(60);
    }
  });
});

describe('what several ways lead to', () => {
  // Those of few tickets are merged wherever in the list; of many, only at its start.
  it.each(Object.keys(others).flatMap((which) => [[which, 100] as const, [which, 9_000] as const]))('is in order, each once, from any place, and counted: beside %s, of %i', async (which, size) => {
    const reads = new PlannedReads<SearchEntry>(service.db, collectionsOf(1).search);
    const few = divided(size);
    const conditions = [few, ...others[which]!];
    for (const sort of ['-createdAt', 'createdAt'] as const) {
      const ask = (condition: Condition, piece: { skip: number; limit: number }, from?: object[]) =>
        eventually(() => reads.find(queryOf({ base: { orgId: 'acme' }, sort, conditions: [condition, ...others[which]!], from }), piece, { createdAt: 1 }), 'the store has answered within the 2 s that it has');
      const all = await ask(undivided, { skip: 0, limit: 1_000 });
      expect(all.length).toBeGreaterThan(20);
      expect(await ask(few, { skip: 0, limit: 1_000 })).toEqual(all);
      for (let i = 0; i < all.length; i += 7) {
        const next = all.slice(i + 1, i + 8);
        expect(await ask(few, { skip: i + 1, limit: 7 })).toEqual(next);
        expect(await ask(few, { skip: 0, limit: 7 }, behind(sort, positionOf(sort, all[i]! as never)))).toEqual(next);
      }
      expect(await reads.count(queryOf({ base: { orgId: 'acme' }, sort, conditions }))).toEqual({ total: all.length, isExact: true });
    }
  });
});
