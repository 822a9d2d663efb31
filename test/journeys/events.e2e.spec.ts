import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { clientOf, type Answer, type Client } from '../support/client.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { feedBehind } from '../support/feed.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const [org, twin] = [`events-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
let stack: Stack;
let [ada, grace, stranger]: Client[] = [];
const streams: EventStream[] = [];

beforeAll(async () => {
  stack = await startStack({ instances: { gateway: 2, 'query-search': 1 }, directory: { organisations: [organisation(org), organisation(twin)] } });
  [ada, grace, stranger] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' }), clientOf(stack, { org: twin, sub: 'ada' })];
});
afterEach(() => streams.splice(0).forEach((stream) => stream.close()));
afterAll(() => stack?.stop());

const tokenOf = (sub: string, of = org) => stack.token({ org: of, sub });
async function listen(token: string, { at = 0, lastEventId }: { at?: number; lastEventId?: string } = {}): Promise<EventStream> {
  const stream = await EventStream.open(stack.gatewayUrls[at]!, token, lastEventId);
  streams.push(stream);
  return stream;
}
const ticket = (fields: Record<string, unknown> = {}, by = ada!) => by.ticket(fields);
describe('the feed', () => {
  it('tells every event of the organisation once, each ticket’s in order, in pages of any size, and goes on where one was', async () => {
    const tickets = await Promise.all(Array.from({ length: 5 }, () => ticket({ assistantId: 'billing-bot' })));
    for (const { id } of tickets) {
      await ada!.post(`/tickets/${id}/comments`, { body: 'Looked at it' });
      await ada!.post(`/tickets/${id}/notes`, { body: 'A secret' });
      await ada!.shown(id as string, 3);
    }
    await ticket({}, stranger);
    const first = await feedBehind(ada!, '0', 3);
    const again = await feedBehind(ada!);
    expect(again.items).toEqual(first.items);
    expect(new Set(first.items.map(({ id }) => id)).size).toBe(first.items.length);
    for (const { id } of tickets) {
      const timeline = (await ada!.get(`/tickets/${id}/timeline?limit=100`)).body['items'] as Answer['body'][];
      const fed = first.items.filter(({ ticketId }) => ticketId === id).map(({ id: eventId, ticketId, ...rest }) => (expect(eventId).toBe(`${ticketId}:${rest.version}`), rest));
      expect(fed).toEqual(timeline);
    }
    expect(first.items.filter(({ ticketId }) => !tickets.some(({ id }) => id === ticketId))).toEqual([]);

    const [one] = tickets;
    await ada!.post(`/tickets/${one!['id']}/transitions`, { to: 'pending' });
    await ada!.shown(one!['id'] as string, 4);
    const more = await feedBehind(ada!, first.next);
    expect(more.items.map(({ id, type }) => [id, type])).toEqual([[`${one!['id']}:4`, 'status-changed']]);
  });

  it('is for administrators, and refuses places that are none or another organisation’s', async () => {
    const { status, body } = await grace!.get('/events');
    expect([status, body['type'], body['missing']]).toEqual([403, '/problems/forbidden', 'role admin']);
    await ticket({}, stranger);
    const foreign = (await feedBehind(stranger!)).next;
    for (const after of [foreign, '1.1.AAAAAAAAAAAAAAAA', 'x', '0.0', "0'"]) {
      const refused = await ada!.get(`/events?after=${encodeURIComponent(after)}`);
      expect([after, refused.status, refused.body['type']]).toEqual([after, 422, '/problems/invalid-cursor']);
    }
    expect((await ada!.get('/events?limit=101')).body['type']).toBe('/problems/validation-failed');
  });
});

describe('the stream', () => {
  it('tells what its listener sees as it happens: no hidden ticket, no note, no other organisation', async () => {
    const [forAda, forGrace, forTwin] = [await listen(tokenOf('ada')), await listen(tokenOf('grace'), { at: 1 }), await listen(tokenOf('ada', twin))];
    expect([forGrace.status, forGrace.response.headers.get('content-type'), forGrace.response.headers.get('cache-control')]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store']);
    const key = (await ada!.apiKey({ name: 'no notes', assistantId: 'billing-bot', scopes: ['tickets:read'] }))['secret'] as string;
    const forAgent = await listen(key);
    const [seen, hidden] = [await ticket({ assistantId: 'billing-bot' }), await ticket({ assistantId: 'tech-bot' })];
    await ada!.post(`/tickets/${seen['id']}/notes`, { body: 'A secret' });
    await ada!.post(`/tickets/${hidden['id']}/comments`, { body: 'Not for Grace' });
    await ada!.post(`/tickets/${seen['id']}/comments`, { body: 'The end' });
    const foreign = await ticket({}, stranger);
    const names = (data: { id: string }[]) => data.map(({ id }) => id);
    expect(names(await forAda.until(5)).sort()).toEqual([`${seen['id']}:1`, `${seen['id']}:2`, `${seen['id']}:3`, `${hidden['id']}:1`, `${hidden['id']}:2`].sort());
    expect(names(await forGrace.until(3))).toEqual([1, 2, 3].map((version) => `${seen['id']}:${version}`));
    expect(names(await forTwin.until(1))).toEqual([`${foreign['id']}:1`]);
    const [, note, last] = await forAgent.until(3);
    expect(note).toEqual({ id: `${seen['id']}:2`, ticketId: seen['id'], version: 2, type: 'comment-added', at: expect.any(String), actor: expect.objectContaining({ id: 'ada' }), hidden: true });
    expect(last.data.comment.body).toBe('The end');
    expect(JSON.stringify(forAgent.data)).not.toContain('secret');
    const [timeline] = (await ada!.get(`/tickets/${seen['id']}/timeline`)).body['items'] as Answer['body'][];
    expect(forGrace.data[0]).toEqual({ id: `${seen['id']}:1`, ticketId: seen['id'], ...timeline });
  });

  it('goes on behind the last id at another gateway, without a gap and without a repeat', async () => {
    const first = await listen(tokenOf('grace'));
    const { id } = await ticket({ assistantId: 'billing-bot' });
    await first.until(1);
    first.close();
    for (let i = 0; i < 12; i++) await ada!.post(`/tickets/${id}/comments`, { body: `Missed ${i}` });
    await ada!.shown(id as string, 13);
    const second = await listen(tokenOf('grace'), { at: 1, lastEventId: first.lastId });
    await ada!.post(`/tickets/${id}/comments`, { body: 'Live' });
    expect((await second.until(13)).map(({ version }) => version)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    const fresh = await listen(tokenOf('grace'), { lastEventId: '0' });
    await eventually(() => expect(fresh.data.at(-1)?.id).toBe(`${id}:14`)); // behind all that happened before
  });

  it('tells once that a ticket has left one’s sight, and nothing of it after that', async () => {
    const forGrace = await listen(tokenOf('grace'));
    const { id } = await ticket({ assistantId: 'billing-bot' });
    await ada!.patch(`/tickets/${id}`, { assistantId: 'tech-bot' });
    await ada!.post(`/tickets/${id}/comments`, { body: 'Not for Grace' });
    await ada!.put(`/tickets/${id}/assignee`, { type: 'member', id: 'grace' });
    await ada!.delete(`/tickets/${id}/assignee`);
    const after = await ticket({ assistantId: 'billing-bot' });
    const data = await forGrace.until(5);
    const ofIt = data.filter(({ ticketId }) => ticketId === id);
    expect(ofIt.map(({ version, type }) => [version, type])).toEqual([
      [1, 'created'],
      [2, 'left'],
      [4, 'assignee-changed'],
      [5, 'left'],
    ]);
    expect(ofIt[1]).toEqual({ ticketId: id, version: 2, type: 'left' });
    expect(data.filter(({ ticketId }) => ticketId !== id).map(({ ticketId }) => ticketId)).toEqual([after['id']]);
  });

  it('refuses a last id that is none or another organisation’s, callers without the right, other forms', async () => {
    const foreign = await listen(tokenOf('ada', twin), { lastEventId: '0' });
    await ticket({}, stranger);
    await foreign.until(1);
    for (const lastEventId of [foreign.lastId, 'x', `${foreign.lastId}x`, '1.1.AAAAAAAAAAAAAAAA']) {
      const refused = await listen(tokenOf('ada'), { lastEventId });
      expect([refused.status, ((await refused.response.json()) as Answer['body'])['type']]).toEqual([422, '/problems/invalid-cursor']);
    }
    const key = (await ada!.apiKey({ name: 'writes only', assistantId: 'billing-bot', scopes: ['tickets:write'] }))['secret'] as string;
    expect((await listen(key)).status).toBe(403);
    expect((await listen('nobody')).status).toBe(401);
    for (const accept of ['text/html', 'application/json']) expect((await ada!.get('/stream', { accept })).status).toBe(406);
    expect((await ada!.get('/stream?after=0')).status).toBe(422);
  });

  it('ends when the key it was opened with is deleted', async () => {
    const { id, secret } = await ada!.apiKey({ name: 'short', assistantId: 'billing-bot', scopes: ['tickets:read'] });
    const stream = await listen(secret as string, { at: 1 });
    expect(stream.status).toBe(200);
    await ada!.delete(`/api-keys/${id}`);
    await eventually(() => stream.isOver);
  });

  it('ends with the gateway, which ends all the same, and lasts while query-search is away', async () => {
    const [query] = stack.apps['query-search'];
    const staying = await listen(tokenOf('grace'));
    await query!.restart();
    const { id } = await eventually(async () => {
      const { status, body } = await ada!.post('/tickets', { title: 'While it was away', assistantId: 'billing-bot' });
      return status === 201 && body;
    });
    await staying.until(1);
    expect(staying.data.map(({ ticketId }) => ticketId)).toEqual([id]);
    const stopped = await listen(tokenOf('ada'), { at: 1 });
    await stack.apps.gateway[1]!.kill('SIGTERM'); // waits for its end, however long that takes
    await eventually(() => stopped.isOver);
  });
});
