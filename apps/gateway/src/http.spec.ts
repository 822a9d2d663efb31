import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { head, raw, type RawAnswer } from '../testing/raw.js';

let gateway: TestGateway;
let bearer: string;

beforeAll(async () => {
  gateway = await openGateway();
  bearer = await gateway.token();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.sent.length = 0;
  gateway.asked.length = 0;
});

const ticketPath = `/v1/tickets/${randomUUID()}`;
interface Call {
  method?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
}

/** A request of an administrator; a body comes as JSON unless told otherwise. */
const call = (path: string, { method = 'GET', body, headers = {} }: Call = {}) =>
  fetch(gateway.url + path, {
    method,
    ...(body !== undefined && { body }),
    headers: { authorization: `Bearer ${bearer}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(path, { method: 'POST', body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body), headers });

/** The problem of an answer, once it is certain that it is a whole one. */
async function problemOf(answer: Response) {
  const body = (await answer.json()) as { type: string; status: number; instance: string; requestId: string; errors?: { pointer: string; code: string }[] };
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status: answer.status, requestId: answer.headers.get('x-request-id') });
  expect(Object.keys(body)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'instance', 'requestId']));
  return body;
}

async function expectProblem(answer: Response | Promise<Response>, status: number, name: string) {
  const body = await problemOf(await answer);
  expect([body.status, body.type]).toEqual([status, `/problems/${name}`]);
  return body;
}

function expectRawProblem({ status, headers, body }: RawAnswer, expected: number, name: string) {
  expect(status).toBe(expected);
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = JSON.parse(body) as { type: string; requestId: string };
  expect(problem.type).toBe(`/problems/${name}`);
  expect(headers['x-request-id']).toBe(problem.requestId);
}

const authorized = (headers: Record<string, string | number> = {}) => ({ Authorization: `Bearer ${bearer}`, ...headers });
const jsonHeaders = (length: number) => authorized({ 'Content-Type': 'application/json', 'Content-Length': length });

describe('bodies that are not JSON', () => {
  it.each([
    ['cut off', '{"title":'],
    ['empty', ''],
    ['white space', ' \n'],
    ['a raw U+0000', '{"title":"a\u0000b"}'],
    ['a byte order mark', '\ufeff{"title":"a"}'],
    ['a trailing comma', '{"title":"a",}'],
    ['two values', '{"title":"a"}{}'],
  ])('%s', async (_, body) => {
    await expectProblem(post('/v1/tickets', body), 400, 'malformed-request');
  });

  it('no body where one is needed', async () => {
    await expectProblem(call('/v1/tickets', { method: 'POST' }), 400, 'malformed-request');
    await expectProblem(call(ticketPath, { method: 'PATCH' }), 400, 'malformed-request');
  });

  it('bytes that are not UTF-8', async () => {
    const body = Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', jsonHeaders(body.length)), body]), 400, 'malformed-request');
  });

  it('keys that could reach a prototype, at any depth and however written', async () => {
    for (const body of [
      '{"title":"a","__proto__":{"x":1}}',
      '{"title":"a","customFields":{"constructor":1}}',
      '{"title":"a","customFields":{"prototype":1}}',
      '{"title":"a","\\u005f_proto__":1}',
      '{"title":"a","conversation":[{"role":"user","content":"x","__proto__":1}]}',
    ]) {
      await expectProblem(post('/v1/tickets', body), 400, 'malformed-request');
    }
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('nesting of 33, while 32 is read', async () => {
    const toolCall = (depth: number) => `{"tool":"t","status":"ok","arguments":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    await expectProblem(post(`${ticketPath}/tool-calls`, toolCall(31)), 400, 'malformed-request');
    expect((await post(`${ticketPath}/tool-calls`, toolCall(30))).status).toBe(201);
    await expectProblem(post(`${ticketPath}/tool-calls`, `${'['.repeat(100_000)}`), 400, 'malformed-request');
    await expectProblem(post(`${ticketPath}/tool-calls`, `${'['.repeat(100_000)}${']'.repeat(100_000)}`), 400, 'malformed-request');
  });

  it('does not close the connection over one', async () => {
    const body = '{"title":';
    const good = '{"title":"a"}';
    const answer = await raw(gateway.port, [head('POST', '/v1/tickets', jsonHeaders(body.length)), body]);
    expect(answer.headers['connection']).toBe('keep-alive');
    expect(good).toBeTruthy();
  });
});

