import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `again-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let ada: Client;

beforeAll(async () => {
  stack = await startStack({ directory: { organisations: [organisation(org)] }, instances: { gateway: 2, 'ticket-command': 2, 'query-search': 2 } });
  ada = clientOf(stack, { org, sub: 'ada' });
});
afterAll(() => stack?.stop());

const key = () => ({ 'idempotency-key': randomUUID() });

describe('the same request again, at any gateway', () => {
  it('gets the same answer and changes nothing', async () => {
    const headers = key();
    const wanted = { title: 'once', tags: ['once'] };
    const first = await ada.send('POST', '/tickets', wanted, headers, 0);
    const second = await ada.send('POST', '/tickets', wanted, headers, 1);
    expect(first.status).toBe(201);
    expect(second).toMatchObject({ status: 201, text: first.text });
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    await ada.shown(first.body['id'] as string, 1);
    expect((await ada.get('/tickets?tag=once')).body['total']).toBe(1);
  });

  it('keeps the refusal it got, also when it would be allowed by now', async () => {
    const { id } = (await ada.ticket()) as { id: string };
    const headers = key();
    const refused = await ada.send('POST', `/tickets/${id}/transitions`, { to: 'resolved' }, headers, 0);
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/invalid-transition' } });
    await ada.post(`/tickets/${id}/transitions`, { to: 'pending' });
    const again = await ada.send('POST', `/tickets/${id.toUpperCase()}/transitions`, { to: 'resolved' }, headers, 1);
    expect(again).toMatchObject({ status: 409, body: { type: '/problems/invalid-transition', from: 'open' } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('keeps the refusal of an assignee whom nobody knows', async () => {
    const headers = key();
    const wanted = { title: 'for nobody', assignee: { type: 'member', id: 'nobody' } };
    expect(await ada.send('POST', '/tickets', wanted, headers, 0)).toMatchObject({ status: 422, body: { type: '/problems/invalid-assignee' } });
    const again = await ada.send('POST', '/tickets', wanted, headers, 1);
    expect(again).toMatchObject({ status: 422, body: { type: '/problems/invalid-assignee' } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await ada.send('POST', '/tickets', { title: 'for nobody' }, headers, 0)).body['type']).toBe('/problems/idempotency-key-reused');
  });

  it('is refused with another body', async () => {
    const headers = key();
    expect((await ada.send('POST', '/tickets', { title: 'one' }, headers, 0)).status).toBe(201);
    expect(await ada.send('POST', '/tickets', { title: 'other' }, headers, 1)).toMatchObject({ status: 422, body: { type: '/problems/idempotency-key-reused' } });
  });

  it('is one ticket when both come at once', async () => {
    const headers = key();
    const asked = await Promise.all([0, 1, 0, 1, 0, 1].map(async (at) => ada.ask('POST', '/tickets', { title: 'race' }, headers, at)));
    const decided = asked.filter(({ status }) => status === 201);
    const answers = [...decided, await ada.send('POST', '/tickets', { title: 'race' }, headers, 1)];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(asked.filter(({ status }) => status !== 201 && status !== 202 && status !== 503)).toEqual([]);
    const first = answers.filter(({ headers: told }) => told.get('idempotency-replayed') === null).length;
    expect(first).toBeLessThanOrEqual(1);
    if (decided.length === asked.length) expect(first).toBe(1); // on a slow machine that one may be promised only
  });

  it('is another request for another person', async () => {
    const headers = key();
    const one = await ada.post('/tickets', { title: 'mine' }, headers);
    const other = await clientOf(stack, { org, sub: 'grace' }).post('/tickets', { title: 'mine' }, headers);
    expect(one.body['id']).not.toBe(other.body['id']);
  });
});

describe('a command that is not waited for', () => {
  it('has a status at every gateway from the moment of the 202, for its sender only', async () => {
    const accepted = await ada.send('POST', '/tickets', { title: 'later' }, { prefer: 'respond-async' }, 0);
    expect(accepted).toMatchObject({ status: 202, body: { state: 'pending' } });
    const path = accepted.headers.get('location')!.replace('/v1', '');
    expect(path).toBe(`/commands/${accepted.body['id']}`);
    const status = await ada.send('GET', path, undefined, {}, 1);
    expect(status).toMatchObject({ status: 200, body: { id: accepted.body['id'], ticketId: accepted.body['ticketId'] } });
    await eventually(async () => expect((await ada.send('GET', path, undefined, {}, 1)).body).toMatchObject({ state: 'applied' }));
    expect((await clientOf(stack, { org, sub: 'grace' }).get(path)).status).toBe(404);
    expect((await ada.get(`/commands/${randomUUID()}`)).status).toBe(404);
  });

  it('tells why it was refused', async () => {
    const { id } = (await ada.ticket()) as { id: string };
    const { body } = await ada.post(`/tickets/${id}/transitions`, { to: 'closed' }, { prefer: 'respond-async' });
    await eventually(async () => expect((await ada.get(`/commands/${body['id']}`)).body).toMatchObject({ state: 'rejected', problem: { type: '/problems/invalid-transition', status: 409 } }));
  });
});
