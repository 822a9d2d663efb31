import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `lag-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let ada: Client;

beforeAll(async () => {
  stack = await startStack({ directory: { organisations: [organisation(org)] } });
  ada = clientOf(stack, { org, sub: 'ada' });
});
afterAll(() => stack?.stop());

const lagOf = async (path: string) => (await ada.get(path)).headers.get('x-projection-lag-ms');

describe('reads', () => {
  it('show a write to who names its version', async () => {
    const { body } = await ada.post('/tickets', { title: 'Mine at once' });
    const seen = await eventually(async () => {
      const answer = await ada.get(`/tickets/${body['id']}`, { 'x-min-version': '1' });
      return answer.status !== 503 && answer; // not yet
    });
    expect(seen).toMatchObject({ status: 200, body: { id: body['id'], version: 1 } });
  });

  it('say how far they are behind: not at all once everything is shown', async () => {
    await eventually(async () => (await lagOf('/tickets')) === '0');
    for (const path of ['/tickets/counts', `/tickets/${randomUUID()}`]) expect(await lagOf(path)).toMatch(/^\d+$/);
  });
});