describe('bodies that are not what the route takes', () => {
  it.each([
    ['no title', {}, '/title'],
    ['a wrong type', { title: 7 }, '/title'],
    ['an unknown field', { title: 'a', nope: 1 }, '/nope'],
    ['an operator', { title: { $ne: null } }, '/title'],
    ['a title that is too long', { title: 'x'.repeat(201) }, '/title'],
    ['a blank title', { title: '   ' }, '/title'],
    ['a lone surrogate', '{"title":"a\\ud800"}', '/title'],
    ['an escaped U+0000', '{"title":"a\\u0000"}', '/title'],
    ['a key with a slash', { title: 'a', 'a/b~c': 1 }, '/a~1b~0c'],
    ['an unknown priority', { title: 'a', priority: 'soon' }, '/priority'],
    ['an array', [], ''],
    ['a text', '"title"', ''],
    ['null', 'null', ''],
  ])('%s', async (_, body, pointer) => {
    const { errors } = await expectProblem(post('/v1/tickets', body), 422, 'validation-failed');
    expect(errors?.map((error) => error.pointer)).toContain(pointer);
    expect(gateway.sent).toEqual([]);
  });

  it('names at most 20 errors', async () => {
    const body = { title: 'a', ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, i])) };
    expect((await expectProblem(post('/v1/tickets', body), 422, 'validation-failed')).errors).toHaveLength(20);
  });

  it('lone surrogates inside what a tool was called with', async () => {
    const body = '{"tool":"t","status":"ok","arguments":{"a":["\\udc00"]}}';
    const { errors } = await expectProblem(post(`${ticketPath}/tool-calls`, body), 422, 'validation-failed');
    expect(errors).toEqual([{ pointer: '/arguments', code: 'bad_unicode', message: expect.any(String) }]);
  });

  it('a body where none is taken', async () => {
    const { errors } = await expectProblem(post(`${ticketPath}/take`, { now: true }), 422, 'validation-failed');
    expect(errors?.[0]?.pointer).toBe('/now');
    expect((await post(`${ticketPath}/take`, {})).status).toBe(200);
    expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', jsonHeaders(2)), '{}']), 400, 'malformed-request');
  });
});

