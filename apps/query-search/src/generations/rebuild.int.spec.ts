import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Step } from '#observability';
import { openDatabase, type Database } from '#persistence';
import { eventually } from '../../../../test/support/eventually.js';
import { silentFeed } from '../../testing/silence.js';
import { newYear, Story } from '../../testing/stories.js';
import { collectionsOf } from '../collections.js';
import { FeedNews } from '../feed/feed-news.js';
import { FeedStore } from '../feed/feed.store.js';
import { ListCursors } from '../list-cursor.js';
import { viewOf, type TicketView } from '../ticket-view.projection.js';
import { Board } from './board.store.js';
import { Rebuild } from './rebuild.js';

Logger.overrideLogger(false);

const tickets = 5;
const views = Array.from({ length: tickets }, (_, i) => viewOf(new Story({ number: i + 1, at: newYear + i }).create().events[0]!));

let store: Database;
let board: Board;
let steps: Step[];
let said: string[];
beforeEach(async () => {
  store = openDatabase({ uri: process.env['MONGODB_URI']!, database: `spec_rebuild_${randomUUID().slice(0, 8)}` });
  [board, steps, said] = [new Board(store), [], []];
  await board.course(); // an installation that begins with this version
  await of(1).insertMany(views);
});
afterEach(async () => {
  await store.db.dropDatabase();
  await store.close();
});

const of = (generation: number) => store.db.collection<TicketView>(collectionsOf(generation).views);

/** Topics that were read to their ends, whatever is missing on them. */
const readToTheEnd = { extent: async () => [{ partition: 0, low: 0, high: 7 }], of: async () => 0, isSettled: async () => true, forget: async () => undefined };

function rebuild(wholeMs?: number): Promise<boolean> {
  const feed = new FeedStore(store);
  const around = { store, feed, news: new FeedNews(feed), cursors: new ListCursors('nobody reads here') };
  const progress = { tell: (step: Step) => void steps.push(step), say: (text: string) => void said.push(text) };
  const parts = { board, around, feeds: silentFeed, backlog: readToTheEnd as never, progress, signal: new AbortController().signal, restart: false, keepOld: false };
  return new Rebuild(parts, wholeMs).run();
}

describe('a rebuild that has read all events', () => {
  it('refuses to switch to fewer tickets than are live, and leaves those as they were', async () => {
    const built = rebuild(5_000);
    const inserted = eventually(async () => (await board.course()).building === 2).then(() => of(2).insertMany(views.slice(1)));
    await expect(built).rejects.toThrow(`What was built has ${tickets - 1} tickets, what is live ${tickets}: events are missing on their topic. Nothing was switched.`);
    await inserted;
    expect(await board.course()).toMatchObject({ phase: 'serving', live: 1, building: 2, holder: null, retired: [] });
    expect([await of(1).countDocuments(), said]).toEqual([tickets, []]);
  });

  it('waits for what is still on its way, tells how much that is, and switches', async () => {
    const built = rebuild();
    const builder = async () => (await board.members()).find(({ role }) => role === 'rebuild');
    await eventually(async () => (await builder())?.doing?.label === 'tickets');
    expect((await builder())?.doing).toEqual({ label: 'tickets', done: 0, total: tickets });
    await of(2).insertMany(views);
    expect(await built).toBe(true);
    expect(await board.course()).toMatchObject({ phase: 'serving', live: 2, building: null, retired: [], dropping: [] });
    expect(said).toEqual([expect.stringContaining('was built anew')]);
    expect(steps.map(({ label }) => label)).toEqual(expect.arrayContaining(['events', 'statistics', 'tickets']));
    expect(await builder()).toBeUndefined();
  });
});
