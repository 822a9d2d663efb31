import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ProblemError } from '#observability';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { Client, expectProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { Downloads } from './downloads.js';
import { Queries } from './queries.js';

const type = 'text/csv; charset=utf-8; header=present';
const disposition = 'attachment; filename="tickets-acme-2026-01-01.csv"';

let gateway: TestGateway;
let ada: Client;
let upstream: Server;
let queries: Queries;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const asked: IncomingMessage[] = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  queries = new Queries(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, '0123456789abcdef0123456789abcdef');
  gateway = await openGateway({ queries });
  ada = new Client(gateway.url, await gateway.token());
});
afterAll(async () => {
  await gateway.stop();
  await queries.close();
  upstream.close();
  upstream.closeAllConnections();
});
beforeEach(() => {
  asked.length = 0;
  answer = (_, response) => begun(response).end('third');
});

/** The beginning of an export as query-search answers it. */
function begun(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': type, 'content-disposition': disposition });
  response.write('first,second\r\n');
  return response;
}
const path = '/v1/tickets/export';

describe('an export through the gateway', () => {
  it('is the file of query-search, asked as it was asked for', async () => {
    const response = await ada.call(`${path}?format=csv&status=open&q=caf%C3%A9`);
    expect([response.status, response.headers.get('content-type'), response.headers.get('content-disposition'), await response.text()]).toEqual([200, type, disposition, 'first,second\r\nthird']);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(asked[0]).toMatchObject({ url: `${path}?format=csv&status=open&q=caf%C3%A9`, headers: { authorization: expect.stringMatching(/^Bearer /) as unknown } });
  });

  it('comes while it is made', async () => {
    let upstreamAnswer: ServerResponse | undefined;
    answer = (_, response) => (upstreamAnswer = begun(response));
    const response = await ada.call(path);
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('first,second\r\n');
    upstreamAnswer!.end();
    expect((await reader.read()).done).toBe(true);
  });

  it('breaks off where query-search does', async () => {
    answer = (request, response) => begun(response).write('second', () => request.socket.destroy());
    const response = await ada.call(path);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  it('is no longer asked for when its caller has gone', async () => {
    let left = false;
    answer = (_, response) => void begun(response).on('close', () => (left = true));
    const leaving = new AbortController();
    const response = await fetch(gateway.url + path, { headers: ada.headers() as Record<string, string>, signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    await eventually(() => left, 'query-search sees it');
  });

  it('is read no faster than its caller reads', async () => {
    let written = 0;
    answer = (_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536))) written += 65_536;
        written += 65_536;
      };
      begun(response).on('drain', more);
      more();
    };
    const leaving = new AbortController();
    const response = await fetch(gateway.url + path, { headers: ada.headers() as Record<string, string>, signal: leaving.signal });
    await response.body!.getReader().read();
    let before = -1;
    await eventually(() => {
      const isSettled = written === before;
      before = written;
      return isSettled;
    }, 'nothing is written any more');
    expect(written).toBeLessThan(60_000_000);
    leaving.abort();
  });

  it('that is refused is refused in the words of query-search', async () => {
    answer = (_, response) => response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '10' }).end(JSON.stringify({ type: '/problems/overloaded', status: 503 }));
    const response = await ada.call(path);
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([503, '10', { type: '/problems/overloaded', status: 503 }]);
  });

  it('is not possible where nobody answers', async () => {
    answer = (request) => request.socket.destroy();
    await expectProblem(ada.call(path), 503, 'dependency-unavailable');
  });

  it('of which only the headers are asked for is not read', async () => {
    let left = false;
    answer = (_, response) => void begun(response).on('close', () => (left = true));
    const response = await ada.call(path, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-disposition'), await response.text()]).toEqual([200, disposition, '']);
    await eventually(() => left, 'query-search sees it');
  });

  it.each(['text/csv', 'application/x-ndjson', 'text/*', 'application/json', '*/*', 'text/html, */*;q=0.1'])('is given to who accepts %s', async (accept) => {
    expect((await ada.call(path, { headers: { accept } })).status).toBe(200);
  });

  it('is not given to who accepts neither form, nor are other answers to who accepts its forms only', async () => {
    await expectProblem(ada.call(path, { headers: { accept: 'text/html' } }), 406, 'not-acceptable');
    await expectProblem(ada.call('/v1/tickets', { headers: { accept: 'text/csv' } }), 406, 'not-acceptable');
    await expectProblem(ada.call('/v1/stream', { headers: { accept: 'application/json' } }), 406, 'not-acceptable');
  });

  it.each([['format=xml', '?format'], ['page=1', '?page'], ['q[$ne]=1', '?q[$ne]'], ['sort=title', '?sort']])('with ?%s is refused at the door', async (query, pointer) => {
    const { errors } = await expectProblem(ada.call(`${path}?${query}`), 422, 'validation-failed');
    expect(errors?.map((error) => error.pointer)).toEqual([pointer]);
    expect(asked).toEqual([]);
  });

  it('ends when the gateway stops', async () => {
    answer = (_, response) => void begun(response);
    const other = await openGateway({ queries });
    const response = await new Client(other.url, await other.token()).call(path);
    await Promise.all([expect(response.text()).rejects.toThrow(), other.stop()]);
  });
});

