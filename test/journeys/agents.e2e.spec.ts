import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Scope } from '#contracts';
import { Client, clientOf, type Answer } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `agents-${randomUUID().slice(0, 8)}`;
const everyScope = Scope.options;
let stack: Stack;
let ada: Client;
let grace: Client;
/** Agents of billing-bot: with every scope, and with all but one. */
let bot: Client;
const without = new Map<Scope, Client>();

async function agent(assistantId: string, scopes: readonly Scope[]): Promise<Client> {
  const { secret } = await ada.apiKey({ name: `${assistantId} ${scopes.join(' ')}`, assistantId, scopes });
  return new Client(secret as string, stack.gatewayUrls);
}

beforeAll(async () => {
  stack = await startStack({ instances: { gateway: 2 }, directory: { organisations: [organisation(org)] } });
  [ada, grace] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' })];
  bot = await agent('billing-bot', everyScope);
  for (const scope of everyScope) without.set(scope, await agent('billing-bot', everyScope.filter((other) => other !== scope)));
});
afterAll(() => stack?.stop());

const me = { type: 'agent', id: 'billing-bot', name: 'Billing assistant' };
const conversation = { messages: [{ role: 'user', content: 'My invoice is wrong.' }, { role: 'assistant', content: 'Let me look.' }] };
/** A new ticket of the agent, and its path. */
async function opened(fields: Record<string, unknown> = {}) {
  const ticket = await bot.ticket(fields);
  return { ticket, path: `/tickets/${ticket['id']}` };
}

