import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, expectProblem, expectRawProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { head, raw } from '../testing/raw.js';

let gateway: TestGateway;
let ada: Client;

beforeAll(async () => {
  gateway = await openGateway();
  ada = new Client(gateway.url, await gateway.token());
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.sent.length = 0;
  gateway.asked.length = 0;
});

const ticketPath = `/v1/tickets/${randomUUID()}`;

describe('routes and methods', () => {
  it.each(['/', '/v1', '/v1/', '/v2/tickets', '/v1/tickets/', '//v1/tickets', '/v1/me/', '/v1/api-keys/', '/v1/stats/', '/V1/tickets', '/v1/../v1/tickets', `${ticketPath}/nope`, '/health', '/metrics'])(
    'knows no %s, signed in or not',
    async (path) => {
      expectRawProblem(await raw(gateway.port, [head('GET', path, ada.headers())]), 404, 'not-found');
      expectRawProblem(await raw(gateway.port, [head('GET', path, {})]), 404, 'not-found');
    },
  );

  it.each([
    ['PUT', '/v1/tickets', 'GET, HEAD, POST'],
    ['DELETE', '/v1/me', 'GET, HEAD'],
    ['OPTIONS', '/v1/tickets', 'GET, HEAD, POST'],
    ['TRACE', '/v1/tickets', 'GET, HEAD, POST'],
    ['PROPFIND', '/v1/tickets', 'GET, HEAD, POST'],
    ['POST', ticketPath, 'DELETE, GET, HEAD, PATCH'],
    ['GET', `${ticketPath}/notes`, 'POST'],
    ['PATCH', `${ticketPath}/assignee`, 'DELETE, PUT'],
    ['POST', '/v1/tickets/counts', 'GET, HEAD'],
    ['PATCH', '/v1/tickets/counts', 'GET, HEAD'],
    ['DELETE', '/v1/tickets/counts?x=1', 'GET, HEAD'],
    ['PUT', '/v1/api-keys', 'GET, HEAD, POST'],
    ['GET', `/v1/api-keys/${randomUUID()}`, 'DELETE'],
  ])('%s %s', async (method, path, allow) => {
    const answer = await raw(gateway.port, [head(method, path, ada.headers())]);
    expectRawProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers['allow']).toBe(allow);
  });

  it('connects nobody to anybody', async () => {
    const answer = await raw(gateway.port, ['CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n']);
    expectRawProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers['allow']).toBe('DELETE, GET, HEAD, PATCH, POST, PUT');
  });

  it('answers HEAD as GET without a body', async () => {
    const answer = await ada.call('/v1/me', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(10);
  });

  it('answers a path that cannot be decoded', async () => {
    for (const path of ['/v1/tickets/%zz', '/v1/tickets/%', '/v1/tickets/%ff%fe']) {
      expectRawProblem(await raw(gateway.port, [head('GET', path, ada.headers())]), 400, 'malformed-request');
    }
  });

  it.each(['%2e%2e', '..%2fme', '%2e%2e%2f%2e%2e%2fetc', 'nope', '0', '-1', '1e3', '%00', `${randomUUID()}%20`, '007', '1'.repeat(16), 'x'.repeat(101), '[$ne]'])(
    'takes %s for a bad id',
    async (id) => {
      expectRawProblem(await raw(gateway.port, [head('GET', `/v1/tickets/${id}`, ada.headers())]), 400, 'malformed-request');
    },
  );

  it('takes numbers for reading a ticket only', async () => {
    expect((await ada.call('/v1/tickets/1042')).status).toBe(200);
    await expectProblem(ada.call('/v1/tickets/1042/comments'), 400, 'malformed-request');
    await expectProblem(ada.call('/v1/tickets/1042', { method: 'DELETE' }), 400, 'malformed-request');
    await expectProblem(ada.call('/v1/commands/nope'), 400, 'malformed-request');
  });

  it('asks for what the path means, however it is written', async () => {
    const id = randomUUID();
    await ada.call(`/v1/%74ickets/${id.toUpperCase()}/comments?limit=5`);
    expect(gateway.asked.map(({ path }) => path)).toEqual([`/v1/tickets/${id}/comments?limit=5`]);
  });
});

