import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { maxInboundEmailBytes } from '#contracts';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { expectRawProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { head, raw } from '../testing/raw.js';

let gateway: TestGateway;
let senders: Socket[] = [];

beforeAll(async () => {
  gateway = await openGateway();
});
afterEach(() => {
  for (const socket of senders) socket.destroy();
  senders = [];
});
afterAll(() => gateway.stop());

/** Well-formed, and false. */
const signature = `v1,${Buffer.alloc(32).toString('base64')}`;
const announced = (length: number, changes: Record<string, string | undefined> = {}) => {
  const all = { 'Content-Type': 'message/rfc822', 'Content-Length': String(length), 'webhook-id': 'one', 'webhook-timestamp': String(Math.floor(Date.now() / 1_000)), 'webhook-signature': signature, ...changes };
  return head('POST', '/v1/inbound-email', Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))));
};

describe('a mail that is handed in', () => {
  it.each<[string, Record<string, string | undefined>]>([
    ['not signed', { 'webhook-signature': undefined }],
    ['signed in another way', { 'webhook-signature': 'v2,abcd' }],
    ['signed by too little', { 'webhook-signature': 'v1,abcd' }],
    ['signed long ago', { 'webhook-timestamp': '1700000000' }],
    ['signed at no time', { 'webhook-timestamp': undefined }],
  ])('is refused before it is read where it is %s', async (_, changes) => {
    const answer = await raw(gateway.port, [announced(maxInboundEmailBytes, changes)]);
    expectRawProblem(answer, 401, 'unauthenticated');
    expect(answer.headers['www-authenticate']).toBe('StandardWebhooks');
  });

  it('waits outside where four large ones are being read, and small ones pass', async () => {
    const handIn = async (length: number) => (await raw(gateway.port, [announced(length), Buffer.alloc(length)])).status;
    senders = Array.from({ length: 4 }, () => connect(gateway.port, '127.0.0.1'));
    for (const socket of senders) socket.write(announced(maxInboundEmailBytes));
    await eventually(async () => expect(await handIn(300_000)).toBe(503), 'the places are taken');
    const chunked = await raw(gateway.port, [announced(0, { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' })]);
    expectRawProblem(chunked, 503, 'overloaded');
    expect(Number(chunked.headers['retry-after'])).toBeGreaterThan(0);
    expect(await handIn(5_000)).toBe(401);
    senders.pop()!.destroy();
    await eventually(async () => expect(await handIn(300_000)).toBe(401), 'a place is free again');
  }, 60_000);
});
