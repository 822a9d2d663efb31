import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topics } from '#contracts';
import { openDatabase, type Database } from '#persistence';
import { clientOf, type Answer, type Client } from '../support/client.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const [org, twin] = [`due-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
let stack: Stack;
let store: Database;
let tail: TopicTail;
let ada: Client;
let grace: Client;
let hank: Client;

beforeAll(async () => {
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, [topics.deadlines]);
  stack = await startStack({ instances: { gateway: 2, 'assignment-notification': 2 }, directory: { organisations: [organisation(org), organisation(twin)] } });
  store = openDatabase({ uri: stack.mongodbUri, database: 'deskstream_assignment' });
  [ada, grace, hank] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' }), clientOf(stack, { org: twin, sub: 'ada' })];
});
afterAll(() => Promise.all([stack?.stop(), tail?.close(), store?.close()]));

const hours = { firstReply: 60, nextReply: 30, resolution: 240 };
const policy = { name: 'Quick', targets: { normal: hours, high: hours, urgent: { resolution: 1 } } };
const deadlinesOf = async (id: string, by = ada) => (await by.get(`/tickets/${id}`)).body['deadlines'] as { kind: string; dueAt: string | null; state: string }[];
const shown = (id: string, states: Record<string, string>, by = ada) =>
  eventually(async () => expect(Object.fromEntries((await deadlinesOf(id, by)).map(({ kind, state }) => [kind, state]))).toEqual(states), 120_000);
const opened = async (fields: object = {}) => (await ada.post('/tickets', { title: 'By when?', ...fields })).body;
/** Lets time pass for a ticket: the timer, and what it counts from, are put back in the store that a timer lives in. */
async function passed(id: string, minutes: number) {
  const tickets = store.db.collection<{ _id: string; clocks: string; turn: number }>('watched_tickets');
  await eventually(async () => {
    const { clocks, turn } = (await tickets.findOne({ _id: `${org}/${id}` }))!;
    const earlier = JSON.parse(clocks, (name, value: unknown) => (name === 'begunAt' ? (value as number) - minutes * 60_000 : value)) as object;
    const { matchedCount } = await tickets.updateOne({ _id: `${org}/${id}`, turn }, { $set: { clocks: JSON.stringify(earlier), turn: turn + 1, lookAt: new Date(0) } });
    return matchedCount === 1; // else an instance has just written it
  });
}
/** A policy that is older than it is: time from before it counts for none. */
async function ruled(body: object): Promise<Answer['body']> {
  const made = await ada.post('/sla-policies', body);
  expect([made.status, made.status === 201 ? '' : made.text]).toEqual([201, '']);
  const books = store.db.collection<{ _id: string; rules: string; revision: number }>('sla_books');
  const { rules, revision } = (await books.findOne({ _id: org }))!;
  const older = JSON.parse(rules, (name, value: unknown) => (name === 'since' ? '2020-01-01T00:00:00.000Z' : value)) as object[];
  const { matchedCount } = await books.updateOne({ _id: org, revision }, { $set: { rules: JSON.stringify(older), revision: revision + 1, news: 1 } });
  expect(matchedCount).toBe(1);
  return made.body;
}

