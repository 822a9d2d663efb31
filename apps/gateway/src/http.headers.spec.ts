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

describe('headers of a write', () => {
  it.each(['', 'x'.repeat(256), 'schl\u00fcssel'])('refuses the Idempotency-Key %j', async (key) => {
    const body = '{"title":"a"}';
    const request = head('POST', '/v1/tickets', { ...ada.jsonHeaders(body.length), 'Idempotency-Key': key });
    expectRawProblem(await raw(gateway.port, [request, body]), 400, 'idempotency-key-invalid');
  });

  it('refuses two keys', async () => {
    const body = '{"title":"a"}';
    const request = head('POST', '/v1/tickets', { ...ada.jsonHeaders(body.length), 'Idempotency-Key': 'a', 'idempotency-key': 'b' });
    expectRawProblem(await raw(gateway.port, [request, body]), 400, 'idempotency-key-invalid');
  });

  it('makes the same ids of the same key, whatever the case of an id, and others otherwise', async () => {
    const id = randomUUID();
    const key = { 'idempotency-key': 'k'.repeat(255) };
    await ada.post(`/v1/tickets/${id}/comments`, { body: 'a' }, key);
    await ada.post(`/v1/tickets/${id.toUpperCase()}/comments`, { body: 'a' }, key);
    await ada.post(`/v1/tickets/${id}/notes`, { body: 'a' }, key);
    await ada.post('/v1/tickets', { title: 'a' }, key);
    await ada.post('/v1/tickets', { title: 'a' }, key);
    const [comment, again, note, created, createdAgain] = gateway.sent;
    expect(again).toEqual(comment);
    expect(note!.commandId).not.toBe(comment!.commandId);
    expect(createdAgain).toEqual(created);
  });

  it.each(['"0"', 'W/"3"', '3', '"a"', '"1", "2"', '', '"1" '.repeat(2)])('refuses If-Match: %s', async (ifMatch) => {
    expectRawProblem(await raw(gateway.port, [head('POST', `${ticketPath}/take`, ada.headers({ 'If-Match': ifMatch }))]), 400, 'malformed-request');
  });

  it('makes If-Match the expected version, and * none', async () => {
    await ada.call(`${ticketPath}/take`, { method: 'POST', headers: { 'if-match': '"7"' } });
    await ada.call(`${ticketPath}/take`, { method: 'POST', headers: { 'if-match': '*' } });
    expect(gateway.sent.map(({ value }) => value.expectedVersion)).toEqual([7, undefined]);
  });

  it('refuses an X-Min-Version that is none', async () => {
    for (const none of ['one', '0', '01', '-1', '1.5', '"1"', '1, 2', '1000000000000000']) {
      await expectProblem(ada.call(ticketPath, { headers: { 'x-min-version': none } }), 400, 'malformed-request');
    }
    for (const version of ['3', '999999999999999']) await ada.call(ticketPath, { headers: { 'x-min-version': version } });
    expect(gateway.asked.map(({ minVersion }) => minVersion)).toEqual(['3', '999999999999999']);
  });

  it('refuses HTTP/1.1 without a host', async () => {
    const request = head('GET', '/v1/me', ada.headers()).replace('Host: localhost\r\n', '');
    expectRawProblem(await raw(gateway.port, [request]), 400, 'malformed-request');
  });

  it('refuses two hosts, also when they are the same', async () => {
    for (const host of ['localhost', 'example.org']) expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', { ...ada.headers(), host })]), 400, 'malformed-request');
  });

  it('refuses an expectation that it does not know', async () => {
    expectRawProblem(await raw(gateway.port, [head('GET', '/v1/me', ada.headers({ Expect: 'a miracle' }))]), 400, 'malformed-request');
  });
});

describe('the order of checks', () => {
  it('asks for a sign-in before it looks at anything but the route', async () => {
    for (const path of ['/v1/tickets?nope=1', '/v1/tickets/nope']) expectRawProblem(await raw(gateway.port, [head('GET', path, { Accept: 'text/html' })]), 401, 'unauthenticated');
    const unread = head('POST', '/v1/tickets', { 'Content-Type': 'text/plain', 'Content-Length': 9_000_000 });
    expectRawProblem(await raw(gateway.port, [unread]), 401, 'unauthenticated');
  });

  it('looks at headers before the body', async () => {
    await expectProblem(ada.post('/v1/tickets', '{', { 'idempotency-key': '' }), 400, 'idempotency-key-invalid');
    await expectProblem(ada.post('/v1/tickets', '{', { accept: 'text/html' }), 406, 'not-acceptable');
  });
});