describe('the size of a request', () => {
  const title = 'x'.repeat(300_000);

  it('refuses more than 256 KiB, announced or not, and goes on with the connection', async () => {
    await expectProblem(post('/v1/tickets', { title }), 413, 'payload-too-large');
    const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`;
    const chunked = head('POST', '/v1/tickets', authorized({ 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }));
    expectRawProblem(await raw(gateway.port, [chunked, chunk, chunk, chunk, '0\r\n\r\n']), 413, 'payload-too-large');
  });

  it('gives its answer to a client that sends all of a much larger body first', async () => {
    await expectProblem(post('/v1/tickets', { title: 'x'.repeat(6_000_000) }), 413, 'payload-too-large');
  });

  it('answers a body without end before it has ended', async () => {
    const huge = 50_000_000;
    expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', jsonHeaders(huge)), 'x'.repeat(9_000_000)]), 413, 'payload-too-large');
  });

  it('takes 256 KiB to the byte', async () => {
    const body = (length: number) => JSON.stringify({ title: 'a', description: 'x' }).replace('x', 'x') + ' '.repeat(length - JSON.stringify({ title: 'a', description: 'x' }).length);
    expect((await post('/v1/tickets', body(256 * 1024))).status).toBe(201);
    await expectProblem(post('/v1/tickets', body(256 * 1024 + 1)), 413, 'payload-too-large');
  });

  it('answers 431 to headers that are too large', async () => {
    expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', authorized({ 'X-Long': 'x'.repeat(20_000) }))]), 431, 'headers-too-large');
  });

  it('answers what is not HTTP', async () => {
    expectRawProblem(await raw(gateway.port, ['how are you?\r\n\r\n']), 400, 'malformed-request');
    expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', { 'Content-Length': 'two' })]), 400, 'malformed-request');
  });
});

describe('media types', () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json; charset=latin1', 'application/jsonx', ''])(
    'refuses a body as %j',
    async (type) => {
      const body = '{"title":"a"}';
      const headers = authorized({ ...(type && { 'Content-Type': type }), 'Content-Length': body.length });
      expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', headers), body]), 415, 'unsupported-media-type');
    },
  );

  it('refuses a coded body', async () => {
    await expectProblem(post('/v1/tickets', { title: 'a' }, { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type');
  });

  it('takes UTF-8 by name, and merge-patches on PATCH only', async () => {
    expect((await post('/v1/tickets', { title: 'a' }, { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(201);
    const patch = { body: '{"title":"b"}', headers: { 'content-type': 'application/merge-patch+json' } };
    expect((await call(ticketPath, { method: 'PATCH', ...patch })).status).toBe(200);
    await expectProblem(call('/v1/tickets', { method: 'POST', ...patch }), 415, 'unsupported-media-type');
  });

  it.each(['text/html', 'application/xml, text/*;q=0.5', 'application/json;q=0', '*/*;q=0', '*/*, application/json;q=0.0'])('does not answer %j', async (accept) => {
    await expectProblem(call('/v1/me', { headers: { accept } }), 406, 'not-acceptable');
  });

  it.each(['*/*', 'application/json', 'text/html, */*;q=0.1', 'APPLICATION/JSON; q=0.5', 'application/*'])('answers %j', async (accept) => {
    expect((await call('/v1/me', { headers: { accept } })).status).toBe(200);
  });
});

describe('routes and methods', () => {
  it.each(['/', '/v1', '/v1/', '/v2/tickets', '/v1/tickets/', '//v1/tickets', '/v1/me/', '/v1/api-keys', '/v1/stats', '/V1/tickets', '/v1/../v1/tickets', `${ticketPath}/nope`, '/health', '/metrics'])(
    'knows no %s, signed in or not',
    async (path) => {
      expectRawProblem(await raw(gateway.port, [head('GET', path, authorized())]), 404, 'not-found');
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
    ['POST', '/v1/tickets/counts', 'DELETE, GET, HEAD, PATCH'],
  ])('%s %s', async (method, path, allow) => {
    const answer = await raw(gateway.port, [head(method, path, authorized())]);
    expectRawProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers['allow']).toBe(allow);
  });

  it('answers HEAD as GET without a body', async () => {
    const answer = await call('/v1/me', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(10);
  });

  it('answers a path that cannot be decoded', async () => {
    for (const path of ['/v1/tickets/%zz', '/v1/tickets/%', '/v1/tickets/%ff%fe']) {
      expectRawProblem(await raw(gateway.port, [head('GET', path, authorized())]), 400, 'malformed-request');
    }
  });

  it.each(['%2e%2e', '..%2fme', '%2e%2e%2f%2e%2e%2fetc', 'nope', '0', '-1', '1e3', '%00', `${randomUUID()}%20`, '007', '1'.repeat(16), 'x'.repeat(101), '[$ne]'])(
    'takes %s for a bad id',
    async (id) => {
      expectRawProblem(await raw(gateway.port, [head('GET', `/v1/tickets/${id}`, authorized())]), 400, 'malformed-request');
    },
  );

  it('takes numbers for reading a ticket only', async () => {
    expect((await call('/v1/tickets/1042')).status).toBe(200);
    await expectProblem(call('/v1/tickets/1042/comments'), 400, 'malformed-request');
    await expectProblem(call('/v1/tickets/1042', { method: 'DELETE' }), 400, 'malformed-request');
    await expectProblem(call('/v1/commands/nope'), 400, 'malformed-request');
  });

  it('asks for what the path means, however it is written', async () => {
    const id = randomUUID();
    await call(`/v1/%74ickets/${id.toUpperCase()}/comments?limit=5`);
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
    ['/v1/tickets/counts?status=open', '?status'],
    ['/v1/tickets?q=a&q=b', '?q'],
    ['/v1/me?x=1', '?x'],
    ['/v1/members?x', '?x'],
    [`${ticketPath}?version=1`, '?version'],
    [`${ticketPath}/timeline?type=nope`, '?type'],
    [`${ticketPath}/comments?limit=0`, '?limit'],
  ])('refuses %s', async (path, pointer) => {
    const { errors } = await expectProblem(call(path), 422, 'validation-failed');
    expect(errors?.map((error) => error.pointer)).toEqual([pointer]);
    expect(gateway.asked).toEqual([]);
  });

  it('refuses any on a write', async () => {
    const { errors } = await expectProblem(post('/v1/tickets?dry=1', { title: 'a' }), 422, 'validation-failed');
    expect(errors?.[0]?.pointer).toBe('?dry');
  });

  it('refuses dangerous names and broken encodings', async () => {
    await expectProblem(call('/v1/tickets?__proto__=1'), 400, 'malformed-request');
    await expectProblem(call('/v1/tickets?constructor=1'), 400, 'malformed-request');
    await expectProblem(call('/v1/tickets?q=%ff'), 400, 'malformed-request');
    await expectProblem(call('/v1/tickets?q=%zz'), 400, 'malformed-request');
  });

  it('passes good ones on as they were sent', async () => {
    const query = '?status=open,in_progress&status=closed&q=caf%C3%A9%20%25&createdFrom=2026-01-01&sort=-updatedAt';
    expect((await call(`/v1/tickets${query}`)).status).toBe(200);
    expect(gateway.asked[0]?.path).toBe(`/v1/tickets${query}`);
  });
});

describe('headers of a write', () => {
  it.each(['', 'x'.repeat(256), 'schl\u00fcssel'])('refuses the Idempotency-Key %j', async (key) => {
    const body = '{"title":"a"}';
    const request = head('POST', '/v1/tickets', { ...jsonHeaders(body.length), 'Idempotency-Key': key });
    expectRawProblem(await raw(gateway.port, [request, body]), 400, 'idempotency-key-invalid');
  });

  it('refuses two keys', async () => {
    const body = '{"title":"a"}';
    const request = head('POST', '/v1/tickets', { ...jsonHeaders(body.length), 'Idempotency-Key': 'a', 'idempotency-key': 'b' });
    expectRawProblem(await raw(gateway.port, [request, body]), 400, 'idempotency-key-invalid');
  });

  it('makes the same ids of the same key, whatever the case of an id, and others otherwise', async () => {
    const id = randomUUID();
    const key = { 'idempotency-key': 'k'.repeat(255) };
    await post(`/v1/tickets/${id}/comments`, { body: 'a' }, key);
    await post(`/v1/tickets/${id.toUpperCase()}/comments`, { body: 'a' }, key);
    await post(`/v1/tickets/${id}/notes`, { body: 'a' }, key);
    await post('/v1/tickets', { title: 'a' }, key);
    await post('/v1/tickets', { title: 'a' }, key);
    const [comment, again, note, created, createdAgain] = gateway.sent;
    expect(again).toEqual(comment);
    expect(note!.commandId).not.toBe(comment!.commandId);
    expect(createdAgain).toEqual(created);
  });

  it.each(['"0"', 'W/"3"', '3', '"a"', '"1", "2"', '', '"1" '.repeat(2)])('refuses If-Match: %s', async (ifMatch) => {
    expectRawProblem(await raw(gateway.port, [head('POST', `${ticketPath}/take`, authorized({ 'If-Match': ifMatch }))]), 400, 'malformed-request');
  });

  it('makes If-Match the expected version, and * none', async () => {
    await call(`${ticketPath}/take`, { method: 'POST', headers: { 'if-match': '"7"' } });
    await call(`${ticketPath}/take`, { method: 'POST', headers: { 'if-match': '*' } });
    expect(gateway.sent.map(({ value }) => value.expectedVersion)).toEqual([7, undefined]);
  });

  it('refuses an X-Min-Version that is none', async () => {
    await expectProblem(call(ticketPath, { headers: { 'x-min-version': 'one' } }), 400, 'malformed-request');
    await call(ticketPath, { headers: { 'x-min-version': '3' } });
    expect(gateway.asked[0]?.minVersion).toBe('3');
  });

  it('refuses HTTP/1.1 without a host', async () => {
    const request = head('GET', '/v1/me', authorized()).replace('Host: localhost\r\n', '');
    expectRawProblem(await raw(gateway.port, [request]), 400, 'malformed-request');
  });

  it('refuses an expectation that it does not know', async () => {
    expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', authorized({ Expect: 'a miracle' }))]), 400, 'malformed-request');
  });
});

describe('the order of checks', () => {
  it('asks for a sign-in before it looks at anything but the route', async () => {
    for (const path of ['/v1/tickets?nope=1', '/v1/tickets/nope']) expectRawProblem(await raw(gateway.port, [head('GET', path, { Accept: 'text/html' })]), 401, 'unauthenticated');
    const unread = head('POST', '/v1/tickets', { 'Content-Type': 'text/plain', 'Content-Length': 9_000_000 });
    expectRawProblem(await raw(gateway.port, [unread]), 401, 'unauthenticated');
  });

  it('looks at headers before the body', async () => {
    await expectProblem(post('/v1/tickets', '{', { 'idempotency-key': '' }), 400, 'idempotency-key-invalid');
    await expectProblem(post('/v1/tickets', '{', { accept: 'text/html' }), 406, 'not-acceptable');
  });
});

describe('every answer', () => {
  it('is never sniffed, kept or framed', async () => {
    for (const path of ['/v1/me', '/nope', '/v1/tickets?x=1']) {
      const { headers } = await call(path);
      expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  it('says nothing of our own faults', async () => {
    gateway.answers.query = () => {
      throw new Error('the password is swordfish');
    };
    const answer = await call('/v1/tickets');
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
