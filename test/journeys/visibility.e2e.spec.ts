import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Queries } from '../../apps/gateway/src/queries.js';
import { clientOf, type Answer, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const [org, twin] = [`see-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
const word = 'zebrafinch';
let stack: Stack;
let ada: Client;
let grace: Client;
let stranger: Client;
let own: Answer['body'];
let hidden: Answer['body'];
let foreign: Answer['body'];

/** Everything that must read alike for a ticket that is not there and one that must not be seen. */
const withoutNames = ({ status, body }: Answer) => ({ status, body: { ...body, requestId: '', instance: '' } });

beforeAll(async () => {
  stack = await startStack({ directory: { organisations: [organisation(org), organisation(twin)] } });
  [ada, grace, stranger] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' }), clientOf(stack, { org: twin, sub: 'ada' })];
  const fields = { title: `A ${word} flew in`, tags: [word], description: word, requester: { email: `${word}@example.org` } };
  own = await grace.ticket({ ...fields, assistantId: 'billing-bot' });
  hidden = await ada.ticket({ ...fields, assistantId: 'tech-bot' });
  foreign = await stranger.ticket({ ...fields, assistantId: 'billing-bot' });
  await eventually(async () => (await ada.get(`/tickets?q=${word}`)).body['total'] === 2); // search follows the lists
});
afterAll(() => stack?.stop());

describe('what is not yours', () => {
  it('is in no list, search, filter, count or page', async () => {
    const queries = ['', `q=${word}`, `tag=${word}`, `requester=${word}@example.org`, 'assistantId=tech-bot,billing-bot', 'status=open', 'priority=normal', 'assignee=none', 'sort=number', 'sort=-priority'];
    for (const query of queries) {
      const { body } = await grace.get(`/tickets?${query}`);
      expect([query, body['items'].map(({ id }: { id: string }) => id), body['total']]).toEqual([query, [own['id']], 1]);
      const counts = await grace.get(`/tickets/counts?${query.startsWith('status') || query.startsWith('sort') ? '' : query}`);
      expect([query, counts.body]).toEqual([query, { open: 1, pending: 0, resolved: 0, closed: 0, total: 1, isExact: true }]);
    }
    expect((await ada.get(`/tickets?q=${word}`)).body['total']).toBe(2);
  });

  it('is not suggested', async () => {
    const offered = async (by: Client) => (await by.get(`/suggest?q=${word.slice(0, -2)}`)).body;
    const person = expect.objectContaining({ email: `${word}@example.org` }) as unknown;
    expect(await offered(grace)).toEqual({ tickets: [expect.objectContaining({ id: own['id'] })], people: [person], tags: [word] });
    expect((await offered(ada))['tickets']).toHaveLength(2);
    const { body } = await grace.get(`/suggest?q=${hidden['number']}`);
    expect(body['tickets'].map(({ id }: { id: string }) => id)).not.toContain(hidden['id']);
  });

  it('reads and writes like a ticket that does not exist', async () => {
    const nowhere = randomUUID();
    const requests: ((client: Client, id: string) => Promise<Answer>)[] = [
      (client, id) => client.get(`/tickets/${id}`),
      ...['transitions', 'comments', 'timeline', 'conversation'].map((page) => (client: Client, id: string) => client.get(`/tickets/${id}/${page}`)),
      (client, id) => client.patch(`/tickets/${id}`, { title: 'mine' }),
      (client, id) => client.delete(`/tickets/${id}`),
      (client, id) => client.post(`/tickets/${id}/transitions`, { to: 'pending' }),
      (client, id) => client.post(`/tickets/${id}/take`),
      (client, id) => client.post(`/tickets/${id}/restore`),
      (client, id) => client.put(`/tickets/${id}/assignee`, { type: 'member', id: 'grace' }),
      (client, id) => client.post(`/tickets/${id}/comments`, { body: 'hello' }),
      (client, id) => client.post(`/tickets/${id}/notes`, { body: 'hello' }),
      (client, id) => client.post(`/tickets/${id}/conversation`, { messages: [{ role: 'user', content: 'hello' }] }),
      (client, id) => client.post(`/tickets/${id}/tool-calls`, { tool: 't', arguments: {}, status: 'ok' }),
      (client, id) => client.patch(`/tickets/${id}`, { title: 'mine' }, { 'if-match': '"9"' }),
    ];
    for (const request of requests) {
      const missing = withoutNames(await request(grace, nowhere));
      expect(missing).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
      expect(withoutNames(await request(grace, hidden['id'] as string))).toEqual(missing);
      expect(withoutNames(await request(grace, foreign['id'] as string))).toEqual(missing);
      expect(withoutNames(await request(stranger, own['id'] as string))).toEqual(missing);
    }
    expect((await ada.get(`/tickets/${hidden['id']}`)).body).toMatchObject({ version: 1, title: `A ${word} flew in` });
    expect((await grace.get(`/tickets/${hidden['number']}`)).status).toBe(404);
  });

  it('cannot be reached by filing a ticket under an assistant of others', async () => {
    expect(await grace.post('/tickets', { title: 'x', assistantId: 'tech-bot' })).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
    expect(await grace.patch(`/tickets/${own['id']}`, { assistantId: 'tech-bot' })).toMatchObject({ status: 403 });
  });

  it('cannot be made by filing a ticket under an assistant that does not exist', async () => {
    const refusal = { status: 422, body: { type: '/problems/validation-failed', errors: [{ pointer: '/assistantId', code: 'unknown_assistant' }] } };
    const key = { 'idempotency-key': randomUUID() };
    const ticket = { title: 'x', assistantId: 'nobody-bot' };
    expect(await ada.post('/tickets', ticket, key)).toMatchObject(refusal);
    const again = await ada.post('/tickets', ticket, key);
    expect([again.headers.get('idempotency-replayed'), again]).toMatchObject(['true', refusal]);
    expect(await ada.patch(`/tickets/${hidden['id']}`, { assistantId: 'nobody-bot' })).toMatchObject(refusal);
    expect(await grace.post('/tickets', ticket)).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
  });

  it('is seen from the moment of being assigned, and no longer once released', async () => {
    const linus = clientOf(stack, { org, sub: 'linus' });
    const ticket = await ada.ticket({ assistantId: 'billing-bot' });
    const path = `/tickets/${ticket['id']}`;
    expect((await linus.get(path)).status).toBe(404);
    const { body } = await ada.put(`${path}/assignee`, { type: 'member', id: 'linus' });
    await ada.shown(ticket['id'] as string, body['version'] as number);
    expect((await linus.get(path)).status).toBe(200);
    const released = await linus.delete(`${path}/assignee`);
    expect(released).toMatchObject({ status: 200, body: { assignee: null } });
    await ada.shown(ticket['id'] as string, released.body['version'] as number);
    expect((await linus.get(path)).status).toBe(404);
  });
});

describe('somebody of very many assistants', () => {
  it('may read: what query-search is told of them has no bound that a person meets', async () => {
    const assistantIds = Array.from({ length: 5_000 }, (_, n) => `${n}`.padStart(60, 'bot-'));
    const queries = new Queries(stack.queryUrl, stack.internalKey);
    const principal = { orgId: org, actor: { type: 'member' as const, id: 'mary', name: 'Mary' }, access: { role: 'member' as const, assistantIds } };
    const { status, body } = await eventually(() => queries.ask({ principal, path: '/v1/tickets', requestId: randomUUID() })); // a slow one is not waited for
    await queries.close();
    expect([status, JSON.parse(body.toString())]).toMatchObject([200, { total: 0 }]);
  });
});
