import type { ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { broken, json, problem, ScriptedServer, silent, type Scripted } from '../testing/scripted-server.js';
import { Deskstream, type StreamedEvent, type StreamOptions } from './index.js';

const server = new ScriptedServer();
let desk: Deskstream;
beforeAll(async () => {
  await server.listen();
  desk = new Deskstream({ baseUrl: server.url, token: 'secret' });
});
afterAll(() => server.close());

const headed = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
const event = (id: number) => `id: p${id}\ndata: {"ticketId":"ü","version":${id}}\n\n`;
const open = (text: string): Scripted => (response) => {
  headed(response).flushHeaders();
  if (text !== '') response.write(text);
};
const closing = (text: string): Scripted => (response) => void headed(response).end(text);
const breaking = (text: string): Scripted => (response) => void headed(response).write(text, () => setTimeout(() => response.destroy(), 50));

async function take(count: number, options: StreamOptions = {}): Promise<StreamedEvent[]> {
  const taken: StreamedEvent[] = [];
  for await (const one of desk.stream(options)) if (taken.push(one) === count) break;
  return taken;
}
const ids = (events: StreamedEvent[]) => events.map(({ id }) => id);
const positions = () => server.seen.map(({ headers }) => headers['last-event-id']);

describe('the stream', () => {
  it('gives events as they come, each with where to go on', async () => {
    server.script(open(`: hello\n\n${event(1)}${event(2)}`));
    expect(await take(2)).toEqual([1, 2].map((version) => ({ id: `p${version}`, data: { ticketId: 'ü', version } })));
    expect(server.seen[0]).toMatchObject({ method: 'GET', path: '/v1/stream', headers: { accept: 'text/event-stream', authorization: 'Bearer secret' } });
  });

  it('begins where it is told to, else with what comes next', async () => {
    server.script(open(event(5)));
    await take(1, { lastEventId: 'p4' });
    await take(1);
    expect(positions()).toEqual(['p4', undefined]);
  });

  it.each<[string, Scripted[]]>([
    ['ends', [closing(event(1))]],
    ['breaks', [breaking(event(1))]],
    ['breaks and cannot be made again for a while', [breaking(event(1)), broken, problem(503, 'overloaded'), problem(500, 'internal-error'), problem(429, 'rate-limited')]],
    ['breaks within an event', [breaking(`${event(1)}id: p2\ndata: {"tick`)]],
  ])('goes on after the last event when the connection %s', async (_, scripts) => {
    server.script(...scripts, open(event(2)));
    expect(ids(await take(2))).toEqual(['p1', 'p2']);
    expect(positions()).toEqual([undefined, ...scripts.map(() => 'p1')]);
  });

  it('goes on behind the place that the stream has told, also before the first event and after those of others', async () => {
    server.script(closing('retry: 1\nid: p0\n\n'), closing(`${event(1)}: still here\nid: p7\n\nid: p8\n`), open(event(9)));
    expect(ids(await take(2))).toEqual(['p1', 'p9']);
    expect(positions()).toEqual([undefined, 'p0', 'p7']);
  });

  it('is patient after failures, and quick again once something came', async () => {
    const overloaded = problem(503, 'overloaded');
    const often = 5;
    server.script(overloaded, overloaded, overloaded, ...Array.from({ length: often }, (_, i) => closing(event(i + 1))), open(event(often + 1)));
    await take(often + 1);
    const times = server.seen.map(({ at }) => at);
    expect(times[3]! - times[2]!).toBeGreaterThan(390);
    // The quickest says it: with patience none would come before 800 ms.
    expect(Math.min(...times.slice(4).map((at, i) => at - times[3 + i]!))).toBeLessThan(700);
  });

  it('makes a new connection when nothing comes over the old one, but not while heartbeats do', async () => {
    const beating: Scripted = (response) => {
      headed(response).write(event(1));
      const heart = setInterval(() => response.write(': \n\n'), 200);
      setTimeout(() => response.write(event(2)), 3_000);
      setTimeout(() => clearInterval(heart), 3_100);
    };
    server.script(beating, open(event(3)));
    expect(ids(await take(3, { silenceMs: 2_000 }))).toEqual(['p1', 'p2', 'p3']);
    expect(positions()).toEqual([undefined, 'p2']);
  });

  it('takes no time for silence in which this process stood still', async () => {
    const standStill = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    server.script((response) => {
      headed(response).write(event(1));
      setTimeout(standStill, 100);
      setTimeout(() => response.write(event(2)), 200);
    }, open(event(3)));
    expect(ids(await take(2, { silenceMs: 1_000 }))).toEqual(['p1', 'p2']);
    expect(server.seen).toHaveLength(1);
  });

  it('notices silence after garbage was collected, too', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    server.script(open(event(1)), open(event(2)));
    const seen: string[] = [];
    const collecting = setInterval(collect, 50);
    for await (const { id } of desk.stream({ silenceMs: 700 })) if (seen.push(id) === 2) break;
    clearInterval(collecting);
    expect(seen).toEqual(['p1', 'p2']);
  });

  it('makes a new connection when one is not made in time', async () => {
    server.script(silent, open(event(1)));
    expect(ids(await take(1, { timeoutMs: 200 }))).toEqual(['p1']);
  });

  it('waits before a new connection as long as the server says', async () => {
    server.script(closing(`retry: 900\n\n${event(1)}`), open(event(2)));
    const began = performance.now();
    await take(2);
    expect(performance.now() - began).toBeGreaterThan(890);
  });

  it('lets the caller take its time over an event', async () => {
    server.script(open(event(1) + event(2)), open(event(9)));
    const seen: string[] = [];
    for await (const { id } of desk.stream({ silenceMs: 700 })) {
      if (seen.push(id) === 2) break;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect([seen, server.seen.length]).toEqual([['p1', 'p2'], 1]);
  });

  it.each([[401, 'unauthenticated'], [403, 'forbidden'], [422, 'invalid-cursor']])('ends with the problem at %i', async (status, name) => {
    server.script(closing(event(1)), problem(status, name));
    await expect(take(2)).rejects.toMatchObject({ status, type: name, requestId: 'r-1' });
    expect(server.seen).toHaveLength(2);
  });

  it('ends when there is no stream at all', async () => {
    server.script(json(200));
    await expect(take(1)).rejects.toMatchObject({ type: 'about:blank', detail: expect.stringContaining('application/json') });
  });

  it.each<[string, Scripted]>([['an event', open('')], ['a connection', silent], ['the next try', problem(503, 'overloaded', { 'retry-after': '9' })]])('ends at the wish of the caller while it waits for %s', async (_, script) => {
    server.script(script);
    const [began, reason, end] = [performance.now(), new Error('enough'), new AbortController()];
    setTimeout(() => end.abort(reason), 200);
    await expect(take(1, { signal: end.signal })).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('closes its connection when the caller has had enough', async () => {
    const closed = new Promise<void>((resolve) => server.script((response) => void headed(response.on('close', resolve)).write(event(1))));
    await take(1);
    await closed;
  });
});
