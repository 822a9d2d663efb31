import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { outboundValue, topics, type EventType } from '#contracts';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { memberCount } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const [org, twin, system] = ['told', 'twin', 'crm'].map((name) => `${name}-${randomUUID().slice(0, 8)}`) as [string, string, string];
const topic = `ticket.outbound.${system}.v1`;
const grant = { name: 'CRM', commands: ['create'], assistantIds: ['billing-bot'] };

let stack: Stack;
let tail: TopicTail;
let ada: Client;
let stranger: Client;
/** Since when the system is told. */
let began: string;

beforeAll(async () => {
  stack = await startStack({ instances: { 'assignment-notification': 1 }, directory: { organisations: [organisation(org), organisation(twin)] } });
  [ada, stranger] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org: twin, sub: 'ada' })];
});
afterAll(async () => {
  await stack?.stop();
  await tail?.close();
});

/** What the system was told of a ticket, repeats left out. */
async function toldOf(ticketId: string): Promise<{ version: number; type: string; text: string }[]> {
  await tail.readToEnd();
  const records = tail.records(topic).filter(({ key }) => String(key) === ticketId);
  const values = records.map(({ headers, value }) => ({ value: outboundValue[headers['ce_type'] as EventType].parse(JSON.parse(String(value))), id: headers['ce_id'], text: String(value) }));
  for (const { value, id } of values) expect(id).toBe(`${ticketId}:${value.version}`);
  return [...new Map(values.map(({ value: { version, type }, text }) => [version, { version, type, text }])).values()];
}
/** Resolves when everything that has happened was looked at for it. */
const lookedAt = (from: string) => eventually(async () => expect(await tail.lagOf(`assignment-notification.outbound.${org}/${system}/${Date.parse(from)}`, topics.events)).toBe(0));
const types = async (ticketId: string) => (await toldOf(ticketId)).map(({ type }) => type);

describe('an outside system that asks to be told', () => {
  it('has its topic named, and what it may not ask for refused', async () => {
    const early = await ada.ticket({ assistantId: 'billing-bot' });
    const bad = await ada.post('/producers', { id: system, ...grant, outbound: { from: 'yesterday' } });
    expect([bad.status, bad.body['errors']]).toEqual([422, [expect.objectContaining({ pointer: '/outbound/from' })]]);
    const made = await ada.post('/producers', { id: system, ...grant, outbound: {} });
    expect([made.status, made.body]).toEqual([201, { id: system, ...grant, outbound: { from: expect.any(String), notes: false }, topics: expect.objectContaining({ outbound: topic }), managedBy: 'administrators' }]);
    expect(made.body['outbound'].from > early['createdAt']).toBe(true);
    began = made.body['outbound'].from as string;
    tail = await TopicTail.open(stack.kafkaBrokers, [topic]);
  });

  it('is told what happens from then on with its tickets, in order; not of other assistants, other organisations and notes', async () => {
    const hidden = await ada.ticket({ assistantId: 'tech-bot' });
    const foreign = await stranger.ticket({ assistantId: 'billing-bot' });
    const mine = await ada.ticket({ assistantId: 'billing-bot', title: 'Mine' });
    await ada.post(`/tickets/${mine['id']}/notes`, { body: 'Between us: a secret' });
    await ada.post(`/tickets/${mine['id']}/transitions`, { to: 'pending', comment: 'Looking' });
    await ada.patch(`/tickets/${mine['id']}`, { assistantId: 'tech-bot' });
    await ada.post(`/tickets/${mine['id']}/comments`, { body: 'Out of its sight' });
    await ada.patch(`/tickets/${mine['id']}`, { assistantId: 'billing-bot' });
    await ada.post(`/tickets/${mine['id']}/transitions`, { to: 'resolved' });
    await eventually(async () => expect((await toldOf(mine['id'])).map(({ version }) => version)).toEqual([1, 3, 6, 7]));
    await lookedAt(began);
    expect(await types(mine['id'])).toEqual(['created', 'status-changed', 'details-updated', 'status-changed']);
    for (const { text } of await toldOf(mine['id'])) for (const word of ['a secret', 'Out of its sight', 'commandId']) expect(text).not.toContain(word);
    for (const { id } of [hidden, foreign] as { id: string }[]) expect(await toldOf(id)).toEqual([]);
  });

  it('is told what was before when an earlier time is chosen, and nothing more when it asks no longer', async () => {
    const from = '2020-01-01T00:00:00.000Z';
    const before = await ada.ticket({ assistantId: 'tech-bot' });
    await lookedAt(began);
    expect(await toldOf(before['id'])).toEqual([]);
    const changed = await ada.put(`/producers/${system}`, { ...grant, assistantIds: ['tech-bot'], outbound: { from, notes: true } });
    expect([changed.status, changed.body['outbound']]).toEqual([200, { from, notes: true }]);
    await ada.post(`/tickets/${before['id']}/notes`, { body: 'For the CRM, too' });
    await eventually(async () => expect(await types(before['id'])).toEqual(['created', 'comment-added']));
    const other = `${system}-b`;
    expect((await ada.post('/producers', { id: other, ...grant, outbound: {} })).status).toBe(201);
    const witness = await TopicTail.open(stack.kafkaBrokers, [`ticket.outbound.${other}.v1`]);
    const silent = await ada.put(`/producers/${system}`, { ...grant, assistantIds: ['billing-bot', 'tech-bot'] });
    expect([silent.body['outbound'], silent.body['topics'].outbound]).toEqual([undefined, undefined]);
    await eventually(async () => expect(await memberCount(stack.kafkaBrokers, `assignment-notification.outbound.${org}/${system}/${Date.parse(from)}`)).toBe(0));
    const after = await ada.ticket({ assistantId: 'billing-bot' });
    await eventually(() => witness.records(`ticket.outbound.${other}.v1`).some(({ key }) => String(key) === after['id'])).finally(() => witness.close());
    expect(await toldOf(after['id'])).toEqual([]);
    expect((await ada.delete(`/producers/${other}`)).status).toBe(204);
  });
});
