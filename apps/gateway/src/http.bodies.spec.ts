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
    await expectProblem(ada.post('/v1/tickets', body), 400, 'malformed-request');
  });

  it('no body where one is needed', async () => {
    await expectProblem(ada.call('/v1/tickets', { method: 'POST' }), 400, 'malformed-request');
    await expectProblem(ada.call(ticketPath, { method: 'PATCH' }), 400, 'malformed-request');
  });

  it('none at all is none, whatever type it is said to have', async () => {
    const framings: Record<string, string | number>[] = [{}, { 'Content-Length': 0 }, { 'Transfer-Encoding': 'chunked' }];
    for (const framing of framings) {
      const request = (method: string, path: string) => [head(method, path, ada.headers({ 'Content-Type': 'application/json', ...framing })), 'Transfer-Encoding' in framing ? '0\r\n\r\n' : ''];
      expect([framing, (await raw(gateway.port, request('DELETE', `${ticketPath}/assignee`))).status]).toEqual([framing, 200]);
      expectRawProblem(await raw(gateway.port, request('PATCH', ticketPath)), 400, 'malformed-request');
    }
    expect(gateway.sent).toHaveLength(3);
  });

  it('bytes that are not UTF-8', async () => {
    const body = Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', ada.jsonHeaders(body.length)), body]), 400, 'malformed-request');
  });

  it('keys that could reach a prototype, at any depth and however written', async () => {
    for (const body of [
      '{"title":"a","__proto__":{"x":1}}',
      '{"title":"a","customFields":{"constructor":1}}',
      '{"title":"a","customFields":{"prototype":1}}',
      '{"title":"a","\\u005f_proto__":1}',
      '{"title":"a","conversation":[{"role":"user","content":"x","__proto__":1}]}',
    ]) {
      await expectProblem(ada.post('/v1/tickets', body), 400, 'malformed-request');
    }
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('nesting of 33, while 32 is read', async () => {
    const toolCall = (depth: number) => `{"tool":"t","status":"ok","arguments":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    await expectProblem(ada.post(`${ticketPath}/tool-calls`, toolCall(31)), 400, 'malformed-request');
    expect((await ada.post(`${ticketPath}/tool-calls`, toolCall(30))).status).toBe(201);
    await expectProblem(ada.post(`${ticketPath}/tool-calls`, `${'['.repeat(100_000)}`), 400, 'malformed-request');
    await expectProblem(ada.post(`${ticketPath}/tool-calls`, `${'['.repeat(100_000)}${']'.repeat(100_000)}`), 400, 'malformed-request');
  });

  it('does not close the connection over one', async () => {
    const body = '{"title":';
    const answer = await raw(gateway.port, [head('POST', '/v1/tickets', ada.jsonHeaders(body.length)), body]);
    expect(answer.headers['connection']).toBe('keep-alive');
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
    ['a custom field of objects', { title: 'a', customFields: { plan: {} } }, '/customFields/plan'],
    ['a message id twice', { title: 'a', conversation: [{ id: 'm', role: 'user', content: 'a' }, { id: 'm', role: 'user', content: 'b' }] }, '/conversation/1/id'],
    ['an array', [], ''],
    ['a text', '"title"', ''],
    ['null', 'null', ''],
  ])('%s', async (_, body, pointer) => {
    const { errors } = await expectProblem(ada.post('/v1/tickets', body), 422, 'validation-failed');
    expect(errors?.map((error) => error.pointer)).toContain(pointer);
    expect(gateway.sent).toEqual([]);
  });

  it('names at most 20 errors', async () => {
    const body = { title: 'a', ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, i])) };
    expect((await expectProblem(ada.post('/v1/tickets', body), 422, 'validation-failed')).errors).toHaveLength(20);
  });

  it('lone surrogates inside what a tool was called with', async () => {
    const body = '{"tool":"t","status":"ok","arguments":{"a":["\\udc00"]}}';
    const { errors } = await expectProblem(ada.post(`${ticketPath}/tool-calls`, body), 422, 'validation-failed');
    expect(errors).toEqual([{ pointer: '/arguments', code: 'bad_unicode', message: expect.any(String) }]);
  });

  it('a body where none is taken', async () => {
    const { errors } = await expectProblem(ada.post(`${ticketPath}/take`, { now: true }), 422, 'validation-failed');
    expect(errors?.[0]?.pointer).toBe('/now');
    expect((await ada.post(`${ticketPath}/take`, {})).status).toBe(200);
    expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', ada.jsonHeaders(2)), '{}']), 400, 'malformed-request');
  });
});

describe('the size of a request', () => {
  const title = 'x'.repeat(300_000);

  it('refuses more than 256 KiB, announced or not, and goes on with the connection', async () => {
    await expectProblem(ada.post('/v1/tickets', { title }), 413, 'payload-too-large');
    const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`;
    const chunked = head('POST', '/v1/tickets', ada.headers({ 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }));
    expectRawProblem(await raw(gateway.port, [chunked, chunk, chunk, chunk, '0\r\n\r\n']), 413, 'payload-too-large');
  });

  it('gives its answer to a client that sends all of a much larger body first', async () => {
    await expectProblem(ada.post('/v1/tickets', { title: 'x'.repeat(6_000_000) }), 413, 'payload-too-large');
  });

  it('answers a body without end before it has ended', async () => {
    const huge = 50_000_000;
    expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', ada.jsonHeaders(huge)), 'x'.repeat(9_000_000)]), 413, 'payload-too-large');
  });

  it('takes 256 KiB to the byte', async () => {
    const body = (length: number) => '{"title":"a"}'.padEnd(length);
    expect((await ada.post('/v1/tickets', body(256 * 1024))).status).toBe(201);
    await expectProblem(ada.post('/v1/tickets', body(256 * 1024 + 1)), 413, 'payload-too-large');
  });

  it('answers 431 to headers that are too large', async () => {
    expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', ada.headers({ 'X-Long': 'x'.repeat(20_000) }))]), 431, 'headers-too-large');
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
      const headers = ada.headers({ ...(type && { 'Content-Type': type }), 'Content-Length': body.length });
      expectRawProblem(await raw(gateway.port, [head('POST', '/v1/tickets', headers), body]), 415, 'unsupported-media-type');
    },
  );

  it('refuses a coded body', async () => {
    await expectProblem(ada.post('/v1/tickets', { title: 'a' }, { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type');
  });

  it('takes UTF-8 by name, and merge-patches on PATCH only', async () => {
    expect((await ada.post('/v1/tickets', { title: 'a' }, { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(201);
    const patch = { body: '{"title":"b"}', headers: { 'content-type': 'application/merge-patch+json' } };
    expect((await ada.call(ticketPath, { method: 'PATCH', ...patch })).status).toBe(200);
    await expectProblem(ada.call('/v1/tickets', { method: 'POST', ...patch }), 415, 'unsupported-media-type');
  });

  it.each(['text/html', 'application/xml, text/*;q=0.5', 'application/json;q=0', '*/*;q=0', '*/*, application/json;q=0.0'])('does not answer %j', async (accept) => {
    await expectProblem(ada.call('/v1/me', { headers: { accept } }), 406, 'not-acceptable');
  });

  it.each(['*/*', 'application/json', 'text/html, */*;q=0.1', 'APPLICATION/JSON; q=0.5', 'application/*'])('answers %j', async (accept) => {
    expect((await ada.call('/v1/me', { headers: { accept } })).status).toBe(200);
  });
});