describe('deadlines', () => {
  it('are shown, listed, met, paused and resumed as the ticket goes its way', async () => {
    const { status, body: made } = await eventually(async () => {
      const answer = await ada.post('/sla-policies', policy);
      expect(answer.status).toBe(201);
      return answer;
    });
    expect([status, made]).toMatchObject([201, { warnAtPercent: 80, enabled: true, onMissed: [] }]);
    const { id, createdAt } = await opened({ assistantId: 'billing-bot' });
    await shown(id, { 'first-reply': 'running', resolution: 'running' });
    expect((await deadlinesOf(id)).map(({ dueAt }) => Date.parse(dueAt!) - Date.parse(createdAt))).toEqual([60 * 60_000, 240 * 60_000]);
    const { body: list } = await ada.get('/tickets?deadline=running&sort=deadline');
    expect(list).toMatchObject({ total: 1, items: [{ id, deadlines: [{ kind: 'first-reply' }, { kind: 'resolution' }] }] });
    await ada.post(`/tickets/${id}/replies`, { body: 'We are on it.' });
    await shown(id, { 'first-reply': 'met', resolution: 'running' });
    await ada.post(`/tickets/${id}/conversation`, { messages: [{ role: 'user', content: 'And now?' }] });
    await shown(id, { 'first-reply': 'met', 'next-reply': 'running', resolution: 'running' });
    await ada.post(`/tickets/${id}/transitions`, { to: 'pending' });
    await shown(id, { 'first-reply': 'met', 'next-reply': 'paused', resolution: 'paused' });
    expect((await ada.get('/tickets?deadline=paused')).body['total']).toBe(1);
    expect((await ada.get('/tickets?sort=deadline')).body['total']).toBe(0);
    await ada.post(`/tickets/${id}/transitions`, { to: 'resolved' });
    await shown(id, { 'first-reply': 'met', 'next-reply': 'paused', resolution: 'met' });
    await ada.post(`/tickets/${id}/transitions`, { to: 'open' });
    await shown(id, { 'first-reply': 'met', 'next-reply': 'running', resolution: 'running' });
    expect((await ada.delete(`/sla-policies/${made['id']}`)).status).toBe(204);
    await shown(id, {});
  });

  it('that are missed are told on the topic, on the stream of those who see the ticket, and do what the policy says', async () => {
    const made = await ruled({ ...policy, onMissed: [{ type: 'raise-priority' }, { type: 'reassign', to: { type: 'member', id: 'grace' } }, { type: 'notify', memberIds: ['ada'] }] });
    const { id } = await opened({ assistantId: 'tech-bot' });
    await shown(id, { 'first-reply': 'running', resolution: 'running' });
    const listeners = [[{ org, sub: 'ada' }, 0], [{ org, sub: 'grace' }, 1], [{ org: twin, sub: 'ada' }, 0], [{ org, sub: 'ada' }, 1]] as const;
    const streams = await Promise.all(listeners.map(([who, at]) => EventStream.open(stack.gatewayUrls[at]!, stack.token(who))));
    const [seeing, blind, strange, beside] = streams as [EventStream, EventStream, EventStream, EventStream];
    await passed(id, 50);
    await shown(id, { 'first-reply': 'warning', resolution: 'running' });
    await passed(id, 15);
    await shown(id, { 'first-reply': 'missed', resolution: 'running' });
    const told = (stream: EventStream) => stream.data.filter(({ ticketId, deadlines }) => ticketId === id && deadlines).map(({ type }) => type as string);
    for (const stream of [seeing, beside]) await eventually(() => expect(told(stream)).toEqual(expect.arrayContaining(['deadline-warning', 'deadline-missed'])));
    // The ticket becomes hers as the deadline is missed: where her gateway heard that first, she may hear of deadlines as well, and not before.
    const [first] = blind.data.filter(({ ticketId }) => ticketId === id).map(({ type }) => type as string);
    expect(['deadline-warning', 'deadline-missed']).not.toContain(first);
    expect(strange.data).toEqual([]);
    await eventually(async () => expect((await ada.get(`/tickets/${id}`)).body).toMatchObject({ priority: 'high', assignee: { id: 'grace' } }));
    for (const stream of streams) stream.close();
    const { items } = (await ada.get(`/tickets/${id}/timeline`)).body as { items: { type: string; actor: object; data: object }[] };
    expect(items.filter(({ actor }) => (actor as { id: string }).id === 'deadlines').map(({ type }) => type).sort()).toEqual(['assignee-changed', 'details-updated']);
    await tail.readToEnd();
    const missed = tail.records(topics.deadlines).filter(({ headers }) => headers['ce_subject'] === id && headers['ce_type'] === 'ticket.deadline-missed.v1');
    expect([...new Set(missed.map(({ headers }) => headers['ce_id']))]).toEqual([`${id}:first-reply:1:missed`]);
    expect(JSON.parse(String(missed[0]!.value))).toMatchObject({ policy: { id: made['id'], name: 'Quick' }, tell: [{ type: 'member', id: 'ada' }] });
    expect((await grace.get('/tickets?deadline=missed')).body['total']).toBe(1);
    expect((await hank.get('/tickets?deadline=missed')).body['total']).toBe(0);
    expect((await hank.get('/sla-policies')).body['items']).toEqual([]);
    await ada.delete(`/sla-policies/${made['id']}`);
  });

  it('are administrators’ to set, once per key, and at the revision that they expect', async () => {
    for (const { status, body } of [await grace.get('/sla-policies'), await grace.post('/sla-policies', policy)]) expect([status, body['type']]).toEqual([403, '/problems/forbidden']);
    const key = { 'idempotency-key': randomUUID() };
    const [first, again] = [await ada.send('POST', '/sla-policies', policy, key, 0), await ada.send('POST', '/sla-policies', policy, key, 1)];
    expect([first.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
    const etag = (await ada.get('/sla-policies')).headers.get('etag')!;
    const path = `/sla-policies/${first.body['id']}`;
    expect((await ada.put(path, { ...policy, name: 'Renamed' }, { 'if-match': etag })).body).toMatchObject({ name: 'Renamed' });
    expect((await ada.put(path, policy, { 'if-match': etag })).body).toMatchObject({ status: 412, type: '/problems/version-conflict' });
    expect((await ada.post('/sla-policies', { ...policy, targets: { normal: { firstReply: -1 } } })).body['errors']).toMatchObject([{ pointer: '/targets/normal/firstReply', code: 'too_small' }]);
    expect((await ada.delete(path)).status).toBe(204);
  });

  it('run on while instances are killed and stopped', async () => {
    await ruled(policy);
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await opened())['id'] as string));
    for (const id of ids) await shown(id, { 'first-reply': 'running', resolution: 'running' });
    const [one, other] = stack.apps['assignment-notification'] as [(typeof stack.apps)['gateway'][number], (typeof stack.apps)['gateway'][number]];
    process.kill(other.pid, 'SIGSTOP');
    for (const id of ids.slice(0, 10)) await passed(id, 61);
    for (const id of ids.slice(0, 10)) await shown(id, { 'first-reply': 'missed', resolution: 'running' });
    await one.kill('SIGKILL');
    for (const id of ids.slice(10)) await passed(id, 61);
    process.kill(other.pid, 'SIGCONT');
    for (const id of ids.slice(10)) await shown(id, { 'first-reply': 'missed', resolution: 'running' });
    await tail.readToEnd();
    const missed = tail.records(topics.deadlines).filter(({ headers }) => ids.includes(headers['ce_subject']!) && headers['ce_type'] === 'ticket.deadline-missed.v1');
    expect(new Set(missed.map(({ headers, value }) => `${headers['ce_id']} ${value}`)).size).toBe(ids.length);
  });
});