describe('the caller of a running export', () => {
  const principal = { orgId: 'acme', actor: { type: 'member', id: 'grace', name: 'Grace' }, access: { role: 'member', assistantIds: ['billing-bot'] } };
  const without = { ...principal, access: { role: 'member', assistantIds: [] } };
  const refused = (name: 'unauthenticated' | 'dependency-unavailable') => () => Promise.reject(new ProblemError(name, 'No.'));

  /** An export that goes on for ever, whose caller the guard judges like this every few ms. */
  async function running(admit: () => unknown, until?: number) {
    const body = new PassThrough();
    let checks = 0;
    const judge = () => {
      checks += 1;
      return admit();
    };
    const downloads = new Downloads({ stream: async () => ({ status: 200, headers: {}, body }) } as never, { admit: judge } as never);
    downloads.recheckMs = 5;
    const reply = { code: () => reply, headers: () => reply, send: () => reply };
    await downloads.pass({ request: { method: 'GET', url: path, raw: { headers: {} }, caller: { principal, until } }, reply } as never, path);
    return { body, checks: () => checks };
  }

  it.each([
    ['has fewer rights now', () => ({ principal: without }), 'rights'],
    ['is not let in any more', refused('unauthenticated'), 'sign-in'],
  ] as const)('gets no more of it once they %s', async (_, admit, why) => {
    const { body } = await running(admit as () => unknown);
    await expect(once(body, 'close')).rejects.toThrow(why);
  });

  it.each([
    ['may do what they might', () => ({ principal: { ...principal, access: { ...principal.access } } })],
    ['cannot be judged right now', refused('dependency-unavailable')],
  ] as const)('goes on while they %s', async (_, admit) => {
    const { body, checks } = await running(admit as () => unknown);
    await eventually(() => checks() > 3, 'they were judged some times');
    expect(body.destroyed).toBe(false);
    body.destroy();
  });

  it('goes on as long as an API key is confirmed, and ends when it was not in time', async () => {
    let isAway = false;
    const confirmedUntil = () => Date.now() + 1_500;
    const began = confirmedUntil();
    const { body, checks } = await running(() => (isAway ? refused('dependency-unavailable')() : { principal, until: confirmedUntil() }), began);
    await eventually(() => checks() > 30 && Date.now() > began, 'it was confirmed some times, for longer than once');
    expect(body.destroyed).toBe(false);
    isAway = true;
    body.on('error', () => undefined);
    await eventually(() => body.destroyed, 'it has ended').finally(() => body.destroy());
    expect(body.errored?.message).toContain('API key');
  });
});
