import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `life-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let ada: Client;
let grace: Client;

beforeAll(async () => {
  stack = await startStack({ directory: { organisations: [organisation(org)] } });
  ada = clientOf(stack, { org, sub: 'ada' });
  grace = clientOf(stack, { org, sub: 'grace' });
});
afterAll(() => stack?.stop());

describe('the life of a ticket', () => {
  it('is opened, worked on, answered, resolved, reopened, closed and found again', async () => {
    const opened = await ada.post('/tickets', {
      title: '  Invoice 4711 is wrong ',
      description: 'The amount on invoice 4711 differs from the offer.',
      assistantId: 'billing-bot',
      requester: { id: 'c-1', name: 'Carla Customer', email: 'carla@example.org' },
      tags: ['invoice', 'invoice', 'urgent case'],
      customFields: { region: 'north', amount: 12.5, vip: true },
      conversation: { messages: [{ role: 'user', content: 'My invoice is wrong' }, { role: 'assistant', content: 'I open a ticket for you' }] },
    });
    expect(opened.status).toBe(201);
    const { id, number } = opened.body as { id: string; number: number };
    expect(opened.headers.get('location')).toBe(`/v1/tickets/${id}`);
    expect(opened.headers.get('etag')).toBe('"1"');
    expect(opened.body).toMatchObject({
      title: 'Invoice 4711 is wrong',
      status: 'open',
      priority: 'normal',
      assistantId: 'billing-bot',
      tags: ['invoice', 'urgent case'],
      customFields: { region: 'north', amount: 12.5, vip: true },
      channel: 'api',
      createdBy: { type: 'member', id: 'ada' },
      assignee: null,
      commentCount: 0,
      version: 1,
      allowedTransitions: ['pending'],
    });

    const taken = await grace.post(`/tickets/${id}/take`);
    expect(taken).toMatchObject({ status: 200, body: { assignee: { type: 'member', id: 'grace', name: 'Grace Hopper' }, version: 2 } });
    const moved = await grace.post(`/tickets/${id}/transitions`, { to: 'in_progress', comment: 'Looking into it' }, { 'if-match': '"2"' });
    expect(moved).toMatchObject({ status: 200, body: { status: 'pending', version: 3, commentCount: 1, allowedTransitions: ['open', 'resolved'] } });
    const noted = await grace.post(`/tickets/${id}/notes`, { body: 'She is a friend of the boss' });
    expect(noted).toMatchObject({ status: 201, body: { comment: { kind: 'note', version: 4 }, ticket: { commentCount: 1 } } });
    const replied = await grace.post(`/tickets/${id}/replies`, { body: 'We corrected your invoice.' });
    expect(replied).toMatchObject({ status: 201, body: { comment: { kind: 'reply', delivery: { state: 'pending' }, version: 5 } } });
    expect(replied.body['ticket'].firstRepliedAt).toBe(replied.body['comment'].at);
    const edited = await grace.patch(`/tickets/${id}`, { priority: 'high', customFields: { region: null, checked: true }, requester: { name: null } });
    expect(edited.body).toMatchObject({ priority: 'high', customFields: { amount: 12.5, vip: true, checked: true }, requester: { id: 'c-1', email: 'carla@example.org' }, version: 6 });
    const appended = await grace.post(`/tickets/${id}/conversation`, { messages: [{ id: 'm-3', role: 'user', content: 'Thanks!', at: '2026-01-02T03:04:05+01:00' }] });
    expect(appended).toMatchObject({ status: 201, body: { messages: [{ id: 'm-3', at: '2026-01-02T02:04:05.000Z' }], ticket: { version: 7 } } });
    const recorded = await grace.post(`/tickets/${id}/tool-calls`, { tool: 'lookup', arguments: { invoice: 4711 }, status: 'ok', result: { amount: 12.5 }, durationMs: 3 });
    expect(recorded).toMatchObject({ status: 201, body: { version: 8 } });
    expect(await grace.post(`/tickets/${id}/transitions`, { to: 'resolved' })).toMatchObject({ status: 200, body: { status: 'resolved', version: 9 } });
    expect(await ada.post(`/tickets/${id}/transitions`, { to: 'open' })).toMatchObject({ status: 200, body: { status: 'open', resolvedAt: null, version: 10 } });
    for (const to of ['pending', 'resolved', 'closed']) expect((await ada.post(`/tickets/${id}/transitions`, { to })).status).toBe(200);

    await ada.shown(id, 13);
    const detail = await ada.get(`/tickets/${id}`);
    expect(detail).toMatchObject({ status: 200, body: { status: 'closed', version: 13, allowedTransitions: [], number } });
    expect(detail.headers.get('etag')).toBe('"13"');
    expect((await ada.get(`/tickets/${number}`)).body).toEqual(detail.body);
    expect((await ada.get(`/tickets/${id}/transitions`)).body).toEqual({ status: 'closed', allowed: [] });

    const thread = await ada.get(`/tickets/${id}/comments`);
    expect(thread.body['items'].map(({ kind, body }: { kind: string; body: string }) => [kind, body])).toEqual([
      ['comment', 'Looking into it'],
      ['note', 'She is a friend of the boss'],
      ['reply', 'We corrected your invoice.'],
    ]);
    const conversation = await ada.get(`/tickets/${id}/conversation`);
    expect(conversation.body['items'].map(({ content }: { content: string }) => content)).toEqual(['My invoice is wrong', 'I open a ticket for you', 'Thanks!']);
    const timeline = await ada.get(`/tickets/${id}/timeline?limit=100`);
    expect(timeline.body['items'].map(({ version }: { version: number }) => version)).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
    expect(timeline.body['nextAfter']).toBeNull();

    for (const q of ['4711 invo', `#${number}`, String(number), id, 'carla@example.org', 'friend boss', 'THANKS']) {
      await eventually(async () => {
        const found = await ada.get(`/tickets?q=${encodeURIComponent(q)}`);
        expect([q, found.body['items'].map((ticket: { id: string }) => ticket.id)]).toEqual([q, [id]]);
      });
    }
  });

  it('takes comments, notes and an assignee once it is closed, and nothing else', async () => {
    const { id } = (await ada.ticket()) as { id: string };
    for (const to of ['pending', 'resolved', 'closed']) await ada.post(`/tickets/${id}/transitions`, { to });
    expect((await ada.post(`/tickets/${id}/comments`, { body: 'late' })).status).toBe(201);
    expect((await ada.post(`/tickets/${id}/notes`, { body: 'late' })).status).toBe(201);
    expect((await ada.put(`/tickets/${id}/assignee`, { type: 'member', id: 'linus' })).status).toBe(200);
    for (const [path, body] of [['replies', { body: 'late' }], ['conversation', { messages: [{ role: 'user', content: 'late' }] }], ['tool-calls', { tool: 't', arguments: {}, status: 'ok' }]] as const) {
      expect(await ada.post(`/tickets/${id}/${path}`, body)).toMatchObject({ status: 409, body: { type: '/problems/ticket-closed' } });
    }
    expect(await ada.patch(`/tickets/${id}`, { title: 'late' })).toMatchObject({ status: 409, body: { type: '/problems/ticket-closed' } });
    expect(await ada.post(`/tickets/${id}/transitions`, { to: 'open' })).toMatchObject({ status: 409, body: { type: '/problems/invalid-transition', from: 'closed', to: 'open', allowed: [] } });
  });

  it('is deleted softly, gone for those who saw it, and restored by an administrator only', async () => {
    const { id, title } = (await grace.ticket({ assistantId: 'billing-bot' })) as { id: string; title: string };
    expect((await grace.delete(`/tickets/${id}`)).status).toBe(204);
    await eventually(async () => (await grace.get(`/tickets/${id}`)).status === 410);
    expect(await grace.get(`/tickets/${id}`)).toMatchObject({ status: 410, body: { type: '/problems/gone' } });
    expect(await grace.post(`/tickets/${id}/comments`, { body: 'x' })).toMatchObject({ status: 410, body: { type: '/problems/gone' } });
    await eventually(async () => expect((await grace.get(`/tickets?q=${encodeURIComponent(title)}`)).body).toMatchObject({ items: [], total: 0 }));
    expect((await clientOf(stack, { org, sub: 'linus' }).get(`/tickets/${id}`)).status).toBe(404);
    expect(await grace.post(`/tickets/${id}/restore`)).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
    expect(await ada.post(`/tickets/${id}/restore`)).toMatchObject({ status: 200, body: { id, version: 3 } });
    expect(await ada.post(`/tickets/${id}/restore`)).toMatchObject({ status: 200, body: { id, version: 3 } });
    await grace.shown(id, 3);
    expect((await grace.get(`/tickets/${id}`)).status).toBe(200);
  });

  it('refuses a write on a version that is not the newest', async () => {
    const { id } = (await ada.ticket()) as { id: string };
    await ada.post(`/tickets/${id}/comments`, { body: 'newer' });
    expect(await ada.patch(`/tickets/${id}`, { title: 'stale' }, { 'if-match': '"1"' })).toMatchObject({ status: 412, body: { type: '/problems/version-conflict', current: 2 } });
  });
});
