import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { collected, json, ScriptedServer } from '../testing/scripted-server.js';
import { Deskstream } from './index.js';

const server = new ScriptedServer();
let desk: Deskstream;
beforeAll(async () => {
  await server.listen();
  desk = new Deskstream({ baseUrl: server.url, token: 'secret' });
});
afterAll(() => server.close());

const paths = () => server.seen.map(({ path }) => path);

describe('going through a list', () => {
  it('follows cursors to the end, under the same filters', async () => {
    server.script(json(200, { items: [1, 2], nextCursor: 'c/1' }), json(200, { items: [], nextCursor: 'c2' }), json(200, { items: [3], nextCursor: null }));
    expect(await collected(desk.tickets.all({ tag: 'x', pageSize: 2 }))).toEqual([1, 2, 3]);
    expect(paths()).toEqual(['/v1/tickets?pageSize=2&tag=x', '/v1/tickets?pageSize=2&tag=x&cursor=c%2F1', '/v1/tickets?pageSize=2&tag=x&cursor=c2']);
  });

  it('asks for a page when the one before is used up', async () => {
    server.script(json(200, { items: [1, 2], nextCursor: 'c1' }));
    for await (const _ of desk.tickets.all()) break;
    expect(paths()).toEqual(['/v1/tickets?pageSize=100']);
  });
});

describe('going through what is in a ticket', () => {
  it.each(['comments', 'timeline', 'conversation'] as const)('follows the pages of its %s', async (what) => {
    server.script(json(200, { items: ['a'], nextAfter: '7' }), json(200, { items: ['b'], nextAfter: null }));
    expect(await collected(desk.tickets[what]('t', { limit: 1 }, { minVersion: 3 }))).toEqual(['a', 'b']);
    expect(paths()).toEqual([`/v1/tickets/t/${what}?limit=1`, `/v1/tickets/t/${what}?limit=1&after=7`]);
    expect(server.seen.map(({ headers }) => headers['x-min-version'])).toEqual(['3', '3']);
  });
});

describe('the feed', () => {
  const page = (items: number[], nextAfter: string) => json(200, { items, nextAfter });

  it('ends at the present, and tells where to go on', async () => {
    server.script(page([1, 2], 'p2'), page([3], 'p3'), page([], 'p3'));
    const feed = desk.events.after('p0', { limit: 2 });
    expect(await collected(feed)).toEqual([1, 2, 3]);
    expect(paths()).toEqual(['/v1/events?after=p0&limit=2', '/v1/events?after=p2&limit=2', '/v1/events?after=p3&limit=2']);
    expect(feed.position).toBe('p3');
  });

  it('passes no event that was not taken to its end', async () => {
    server.script(page([1, 2], 'p2'), page([3, 4], 'p4'));
    const feed = desk.events.after();
    const positions: string[] = [];
    for await (const event of feed as AsyncIterable<unknown>) {
      positions.push(feed.position);
      if (event === 3) break;
    }
    expect([...positions, feed.position]).toEqual(['0', '0', 'p2', 'p2']);
  });

  it('looks again at the present when it is told to', async () => {
    const end = new AbortController();
    server.script(page([], 'p0'), page([1], 'p1'), page([], 'p1'), (response, request) => {
      end.abort(new Error('enough'));
      page([], 'p1')(response, request);
    });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of desk.events.after('p0', { pollMs: 20, signal: end.signal })) seen.push(event);
    })();
    await expect(reading).rejects.toThrow('enough');
    expect([seen, server.seen.length]).toEqual([[1], 4]);
  });
});