describe('query parameters', () => {
  it.each([
    ['/v1/tickets?nope=1', '?nope'],
    ['/v1/tickets?q[$ne]=1', '?q[$ne]'],
    ['/v1/tickets?page=0', '?page'],
    ['/v1/tickets?page=1&page=2', '?page'],
    ['/v1/tickets?pageSize=101', '?pageSize'],
    ['/v1/tickets?status=lost', '?status'],
    ['/v1/tickets?sort=title', '?sort'],
    ['/v1/tickets?createdFrom=yesterday', '?createdFrom'],
    ['/v1/tickets?createdFrom=2026-05-02&createdTo=2026-05-01', '?createdFrom'],
    ['/v1/tickets/counts?updatedFrom=2026-05-02T00:00:00Z&updatedTo=2026-05-01', '?updatedFrom'],
    ['/v1/tickets/counts?status=open', '?status'],
    ['/v1/tickets?q=a&q=b', '?q'],
    ['/v1/stats?from=2026-02-01&to=2026-01-01', '?from'],
    ['/v1/stats?to=x', '?to'],
    ['/v1/stats?assistantId=..', '?assistantId'],
    ['/v1/me?x=1', '?x'],
    ['/v1/members?x', '?x'],
    ['/v1/api-keys?limit=1', '?limit'],
    [`${ticketPath}?version=0`, '?version'],
    [`${ticketPath}?version=1&asOf=2026-01-01`, '?asOf'],
    [`${ticketPath}/transitions?version=1`, '?version'],
    [`${ticketPath}/comments?asOf=yesterday`, '?asOf'],
    [`${ticketPath}/timeline?type=nope`, '?type'],
    [`${ticketPath}/comments?limit=0`, '?limit'],
  ])('refuses %s', async (path, pointer) => {
    const { errors } = await expectProblem(ada.call(path), 422, 'validation-failed');
    expect(errors?.map((error) => error.pointer)).toEqual([pointer]);
    expect(gateway.asked).toEqual([]);
  });

  it('refuses any on a write', async () => {
    const { errors } = await expectProblem(ada.post('/v1/tickets?dry=1', { title: 'a' }), 422, 'validation-failed');
    expect(errors?.[0]?.pointer).toBe('?dry');
  });

  it('refuses dangerous names and broken encodings', async () => {
    await expectProblem(ada.call('/v1/tickets?__proto__=1'), 400, 'malformed-request');
    await expectProblem(ada.call('/v1/tickets?constructor=1'), 400, 'malformed-request');
    await expectProblem(ada.call('/v1/tickets?q=%ff'), 400, 'malformed-request');
    await expectProblem(ada.call('/v1/tickets?q=%zz'), 400, 'malformed-request');
  });

  it('passes those of statistics on as they were sent', async () => {
    expect((await ada.call('/v1/stats?from=2026-01-01T00:00:00%2B01:00&to=2026-02-01&assistantId=a,b')).status).toBe(200);
    expect(gateway.asked).toMatchObject([{ path: '/v1/stats?from=2026-01-01T00:00:00%2B01:00&to=2026-02-01&assistantId=a,b', principal: { orgId: 'acme' } }]);
  });

  it('passes good ones on as they were sent', async () => {
    const query = '?status=open,in_progress&status=closed&q=caf%C3%A9%20%25&createdFrom=2026-01-01&sort=-updatedAt';
    expect((await ada.call(`/v1/tickets${query}`)).status).toBe(200);
    expect(gateway.asked[0]?.path).toBe(`/v1/tickets${query}`);
  });
});

describe('every answer', () => {
  it('is never sniffed, kept or framed', async () => {
    for (const path of ['/v1/me', '/nope', '/v1/tickets?x=1']) {
      const { headers } = await ada.call(path);
      expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  it('says nothing of our own faults', async () => {
    gateway.answers.query = () => {
      throw new Error('the password is swordfish');
    };
    const answer = await ada.call('/v1/tickets');
    expect(await answer.clone().text()).not.toContain('swordfish');
    await expectProblem(answer, 500, 'internal-error');
  });
});

describe('health at the public door', () => {
  it('is told to anybody, and nothing else is', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await fetch(gateway.url + path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(await answer.json()).toMatchObject({ status: 'up' });
    }
    await expectProblem(fetch(`${gateway.url}/health`), 404, 'not-found');
    await expectProblem(fetch(`${gateway.url}/health/live`, { method: 'POST' }), 405, 'method-not-allowed');
  });
});
