import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { AssertionClaims, type Principal } from '#contracts';
import { Queries } from './queries.js';

const key = '0123456789abcdef0123456789abcdef';
const principal: Principal = { orgId: 'acme', actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: ['a'] } };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A query-search that answers what it is told, and remembers what it was asked. */
async function opened(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const queries = new Queries(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, 3_000);
  const stop = () => new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  closing.push(async () => {
    await queries.close();
    await stop();
  });
  return { queries, seen, stop };
}

const ask = { principal, path: '/v1/tickets?q=a%20b', requestId: 'r1' };

describe('asking query-search', () => {
  it('passes status, body and the headers that matter on, and nothing else', async () => {
    const { queries, seen } = await opened((_, response) =>
      response.writeHead(410, { 'content-type': 'application/problem+json', etag: '"3"', link: '<x>; rel="next"', 'retry-after': '1', server: 'x', 'set-cookie': 'a=b' }).end('{ "a": 1 }'),
    );
    expect(await queries.ask({ ...ask, minVersion: '7' })).toEqual({
      status: 410,
      headers: { 'content-type': 'application/problem+json', etag: '"3"', link: '<x>; rel="next"', 'retry-after': '1' },
      body: Buffer.from('{ "a": 1 }'),
    });
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/v1/tickets?q=a%20b', headers: { 'x-request-id': 'r1', 'x-min-version': '7' } });
  });

  it('says who asks in an assertion that lasts a minute, and signs it once for many', async () => {
    const { queries, seen } = await opened((_, response) => response.end('{}'));
    await queries.ask(ask);
    await queries.ask(ask);
    const [one, other] = seen.map(({ headers }) => headers.authorization!.replace('Bearer ', ''));
    expect(one).toBe(other);
    const { payload } = await jwtVerify(one!, Buffer.from(key), { audience: 'query-search', issuer: 'gateway', algorithms: ['HS256'] });
    const { exp, ...claims } = AssertionClaims.parse(payload);
    expect(claims).toEqual({ iss: 'gateway', aud: 'query-search', principal });
    expect(exp - Date.now() / 1_000).toBeGreaterThan(30);
    expect(exp - Date.now() / 1_000).toBeLessThanOrEqual(60);
  });

  it('asks again when a kept connection was closed', async () => {
    let calls = 0;
    const { queries } = await opened((request, response) => {
      calls += 1;
      if (calls === 2) request.socket.destroy();
      else response.end('{}');
    });
    await queries.ask(ask);
    expect((await queries.ask(ask)).status).toBe(200);
    expect(calls).toBe(3);
  });

  it('brings a long answer whole, an empty one, and none that breaks off', async () => {
    const long = Buffer.from('long and longer '.repeat(100_000));
    const { queries } = await opened(({ url }, response) => {
      if (url === '/broken') response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
      else response.end(url === '/empty' ? '' : long);
    });
    expect((await queries.ask({ ...ask, path: '/long' })).body.equals(long)).toBe(true);
    expect((await queries.ask({ ...ask, path: '/empty' })).body).toHaveLength(0);
    await expect(queries.ask({ ...ask, path: '/broken' })).rejects.toMatchObject({ problem: { status: 503 } });
  });

  it('answers 503 when there is nobody, or nobody who answers in time, or who takes our word', async () => {
    const unavailable = { problem: { type: '/problems/dependency-unavailable', status: 503 }, headers: { 'retry-after': '2' } };
    const silent = await opened(() => undefined);
    await expect(silent.queries.ask(ask)).rejects.toMatchObject(unavailable);
    const distrusting = await opened((_, response) => response.writeHead(401).end());
    await expect(distrusting.queries.ask(ask)).rejects.toMatchObject(unavailable);
    await distrusting.stop();
    await expect(distrusting.queries.ask(ask)).rejects.toMatchObject(unavailable);
  });
});
