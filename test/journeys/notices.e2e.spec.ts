import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Mailbox } from '../../tools/mailbox/mailbox.js';
import { clientOf, type Client } from '../support/client.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const [org, twin] = [`notices-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
const mailbox = new Mailbox({ keep: 10_000 });
let stack: Stack;
let [ada, grace, linus, hers]: Client[] = [];
let streams: EventStream[] = [];

beforeAll(async () => {
  const env = { 'assignment-notification': { SMTP_URL: await mailbox.open(), PUBLIC_URL: 'https://desk.example.org/' } };
  stack = await startStack({ instances: { gateway: 2, 'assignment-notification': 2 }, env, directory: { organisations: [organisation(org), organisation(twin)] } });
  [ada, grace, linus] = ['ada', 'grace', 'linus'].map((sub) => clientOf(stack, { org, sub })) as [Client, Client, Client];
  hers = clientOf(stack, { org: twin, sub: 'grace' });
  const listening = [[0, 'grace'], [1, 'grace'], [1, 'linus']] as const;
  streams = await Promise.all(listening.map(([i, sub]) => EventStream.open(stack.gatewayUrls[i]!, stack.token({ org, sub }))));
  // The service hears of people over Kafka: from now on it knows them.
  for (const [client, id] of [[grace!, 'grace'], [linus!, 'linus']] as const) {
    await eventually(async () => {
      await ada!.post('/tickets', { title: 'Begin', assistantId: 'billing-bot', assignee: { type: 'member', id } });
      // eslint-disable-next-line deskstream/patient-specs -- before it knows them it tells nobody: then another ticket is opened
      await eventually(async () => expect(await told(client)).toContainEqual(expect.stringMatching(/^assigned /)), 3_000);
    });
  }
});
afterAll(async () => {
  for (const stream of streams) stream.close();
  await stack?.stop();
  await mailbox.close();
});

interface Told {
  id: string;
  kind: string;
  ticket: { id: string };
}
const items = async (client: Client, query = '?limit=100') => (await client.get(`/notifications${query}`)).body['items'] as Told[];
const told = async (client: Client) => (await items(client)).map(({ kind, ticket }) => `${kind} ${ticket.id}`);
const opened = async (fields: object = {}) => (await ada!.post('/tickets', { title: 'Who is told?', assistantId: 'billing-bot', ...fields })).body['id'] as string;
const live = (stream: EventStream, id: string) => stream.heard.filter(({ event, data }) => event === 'notice' && data.ticket.id === id).map(({ data }) => data.kind as string);
/** Subjects, each mail once: one may come again under its Message-ID. */
const mailed = (sub: string, id: string, of = org) => [...new Map(mailbox.mails.filter(({ envelope, text }) => envelope.to[0] === `${sub}@${of}.example` && text.includes(id)).map(({ messageId, subject }) => [messageId, subject])).values()];

describe('somebody who is mentioned', () => {
  it('finds it in the app, on every stream and in the mail, if they see the ticket', async () => {
    const id = await opened();
    expect((await ada!.post(`/tickets/${id}/notes`, { body: '@grace and @linus: who knows?' })).status).toBe(201);
    await eventually(async () => expect(await told(grace!)).toContain(`mentioned ${id}`));
    await eventually(() => expect([live(streams[0]!, id), live(streams[1]!, id)]).toEqual([['mentioned'], ['mentioned']]));
    await eventually(() => expect(mailed('grace', id)).toEqual([expect.stringMatching(/Who is told\?: \S.* mentioned you in a note$/)]));
    const behind = await opened({ assignee: { type: 'member', id: 'linus' } }); // his mails come one after the other
    await eventually(() => expect([live(streams[2]!, behind), mailed('linus', behind).length]).toEqual([['assigned'], 1]));
    expect([live(streams[2]!, id), (await told(linus!)).filter((one) => one.includes(id)), mailed('linus', id), await told(hers!), mailed('grace', id, twin)]).toEqual([[], [], [], [], []]);
  });

  it('goes on behind the last event of a stream, whatever notices came after it', async () => {
    const id = await opened();
    await ada!.post(`/tickets/${id}/comments`, { body: '@grace one' });
    await eventually(() => expect(live(streams[0]!, id)).toEqual(['mentioned']));
    await eventually(() => expect(streams[0]!.data.filter(({ ticketId }) => ticketId === id)).toHaveLength(2));
    const again = await EventStream.open(stack.gatewayUrls[1]!, stack.token({ org, sub: 'grace' }), streams[0]!.lastId);
    streams.push(again);
    await ada!.post(`/tickets/${id}/comments`, { body: 'two' });
    await eventually(() => expect(again.data.filter(({ ticketId }) => ticketId === id)).toMatchObject([{ version: 3 }]));
  });
});

