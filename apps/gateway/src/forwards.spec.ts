import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { AssertionClaims } from '#contracts';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { Forwards } from './forwards.js';

const key = '0123456789abcdef0123456789abcdef';

interface Asked {
  request: IncomingMessage;
  body: string;
}

let gateway: TestGateway;
let forwards: Forwards;
let asked: Asked[] = [];
let answer: (response: ServerResponse, request: IncomingMessage) => void;
const service = createServer((request, response) => {
  void text(request).then((body) => {
    asked.push({ request, body });
    answer(response, request);
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  forwards = new Forwards(`http://127.0.0.1:${(service.address() as AddressInfo).port}`, key, 3_000);
  gateway = await openGateway({ forwards });
});
afterAll(async () => {
  await gateway.stop();
  await forwards.close();
  service.close();
  service.closeAllConnections();
});
beforeEach(() => {
  answer = (response) => response.writeHead(201, { 'content-type': 'application/json', 'idempotency-replayed': 'true', server: 'x', 'set-cookie': 'a=b' }).end('{ "a": 1 }');
});
afterEach(() => {
  asked = [];
});

const rule = { name: 'In turn', strategy: { type: 'round-robin', memberIds: ['grace'] } };
async function ask(method: string, path: string, { body, headers = {}, role = 'admin', sub = 'ada' }: { body?: unknown; headers?: Record<string, string>; role?: 'admin' | 'member'; sub?: string } = {}) {
  const token = await gateway.token({ claims: { sub, role } });
  const response = await fetch(`${gateway.url}/v1${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

describe('what is forwarded', () => {
  it('goes in the caller’s name, named by its key, and comes back byte for byte', async () => {
    const headers = { 'idempotency-key': 'once' };
    const answers = [await ask('POST', '/assignment-rules', { body: rule, headers }), await ask('POST', '/assignment-rules', { body: rule, headers }), await ask('POST', '/assignment-rules', { body: { ...rule, name: 'Other' }, headers })];
    expect(answers[0]).toMatchObject({ status: 201, body: '{ "a": 1 }' });
    expect([answers[0]!.headers.get('idempotency-replayed'), answers[0]!.headers.get('set-cookie')]).toEqual(['true', null]);
    const [first, again, other] = asked.map(({ request }) => request.headers);
    expect([first!['x-change-id'], first!['x-change-hash'], first!['x-request-id']]).toEqual([again!['x-change-id'], again!['x-change-hash'], answers[0]!.headers.get('x-request-id')]);
    expect([other!['x-change-id'] === first!['x-change-id'], other!['x-change-hash'] === first!['x-change-hash']]).toEqual([true, false]);
    expect(JSON.parse(asked[0]!.body)).toEqual(rule);
    const { payload } = await jwtVerify(first!.authorization!.replace('Bearer ', ''), Buffer.from(key), { audience: 'assignment-notification', issuer: 'gateway' });
    expect(AssertionClaims.parse(payload).principal).toMatchObject({ actor: { id: 'ada' }, access: { role: 'admin' } });
  });

  it('is only what the caller may do', async () => {
    const id = randomUUID();
    const refused = [ask('GET', '/assignment-rules', { role: 'member' }), ask('PUT', `/assignment-rules/${id}`, { role: 'member', body: rule }), ask('POST', '/members/grace/hand-back', { role: 'member', sub: 'linus' })];
    for (const { status } of await Promise.all(refused)) expect(status).toBe(403);
    expect(asked).toEqual([]);
    expect((await ask('POST', '/members/grace/hand-back', { role: 'member', sub: 'grace' })).status).toBe(201);
  });

  it('keeps ids as they are, however they are written', async () => {
    await ask('POST', `/members/${encodeURIComponent('idp|a/b ö')}/hand-back`);
    await ask('POST', `/members/${encodeURIComponent('ö'.repeat(255))}/hand-back`);
    expect(asked.map(({ request }) => request.url)).toEqual([`/v1/members/${encodeURIComponent('idp|a/b ö')}/hand-back`, `/v1/members/${encodeURIComponent('ö'.repeat(255))}/hand-back`]);
  });

  it('is checked first', async () => {
    for (const body of [{ ...rule, colour: 'red' }, { ...rule, strategy: { type: 'round-robin', memberIds: [] } }, { ...rule, strategy: { type: 'round-robin', memberIds: ['a', 'a'] } }, { ...rule, condition: { requesterDomains: ['not a domain'] } }]) {
      expect((await ask('POST', '/assignment-rules', { body })).status).toBe(422);
    }
    const rehearsed = async (from: string, to: string) => (JSON.parse((await ask('POST', '/assignment-rules/rehearse', { body: { from, to } })).body) as { errors: { pointer: string; code: string }[] }).errors.map(({ pointer, code }) => `${pointer} ${code}`);
    expect(await rehearsed('2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z')).toEqual(['/to too_long']);
    expect(await rehearsed('2026-03-01T00:00:00Z', '2026-03-01T00:00:00Z')).toEqual(['/to ends_before_it_begins']);
    expect(await rehearsed('later', 'earlier')).toEqual(['/from invalid_format', '/to invalid_format']);
    expect(asked).toEqual([]);
  });

  it('is what somebody is told, for people only, as they asked for it', async () => {
    await ask('GET', '/notifications?limit=7&unread=true', { role: 'member', sub: 'grace' });
    await ask('POST', '/notifications/read', { role: 'member', sub: 'grace', body: {} });
    expect(asked.map(({ request }) => request.url)).toEqual(['/v1/notifications?limit=7&unread=true', '/v1/notifications/read']);
    for (const path of ['/notifications?limit=0', '/notifications?unread=maybe', '/notifications/unread?x=1']) expect((await ask('GET', path)).status).toBe(422);
    for (const body of [{ mentioned: { inApp: 'at-once', email: 'weekly' } }, { mentioned: { inApp: 'never' } }, { colour: {} }]) expect((await ask('PUT', '/notification-preferences', { body })).status).toBe(422);
    expect(asked).toHaveLength(2);
  });

  it('is answered 503 where the service is silent, broken or does not trust us', async () => {
    for (const trouble of [() => undefined, (response: ServerResponse) => response.destroy(), (response: ServerResponse) => response.writeHead(401).end()]) {
      answer = trouble;
      const { status, body } = await ask('GET', '/assignment-rules');
      expect([status, body]).toEqual([503, expect.stringContaining('/problems/dependency-unavailable')]);
    }
  });

  it('is asked again where a kept connection was closed meanwhile', async () => {
    let calls = 0;
    answer = (response, request) => {
      calls += 1;
      if (calls === 1) request.socket.destroy();
      else response.writeHead(204).end();
    };
    expect((await ask('DELETE', `/assignment-rules/${randomUUID()}`)).status).toBe(204);
    expect(new Set(asked.map(({ request }) => request.headers['x-change-id'])).size).toBe(1);
  });
});