describe('an agent with an API key', () => {
  it('is its assistant', async () => {
    const { status, body } = await bot.get('/me');
    expect([status, body]).toEqual([200, { ...me, orgId: org, assistantIds: ['billing-bot'], scopes: everyScope }]);
  });

  it('opens a ticket during a conversation, with the conversation attached and its assistant named', async () => {
    const { ticket, path } = await opened({ conversation, requester: { email: 'rita@example.org' } });
    expect(ticket).toMatchObject({ assistantId: 'billing-bot', channel: 'agent', createdBy: me, version: 1 });
    expect((await bot.get(`${path}/conversation`)).body).toMatchObject({ items: conversation.messages });
    expect((await grace.get(path)).status).toBe(200); // its people see it
  });

  it('opens tickets for its own assistant only', async () => {
    expect(await bot.post('/tickets', { title: 'x', assistantId: 'billing-bot' })).toMatchObject({ status: 201, body: { assistantId: 'billing-bot' } });
    for (const assistantId of ['tech-bot', 'nobody-bot']) expect(await bot.post('/tickets', { title: 'x', assistantId })).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
    const { path } = await opened();
    expect((await bot.patch(path, { assistantId: 'tech-bot' })).status).toBe(403);
    expect((await bot.patch(path, { assistantId: null })).status).toBe(403);
  });

  it('opens one ticket when it repeats itself, with another key of its assistant too', async () => {
    const [key, ticket] = [{ 'idempotency-key': randomUUID() }, { title: 'once' }];
    const first = await bot.send('POST', '/tickets', ticket, key, 0);
    const again = await without.get('notes:read')!.send('POST', '/tickets', ticket, key, 1);
    expect([again.status, again.headers.get('idempotency-replayed'), again.body['id']]).toEqual([201, 'true', first.body['id']]);
    expect((await bot.post('/tickets', { title: 'other' }, key)).body).toMatchObject({ status: 422, type: '/problems/idempotency-key-reused' });
  });

  it('edits', async () => {
    const { path } = await opened();
    expect(await bot.patch(path, { priority: 'urgent', tags: ['invoice'] }, { 'if-match': '"1"' })).toMatchObject({ status: 200, body: { priority: 'urgent', tags: ['invoice'], version: 2 } });
  });

  it('comments, notes and replies', async () => {
    const { path } = await opened();
    for (const [kind, page] of [['comment', 'comments'], ['note', 'notes'], ['reply', 'replies']]) {
      expect(await bot.post(`${path}/${page}`, { body: `a ${kind}` })).toMatchObject({ status: 201, body: { comment: { kind, body: `a ${kind}`, author: me } } });
    }
    await bot.shown(path.slice('/tickets/'.length), 4);
    expect((await bot.get(`${path}/comments`)).body['items']).toHaveLength(3);
  });

  it('carries the conversation on and records calls of tools', async () => {
    const { path } = await opened({ conversation });
    expect((await bot.post(`${path}/conversation`, { messages: [{ role: 'user', content: 'Thanks' }] })).status).toBe(201);
    expect((await bot.post(`${path}/tool-calls`, { tool: 'find-invoice', arguments: { number: 4711 }, status: 'ok', result: { total: 12 } })).status).toBe(201);
    await bot.shown(path.slice('/tickets/'.length), 3);
    expect((await bot.get(`${path}/timeline`)).body['items'].map(({ type, actor }: Answer['body']) => [type, actor['id']])).toEqual([
      ['created', 'billing-bot'],
      ['conversation-appended', 'billing-bot'],
      ['tool-call-recorded', 'billing-bot'],
    ]);
  });

  it('moves a ticket to its resolution', async () => {
    const { ticket, path } = await opened();
    expect(ticket['allowedTransitions']).toEqual(['pending']);
    expect(await bot.post(`${path}/transitions`, { to: 'pending', comment: 'Working on it' })).toMatchObject({ status: 200, body: { status: 'pending', commentCount: 1 } });
    expect(await bot.post(`${path}/transitions`, { to: 'resolved' })).toMatchObject({ status: 200, body: { status: 'resolved' } });
    expect(await bot.post(`${path}/transitions`, { to: 'pending' })).toMatchObject({ status: 409, body: { type: '/problems/invalid-transition' } });
  });

  it('takes a ticket, gives it to a member, and releases it', async () => {
    const { path } = await opened();
    expect((await bot.post(`${path}/take`)).body['assignee']).toEqual(me);
    expect((await bot.put(`${path}/assignee`, { type: 'member', id: 'linus' })).body['assignee']).toMatchObject({ type: 'member', id: 'linus' });
    expect((await bot.put(`${path}/assignee`, { type: 'agent', id: 'billing-bot' })).body['assignee']).toEqual(me);
    expect((await bot.delete(`${path}/assignee`)).body['assignee']).toBeNull();
    expect((await bot.put(`${path}/assignee`, { type: 'member', id: 'nobody' })).body['type']).toBe('/problems/invalid-assignee');
  });

  it('sees tickets of its assistant and those assigned to it, and no others', async () => {
    const { ticket: own } = await opened({ tags: ['sight'] });
    const hidden = await ada.ticket({ assistantId: 'tech-bot', tags: ['sight'] });
    const list = async () => (await bot.get('/tickets?tag=sight')).body['items'].map(({ id }: Answer['body']) => id);
    expect(await list()).toEqual([own['id']]);
    expect((await bot.get(`/tickets/${hidden['id']}`)).status).toBe(404);
    expect((await bot.post(`/tickets/${hidden['id']}/comments`, { body: 'x' })).status).toBe(404);
    const { body } = await ada.put(`/tickets/${hidden['id']}/assignee`, { type: 'agent', id: 'billing-bot' });
    await ada.shown(hidden['id'] as string, body['version'] as number);
    expect((await list()).sort()).toEqual([own['id'], hidden['id']].sort());
    expect((await bot.get('/tickets/counts?tag=sight')).body['total']).toBe(2);
  });

  it('reads notes with the scope for it only', async () => {
    const word = `secretive${randomUUID().slice(0, 8)}`;
    const { ticket, path } = await opened();
    await bot.post(`${path}/notes`, { body: word });
    await bot.shown(ticket['id'] as string, 2);
    const blind = without.get('notes:read')!;
    expect((await bot.get(`${path}/comments`)).body['items']).toHaveLength(1);
    expect((await blind.get(`${path}/comments`)).body['items']).toEqual([]);
    expect((await blind.get(`${path}/timeline`)).body['items'][1]).toEqual({ version: 2, type: 'comment-added', at: expect.any(String), hidden: true });
    await eventually(async () => (await bot.get(`/tickets?q=${word}`)).body['total'] === 1);
    expect((await blind.get(`/tickets?q=${word}`)).body['total']).toBe(0);
  });
});