describe('what somebody was told', () => {
  it('is read at any gateway, once per key', async () => {
    const id = await opened();
    await ada!.post(`/tickets/${id}/comments`, { body: '@grace' });
    await eventually(async () => expect(await told(grace!)).toContain(`mentioned ${id}`));
    const key = { 'idempotency-key': randomUUID() };
    const count = async () => (await grace!.get('/notifications/unread')).body['count'] as number;
    expect(await count()).toBeGreaterThan(0);
    expect((await grace!.send('POST', '/notifications/read', {}, key, 0)).status).toBe(204);
    expect([await count(), await items(grace!, '?unread=true')]).toEqual([0, []]);
    await ada!.post(`/tickets/${id}/comments`, { body: '@grace again' });
    await eventually(async () => expect(await count()).toBe(1));
    const again = await grace!.send('POST', '/notifications/read', {}, key, 1);
    expect([again.status, again.headers.get('idempotency-replayed'), await count()]).toEqual([204, 'true', 1]);
    expect((await linus!.post(`/notifications/${(await items(grace!))[0]!.id}/read`)).status).toBe(404);
    expect((await grace!.post(`/notifications/${(await items(grace!))[0]!.id}/read`)).status).toBe(204);
  });

  it('is theirs no more when the ticket is taken from them, or they are taken from its assistant', async () => {
    const id = await opened();
    await ada!.post(`/tickets/${id}/notes`, { body: 'the secret, @grace' });
    await eventually(async () => expect(await told(grace!)).toContain(`mentioned ${id}`));
    await ada!.patch(`/tickets/${id}`, { assistantId: 'tech-bot' });
    await eventually(async () => expect(await told(grace!)).not.toContain(`mentioned ${id}`));
    await ada!.patch(`/tickets/${id}`, { assistantId: 'billing-bot' });
    await eventually(async () => expect(await told(grace!)).toContain(`mentioned ${id}`));
    await ada!.put('/assistants/billing-bot', { name: 'Billing', memberIds: [] });
    await eventually(async () => expect(await told(grace!)).not.toContain(`mentioned ${id}`));
    await ada!.put('/assistants/billing-bot', { name: 'Billing', memberIds: ['grace'] });
    await eventually(async () => expect(await told(grace!)).toContain(`mentioned ${id}`));
  });

  it('is told as they chose, to nobody but people', async () => {
    expect((await linus!.put('/notification-preferences', { assigned: { inApp: 'at-once', email: 'never' } })).status).toBe(200);
    const id = await opened({ assignee: { type: 'member', id: 'linus' } });
    await eventually(async () => expect(await told(linus!)).toContain(`assigned ${id}`));
    expect((await grace!.get('/notification-preferences')).body).toMatchObject({ assigned: { email: 'at-once' } });
    const { secret } = await ada!.apiKey({ name: 'Agent', assistantId: 'billing-bot', scopes: ['tickets:read'] });
    const answer = await fetch(`${stack.gatewayUrl}/v1/notifications`, { headers: { authorization: `Bearer ${String(secret)}` } });
    expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([403, '/problems/forbidden']);
    await ada!.post(`/tickets/${id}/comments`, { body: '@linus, look' });
    await eventually(() => expect(mailed('linus', id)).toEqual([expect.stringContaining('mentioned you')]));
  });

  it('is of deadlines, too', async () => {
    const policy = await ada!.post('/sla-policies', { name: 'Soon', targets: { urgent: { firstReply: 1 } }, warnAtPercent: 1 });
    expect(policy.status).toBe(201);
    const id = await opened({ priority: 'urgent', assignee: { type: 'member', id: 'grace' } });
    await eventually(async () => expect(await told(grace!)).toContain(`deadline ${id}`));
    await ada!.delete(`/sla-policies/${policy.body['id']}`);
  });
});

describe('a service that is killed while it works', () => {
  it('has told everything once in the app, and mailed it at least once, in the end', async () => {
    const id = await opened({ assignee: { type: 'member', id: 'ada' } });
    const count = 60;
    const said = Array.from({ length: count }, (_, i) => `@grace number-${i}-`);
    const say = (from: number, to: number) => Promise.all(said.slice(from, to).map(async (body) => expect((await ada!.post(`/tickets/${id}/comments`, { body })).status).toBe(201)));
    await say(0, 10);
    await eventually(() => expect(live(streams[0]!, id).length).toBeGreaterThan(5));
    await Promise.all([stack.apps['assignment-notification'][1]!.kill(), say(10, 20)]);
    for (let i = 20; i < count; i += 10) await say(i, i + 10);
    const numbers = (texts: string[]) => texts.flatMap((text) => /number-(\d+)-/.exec(text)?.[1] ?? []).map(Number).sort((a, b) => a - b);
    const all = Array.from({ length: count }, (_, i) => i);
    await eventually(async () => expect(numbers((await items(grace!)).filter(({ ticket }) => ticket.id === id).map((one) => JSON.stringify(one)))).toEqual(all));
    const mails = () => mailbox.mails.filter(({ envelope, text }) => envelope.to[0] === `grace@${org}.example` && text.includes(id));
    await eventually(() => expect([...new Set(numbers(mails().map(({ text }) => text)))]).toEqual(all));
    expect(new Set(mails().map(({ messageId }) => messageId)).size).toBe(count);
  });
});
