import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LRUCache } from 'lru-cache';
import { openDatabase, type Database } from '#persistence';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Story } from '../../testing/stories.js';
import type { Candidate } from './feed-entry.projection.js';
import { FeedNews } from './feed-news.js';
import { FeedStore } from './feed.store.js';
import { start, type Place } from './feed-places.js';

let database: Database;
/** Two processes that write the same feeds. */
let one: FeedStore;
let other: FeedStore;
beforeAll(() => {
  database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `spec_feed_${randomUUID().slice(0, 8)}` });
  [one, other] = [new FeedStore(database), new FeedStore(database)];
});
afterAll(async () => {
  await database.db.dropDatabase();
  await database.close();
});

/** So many events of one ticket, as records of a partition. */
function records(orgId: string, { partition = 0, from = 0, count = 3 } = {}): Candidate[] {
  const story = new Story({ orgId }).create({ title: 'Fire' });
  while (story.events.length < count) story.comment(`comment ${story.events.length}`);
  return story.events.map((event, i) => ({ event, partition, offset: from + i, isDoubtful: false }));
}
const ofOne = (orgId: string, events: readonly Candidate[]) => new Map([[orgId, events]]);
const isBehind = (one: Place, other: Place) => one.block > other.block || (one.block === other.block && one.entry > other.entry);
const nameOf = ({ event: { ticketId, version } }: Candidate) => `${ticketId}:${version}`;

async function all(orgId: string, { limit = 7, reader = other } = {}) {
  const names: string[] = [];
  const places: Place[] = [];
  for (let from = start; ; from = places.at(-1)!) {
    const found = await eventually(() => reader.after(orgId, from, limit), 'the store has answered within the 2 s that it has');
    names.push(...found.map(({ entry }) => `${entry.ticketId}:${entry.version}`));
    places.push(...found.map(({ place }) => place));
    if (found.length === 0) return { names, places };
  }
}

describe('a feed', () => {
  it('holds what was added in one order, across blocks, and each organisation its own', async () => {
    const [org, twin] = [randomUUID(), randomUUID()];
    const [events, more, foreign] = [records(org, { count: 250 }), records(org, { partition: 1 }), records(twin)];
    await one.append(new Map([[org, [...events, ...more]], [twin, foreign]]));
    const { names, places } = await all(org);
    expect(names).toEqual([...events, ...more].map(nameOf));
    expect((await all(org, { limit: 100 })).names).toEqual(names);
    expect(places.slice(1).every((place, i) => isBehind(place, places[i]!))).toBe(true);
    expect(await one.end(org)).toEqual(places.at(-1));
    expect((await all(twin)).names).toEqual(foreign.map(nameOf));
    expect(await one.end(randomUUID())).toEqual(start);
  });

  it('holds a record once that comes again to whoever, wherever the first round ended', async () => {
    const org = randomUUID();
    const events = records(org, { count: 5 });
    await one.append(ofOne(org, events.slice(0, 3)));
    await other.append(ofOne(org, events));
    await one.append(ofOne(org, events.slice(1)));
    expect((await all(org)).names).toEqual(events.map(nameOf));
  });

  it('loses nothing and repeats nothing when several add at once, each partition in order', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.record({ partition: fc.nat(3), count: fc.integer({ min: 1, max: 60 }), twice: fc.boolean() }), { minLength: 2, maxLength: 6 }), async (plan) => {
        const org = randomUUID();
        const offsets = [0, 0, 0, 0];
        const rounds = plan.map(({ partition, count, twice }) => {
          const events = records(org, { partition, count, from: offsets[partition]! });
          offsets[partition]! += count;
          return { events, partition, writers: twice ? [one, other] : [one] };
        });
        // A partition has one round in flight in a process; a process that lost it meanwhile may be at it, too.
        const partitions = [0, 1, 2, 3].map((partition) => rounds.filter((round) => round.partition === partition));
        await Promise.all(partitions.map(async (those) => {
          for (const { events, writers } of those) await Promise.all(writers.map((writer) => writer.append(ofOne(org, events))));
        }));
        const { names } = await all(org);
        expect([...names].sort()).toEqual(rounds.flatMap(({ events }) => events.map(nameOf)).sort());
        for (const those of partitions) {
          const expected = those.flatMap(({ events }) => events.map(nameOf));
          expect(names.filter((name) => expected.includes(name))).toEqual(expected);
        }
      }),
      { numRuns: 8 },
    ));

  it('has doubtful events once: those that it has, however many came since, are not added again, others are', async () => {
    const org = randomUUID();
    const events = records(org, { count: 3 });
    await one.append(ofOne(org, events.slice(0, 2)));
    for (let i = 1; i <= 60; i++) await one.append(ofOne(org, records(org, { partition: 1, from: i * 10, count: 1 })));
    const again = events.map((event, i) => ({ ...event, offset: 100 + i, isDoubtful: true }));
    await other.append(ofOne(org, again));
    const { names } = await all(org);
    expect(events.map((event) => names.filter((name) => name === nameOf(event)).length)).toEqual([1, 1, 1]);
    expect(names.at(-1)).toBe(nameOf(events[2]!));
  });

  it('is added to in a round of more organisations than are remembered', async () => {
    const small = new FeedStore(database);
    (small as unknown as { ends: { max: number } }).ends = new LRUCache<string, never>({ max: 2 }) as never;
    const orgs = Array.from({ length: 6 }, () => randomUUID());
    for (let turn = 0; turn < 2; turn++) await small.append(new Map(orgs.map((org) => [org, records(org, { from: turn * 3 })])));
    for (const org of orgs) expect((await all(org)).names).toHaveLength(6);
  });
});

describe('news of feeds', () => {
  const never = new AbortController().signal;

  it('wake who waits at once for what is announced, soon for what others add, and in time when nothing comes', async () => {
    const [org, foreign] = [randomUUID(), randomUUID()];
    const news = new FeedNews(one);
    let woken = 0;
    const waiting = [news.behind(org, start, { ms: 20_000, signal: never }), news.behind(foreign, start, { ms: 20_000, signal: never })].map((one) => one.then(() => (woken += 1)));
    news.announce([org]);
    await waiting[0];
    expect(woken).toBe(1);
    await other.append(ofOne(foreign, records(foreign)));
    await waiting[1];
    const startedAt = performance.now();
    await news.behind(org, start, { ms: 30, signal: never });
    await news.behind(org, start, { ms: 20_000, signal: AbortSignal.abort() });
    // eslint-disable-next-line deskstream/specs-measure-no-haste -- else it would have waited for all of these
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