describe('an agent that lacks a scope', () => {
  const id = randomUUID();
  const reads = ['/tickets', '/tickets/counts', '/tickets/export', '/stats', '/suggest?q=a', ...['', '/transitions', '/comments', '/timeline', '/conversation'].map((page) => `/tickets/${id}${page}`)];
  it.each(reads)('tickets:read may not get %s', async (path) => {
    expect(await without.get('tickets:read')!.get(path)).toMatchObject({ status: 403, body: { type: '/problems/forbidden', missing: 'scope tickets:read', detail: 'This needs scope tickets:read.' } });
  });

  const comment = { body: 'x' };
  const writes: [Scope, string, (client: Client, path: string) => Promise<Answer>][] = [
    ['tickets:write', 'open a ticket', (client) => client.post('/tickets', { title: 'x' })],
    ['tickets:write', 'edit', (client, path) => client.patch(path, { title: 'x' })],
    ['tickets:write', 'comment', (client, path) => client.post(`${path}/comments`, comment)],
    ['tickets:write', 'carry the conversation on', (client, path) => client.post(`${path}/conversation`, conversation)],
    ['tickets:write', 'record a call of a tool', (client, path) => client.post(`${path}/tool-calls`, { tool: 't', arguments: {}, status: 'ok' })],
    ['tickets:write', 'comment on a move', (client, path) => client.post(`${path}/transitions`, { to: 'pending', comment: 'x' })],
    ['tickets:transition', 'move', (client, path) => client.post(`${path}/transitions`, { to: 'pending' })],
    ['tickets:assign', 'take', (client, path) => client.post(`${path}/take`)],
    ['tickets:assign', 'assign', (client, path) => client.put(`${path}/assignee`, { type: 'member', id: 'grace' })],
    ['tickets:assign', 'release', (client, path) => client.delete(`${path}/assignee`)],
    ['tickets:assign', 'open an assigned ticket', (client) => client.post('/tickets', { title: 'x', assignee: { type: 'member', id: 'grace' } })],
    ['replies:write', 'reply', (client, path) => client.post(`${path}/replies`, comment)],
    ['notes:write', 'note', (client, path) => client.post(`${path}/notes`, comment)],
  ];
  it.each(writes)('%s may not %s', async (scope, _, write) => {
    const { ticket, path } = await opened();
    expect(await write(without.get(scope)!, path)).toMatchObject({ status: 403, body: { type: '/problems/forbidden', missing: `scope ${scope}`, detail: `This needs scope ${scope}.` } });
    expect((await ada.get(path)).body['version']).toBe(ticket['version']);
    expect((await write(bot, path)).status).toBeLessThan(300);
  });

  it('tickets:transition is offered no moves', async () => {
    const { path } = await opened();
    expect((await without.get('tickets:transition')!.get(`${path}/transitions`)).body).toEqual({ status: 'open', allowed: [] });
  });
});

describe('an agent of every scope', () => {
  it('deletes and restores nothing', async () => {
    const { path } = await opened();
    expect(await bot.delete(path)).toMatchObject({ status: 403, body: { missing: 'role member' } });
    expect(await bot.post(`${path}/restore`)).toMatchObject({ status: 403, body: { missing: 'role admin' } });
  });

  it('has no say in keys or assistants', async () => {
    const key = { name: 'mine', assistantId: 'billing-bot', scopes: everyScope };
    for (const answer of [await bot.get('/api-keys'), await bot.post('/api-keys', key), await bot.delete(`/api-keys/${randomUUID()}`)]) {
      expect(answer).toMatchObject({ status: 403, body: { type: '/problems/forbidden', missing: 'role admin' } });
    }
    expect((await bot.put('/assistants/billing-bot', { name: 'Mine', memberIds: [] })).status).toBeGreaterThanOrEqual(403);
    expect((await bot.get('/assistants')).body['items']).toContainEqual({ id: 'billing-bot', name: 'Billing assistant', memberIds: ['grace'] });
  });

  it('asks what became of its own commands', async () => {
    const { status, headers, body } = await bot.post('/tickets', { title: 'later' }, { prefer: 'respond-async' });
    expect([status, headers.get('location')]).toEqual([202, `/v1/commands/${body['id']}`]);
    await eventually(async () => (await bot.get(`/commands/${body['id']}`)).body['state'] === 'applied');
    expect((await ada.get(`/commands/${body['id']}`)).status).toBe(404);
  });
});
