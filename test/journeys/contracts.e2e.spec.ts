import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { Described } from '../support/described.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { handedIn, mailSecret, mailText } from '../support/signed-mail.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `told-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let described: Described;
let ada: string;
let grace: string;

beforeAll(async () => {
  stack = await startStack({
    instances: { 'assignment-notification': 1 },
    env: { 'assignment-notification': { INBOUND_DOMAIN: 'in.example.org' }, gateway: { INBOUND_EMAIL_SECRET: mailSecret } },
    directory: { organisations: [organisation(org)] },
  });
  ada = stack.token({ org, sub: 'ada' });
  grace = stack.token({ org, sub: 'grace' });
  const answer = await fetch(`${stack.gatewayUrl}/v1/openapi.json`);
  described = new Described(await answer.json());
});
afterAll(() => stack?.stop());

interface Ask {
  body?: unknown;
  headers?: Record<string, string>;
  /** Whose token; none for an empty text. */
  as?: string;
}

const signed = (as = ada) => (as === '' ? {} : { authorization: `Bearer ${as}` });
const json = { 'content-type': 'application/json' };

function sent({ body, headers, as }: Ask): RequestInit {
  if (body === undefined) return { headers: { ...signed(as), ...headers } };
  return { headers: { ...signed(as), ...json, ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** What is not decided, not shown or not known in time, as on a slow machine, is asked for again under its key. */
const isLate = (told: { status: number }, status: number) => told.status !== status && (told.status === 202 || told.status === 503);

/** Asks, and holds the answer against the document. */
async function ask(method: string, path: string, status: number, { headers, ...asked }: Ask = {}) {
  const init = sent({ ...asked, headers: { ...(method !== 'GET' && { 'idempotency-key': randomUUID() as string }), ...headers } });
  const told = await eventually(async () => {
    const answer = await fetch(stack.gatewayUrl + path, { method, ...init });
    const heard = { method, path: path.split('?')[0]!, status: answer.status, headers: answer.headers, text: await answer.text() };
    return !isLate(heard, status) && heard;
  });
  expect([method, path, told.status, told.status === status ? '' : told.text]).toEqual([method, path, status, '']);
  expect(described.flaws(told)).toEqual([]);
  return { headers: told.headers, body: (told.text.startsWith('{') ? JSON.parse(told.text) : {}) as Record<string, any> }; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are looked at as callers see them
}

const opened = async () => (await ask('POST', '/v1/tickets', 201, { body: { title: 'A title', assistantId: 'billing-bot' } })).body['id'] as string;

describe('what the document says of answers', () => {
  it('holds for the life of a ticket', async () => {
    const created = await ask('POST', '/v1/tickets', 201, {
      body: {
        title: 'Invoice 4711',
        description: 'Wrong.',
        priority: 'high',
        assistantId: 'billing-bot',
        requester: { id: 'c-1', name: 'Carla', email: 'carla@example.org' },
        tags: ['invoice'],
        customFields: { plan: 'gold', seats: 3, paid: true },
        assignee: { type: 'member', id: 'grace' },
        conversation: { messages: [{ role: 'user', content: 'Help' }] },
        externalId: randomUUID(),
      },
    });
    const path = `/v1/tickets/${created.body['id']}`;
    await ask('PATCH', path, 200, { body: { title: 'Invoice 4712', requester: { name: null }, customFields: { seats: null } }, headers: { 'if-match': '"1"' } });
    await ask('POST', `${path}/take`, 200);
    await ask('DELETE', `${path}/assignee`, 200);
    await ask('PUT', `${path}/assignee`, 200, { body: { type: 'agent', id: 'billing-bot' } });
    for (const kind of ['comments', 'notes', 'replies']) await ask('POST', `${path}/${kind}`, 201, { body: { body: 'Text' } });
    await ask('POST', `${path}/conversation`, 201, { body: { messages: [{ role: 'tool', content: '{}', name: 'look-up', at: '2026-01-02T03:04:05Z' }] } });
    await ask('POST', `${path}/tool-calls`, 201, { body: { tool: 'look-up', arguments: { n: 1 }, status: 'error', result: [null], durationMs: 1.5, model: 'm', correlationId: 'c' } });
    const { body } = await ask('POST', `${path}/transitions`, 200, { body: { to: 'in_progress', comment: 'On it' } });
    await ask('POST', `${path}/transitions`, 409, { body: { to: 'closed' } });
    await ask('DELETE', path, 412, { headers: { 'if-match': '"1"' } });
    const seen = { headers: { 'x-min-version': String(body['version']) } };
    await ask('GET', path, 200, seen);
    await ask('GET', `${path}?version=1`, 200);
    for (const part of ['transitions', 'comments', 'timeline?limit=100', 'conversation']) await ask('GET', `${path}/${part}`, 200, seen);
    await ask('GET', path, 404, { as: stack.token({ org, sub: 'linus' }) });
    await ask('DELETE', path, 204);
    // Which version that makes depends on when it is told what became of the reply.
    await eventually(() => ask('GET', path, 410));
    await ask('POST', `${path}/restore`, 403, { as: grace });
    await ask('POST', `${path}/restore`, 200);
  });

  it('holds for lists, numbers and exports', async () => {
    await ask('GET', '/v1/tickets?pageSize=1', 200);
    await ask('GET', '/v1/tickets?q=invoice&status=open,pending&status=closed', 200);
    await ask('GET', '/v1/tickets/counts', 200);
    await ask('GET', '/v1/suggest?q=inv', 200);
    await ask('GET', '/v1/stats', 200);
    await ask('GET', '/v1/tickets/export', 200);
    await ask('GET', '/v1/tickets/export?format=ndjson', 200);
    await ask('GET', '/v1/tickets?cursor=nope', 422);
    await ask('GET', '/v1/tickets?page=500&pageSize=100', 422);
  });

  it('holds for events', async () => {
    await ask('GET', `/v1/tickets/${await opened()}`, 200, { headers: { 'x-min-version': '1' } });
    const { body } = await ask('GET', '/v1/events?limit=100', 200);
    expect(body['items'].length).toBeGreaterThan(0);
    await ask('GET', `/v1/events?after=${body['nextAfter']}`, 200);
    await ask('GET', '/v1/events?after=nope', 422);
    await ask('GET', '/v1/events', 403, { as: grace });
    await ask('GET', '/v1/stream', 422, { headers: { 'last-event-id': 'nope' } });
    const listening = new AbortController();
    const { status, headers } = await eventually(async () => {
      const answer = await fetch(`${stack.gatewayUrl}/v1/stream`, { headers: signed(), signal: listening.signal });
      return answer.status === 200 && answer;
    });
    listening.abort();
    expect(described.flaws({ method: 'GET', path: '/v1/stream', status, headers, text: '' })).toEqual([]);
  });

  it('holds for writes that are not waited for, everywhere, and for their repeats', async () => {
    const id = await opened();
    const paths = [
      ['POST', '/v1/tickets', { title: 'Later' }],
      ['PATCH', `/v1/tickets/${id}`, { title: 'Later' }],
      ['PUT', `/v1/tickets/${id}/assignee`, { type: 'member', id: 'grace' }],
      ['DELETE', `/v1/tickets/${id}/assignee`],
      ['POST', `/v1/tickets/${id}/take`],
      ['POST', `/v1/tickets/${id}/transitions`, { to: 'pending' }],
      ['POST', `/v1/tickets/${id}/comments`, { body: 'x' }],
      ['POST', `/v1/tickets/${id}/notes`, { body: 'x' }],
      ['POST', `/v1/tickets/${id}/replies`, { body: 'x' }],
      ['POST', `/v1/tickets/${id}/conversation`, { messages: [{ role: 'user', content: 'x' }] }],
      ['POST', `/v1/tickets/${id}/tool-calls`, { tool: 't', arguments: {}, status: 'ok' }],
      ['DELETE', `/v1/tickets/${id}`],
      ['POST', `/v1/tickets/${id}/restore`],
    ] as const;
    for (const [method, path, body] of paths) {
      const { headers } = await ask(method, path, 202, { body, headers: { prefer: 'respond-async' } });
      await ask('GET', headers.get('location')!, 200);
    }
    const once = { body: { title: 'Once' }, headers: { 'idempotency-key': randomUUID() } };
    await ask('POST', '/v1/tickets', 201, once);
    expect((await ask('POST', '/v1/tickets', 201, once)).headers.get('idempotency-replayed')).toBe('true');
    await ask('POST', '/v1/tickets', 422, { ...once, body: { title: 'Twice' } });
    await ask('GET', `/v1/commands/${randomUUID()}`, 404);
  });

  it('holds for the organisation and its API keys', async () => {
    for (const path of ['/v1/me', '/v1/members', '/v1/assistants']) await ask('GET', path, 200);
    const made = async () => (await ask('POST', '/v1/api-keys', 201, { body: { name: 'Bot', assistantId: 'billing-bot', scopes: ['tickets:read'] } })).body;
    let body = await made();
    while (body['secret'] === undefined) body = await made(); // a repeat does not tell it
    await ask('GET', '/v1/api-keys', 200);
    await ask('GET', '/v1/me', 200, { as: body['secret'] as string });
    await ask('POST', '/v1/tickets', 403, { as: body['secret'] as string, body: { title: 'No scope' } });
    await ask('GET', '/v1/api-keys', 403, { as: grace });
    await ask('DELETE', `/v1/api-keys/${body['id']}`, 204);
    await ask('DELETE', `/v1/api-keys/${randomUUID()}`, 404);
  });

  it('holds for its people and assistants', async () => {
    const path = `/v1/assistants/bot-${randomUUID().slice(0, 8)}`;
    const once = { body: { name: 'Bot', memberIds: ['linus'] }, headers: { 'idempotency-key': randomUUID() } };
    for (const _ of [1, 2]) await ask('PUT', path, 201, once);
    await ask('PUT', path, 200, { body: { name: 'Bot', memberIds: [] }, headers: { 'if-match': '"1"' } });
    await ask('PUT', path, 412, { body: { name: 'Bot', memberIds: [] }, headers: { 'if-match': '"1"' } });
    await ask('PUT', path, 403, { body: { name: 'Bot', memberIds: [] }, as: grace });
    await ask('PUT', path, 422, { body: { name: 'Bot', memberIds: ['nobody'] } });
    await ask('GET', path, 200);
    await ask('DELETE', path, 204);
    await ask('GET', path, 404);
    const leaving = stack.token({ org, sub: 'leaving', name: 'Leaving', email: 'l@example.org', role: 'member' });
    const { body } = await ask('GET', '/v1/members/leaving/availability', 200, { as: leaving });
    await ask('PUT', '/v1/members/leaving/availability', 200, { body: { ...body, timeZone: 'Europe/Berlin', away: { until: null } }, as: leaving });
    await ask('PUT', '/v1/members/leaving/availability', 403, { body: { ...body, capacity: 3 }, as: leaving });
    await ask('DELETE', '/v1/members/leaving', 204);
    await ask('GET', '/v1/members/leaving/availability', 404);
  });

  it('holds for outside systems', async () => {
    const id = `s-${randomUUID().slice(0, 8)}`;
    const grant = { name: 'ERP', commands: ['create'], assistantIds: ['billing-bot'] };
    await ask('POST', '/v1/producers', 201, { body: { id, ...grant } });
    await ask('POST', '/v1/producers', 409, { body: { id, ...grant } });
    for (const path of ['/v1/producers', `/v1/producers/${id}`]) await ask('GET', path, 200);
    await ask('PUT', `/v1/producers/${id}`, 200, { body: grant });
    await ask('GET', '/v1/producers', 403, { as: grace });
    await ask('DELETE', `/v1/producers/${id}`, 204);
    await ask('GET', `/v1/producers/${id}`, 404);
  });

  it('holds for assignment rules', async () => {
    const rule = { name: 'In turn', strategy: { type: 'round-robin', memberIds: ['ada'] } };
    // The service hears of people over Kafka.
    await eventually(async () => expect((await fetch(`${stack.gatewayUrl}/v1/assignment-rules`, { method: 'POST', ...sent({ body: { ...rule, enabled: false } }) })).status).toBe(201));
    const once = { body: rule, headers: { 'idempotency-key': randomUUID() } };
    const { body } = await ask('POST', '/v1/assignment-rules', 201, once);
    expect((await ask('POST', '/v1/assignment-rules', 201, once)).headers.get('idempotency-replayed')).toBe('true');
    await ask('POST', '/v1/assignment-rules', 422, { body: { name: 'x', strategy: { type: 'fixed', assignee: { type: 'member', id: 'nobody' } } } });
    await ask('GET', '/v1/assignment-rules', 403, { as: grace });
    const path = `/v1/assignment-rules/${body['id']}`;
    await ask('PUT', path, 200, { body: { ...rule, condition: { tags: ['vip'], customFields: { plan: 'gold' } } } });
    const { items } = (await ask('GET', '/v1/assignment-rules', 200)).body as { items: { id: string }[] };
    await ask('PUT', '/v1/assignment-rules/order', 200, { body: { ids: items.map(({ id }) => id).reverse() } });
    await ask('POST', '/v1/assignment-rules/rehearse', 200, { body: { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date().toISOString(), rule } });
    await ask('DELETE', path, 204);
    await ask('PUT', path, 404, { body: rule });
    await ask('POST', '/v1/members/grace/hand-back', 202, { as: grace });
    await ask('POST', '/v1/members/ada/hand-back', 403, { as: grace });
    await ask('POST', '/v1/members/nobody/hand-back', 404);
  });

  it('holds for deadlines', async () => {
    const policy = { name: 'Office hours', targets: { high: { firstReply: 60, resolution: 960 } }, onMissed: [{ type: 'raise-priority' }] };
    const { body } = await ask('POST', '/v1/sla-policies', 201, { body: policy });
    const path = `/v1/sla-policies/${body['id']}`;
    await ask('PUT', path, 200, { body: { ...policy, enabled: false } });
    await ask('PUT', '/v1/sla-policies/order', 200, { body: { ids: [body['id']] } });
    await ask('GET', '/v1/sla-policies', 200);
    await ask('GET', '/v1/sla-policies', 403, { as: grace });
    await ask('DELETE', path, 204);
    await ask('PUT', path, 404, { body: policy });
  });

  it('holds for notices and how one is told', async () => {
    const id = await opened();
    await ask('PUT', `/v1/tickets/${id}/assignee`, 200, { body: { type: 'member', id: 'grace' } });
    const [notice] = await eventually(async () => {
      const { items } = (await ask('GET', '/v1/notifications?unread=true', 200, { as: grace })).body as { items: { id: string }[] };
      return items.length > 0 && items;
    });
    await ask('GET', '/v1/notifications/unread', 200, { as: grace });
    await ask('POST', `/v1/notifications/${notice!.id}/read`, 204, { as: grace });
    for (const body of [undefined, {}]) await ask('POST', '/v1/notifications/read', 204, { as: grace, body });
    await ask('GET', '/v1/notification-preferences', 200, { as: grace });
    await ask('PUT', '/v1/notification-preferences', 200, { as: grace, body: { status: { inApp: 'at-once', email: 'never' } } });
  });

  it('holds for what requesters are told, and what they write', async () => {
    const { body } = await ask('POST', '/v1/tickets', 201, { body: { title: 'A title', assistantId: 'billing-bot', requester: { name: 'Carla', email: 'carla@example.org' } } });
    const path = `/v1/tickets/${body['id']}/replies`;
    const { comment } = (await ask('POST', path, 201, { body: { body: 'Text' } })).body as { comment: { id: string } };
    await eventually(() => ask('POST', `${path}/${comment.id}/send`, 202));
    const [updates, delivery] = ['/v1/assistants/billing-bot/requester-updates', '/v1/assistants/billing-bot/delivery'];
    await eventually(async () => expect((await fetch(stack.gatewayUrl + updates, sent({}))).status).toBe(200)); // the service hears of assistants over Kafka
    await ask('PUT', updates, 200, { body: { resolved: { enabled: true, text: 'It is solved.' } } });
    await ask('GET', updates, 200);
    await ask('PUT', delivery, 200, { body: { url: 'https://assistant.example/deskstream', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G' } });
    await ask('GET', delivery, 200);
    await ask('DELETE', delivery, 204);
    const raw = mailText({ To: `${org}@in.example.org`, From: 'carla@example.org' });
    const takes = async (status: number, ...mail: [raw: string | Buffer, how?: Parameters<typeof handedIn>[2]]) => {
      const answer = await handedIn(stack.gatewayUrl, ...mail);
      expect([answer.status, described.flaws({ method: 'POST', path: '/v1/inbound-email', ...answer })]).toEqual([status, []]);
    };
    await takes(202, raw);
    await takes(401, raw, { at: 0 });
    await takes(413, Buffer.alloc(11 * 1024 * 1024, 'x'));
    await takes(415, raw, { type: 'text/plain' });
    await takes(422, 'nobody wrote this');
  });

  it('holds for webhooks', async () => {
    const hook = { name: 'Billing', url: 'http://127.0.0.1:9/hook', types: ['created'] };
    const { body } = await ask('POST', '/v1/webhooks', 201, { body: hook });
    const path = `/v1/webhooks/${body['id']}`;
    await ask('GET', '/v1/webhooks', 200);
    await ask('GET', path, 200);
    await ask('PUT', path, 200, { body: { ...hook, notes: true } });
    for (const body of [undefined, { overlapSeconds: 60 }]) await ask('POST', `${path}/secrets`, 201, { body });
    await ask('POST', `${path}/test`, 202);
    const [sent] = await eventually(async () => {
      const { items } = (await ask('GET', `${path}/deliveries`, 200)).body as { items: { id: string }[] };
      return items.length > 0 && items;
    });
    await ask('POST', `${path}/deliveries/${sent!.id}/redeliver`, 202);
    await ask('POST', `${path}/replay`, 202, { body: { from: new Date(Date.now() - 60_000).toISOString() } });
    await ask('DELETE', `${path}/replay`, 202);
    await ask('POST', '/v1/webhooks', 422, { body: { ...hook, url: 'http://169.254.169.254/' } });
    await ask('GET', '/v1/webhooks', 403, { as: grace });
    await ask('DELETE', path, 204);
    await ask('GET', path, 404);
  });

  it('holds for dead letters', async () => {
    const producer = new Kafka({ brokers: stack.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const record = () => {
      const ticketId = randomUUID();
      const headers = { ce_specversion: '1.0', ce_id: randomUUID(), ce_type: 'ticket.create.v1', ce_source: '/spec', ce_subject: ticketId, ce_time: new Date().toISOString(), ce_orgid: org };
      return { key: ticketId, value: JSON.stringify({ orgId: org, ticketId, nonsense: true }), headers };
    };
    await producer.send({ topic: 'ticket.commands.v1', messages: [record(), record()] }).finally(() => producer.disconnect());
    const [one, other] = await eventually(async () => {
      const { body } = await ask('GET', '/v1/dead-letters?limit=100', 200);
      return body['items'].length >= 2 && (body['items'] as { id: string }[]);
    });
    expect((await ask('GET', `/v1/dead-letters/${one!.id}`, 200)).body).toMatchObject({ reason: 'schema-invalid', state: 'waiting' });
    await ask('POST', `/v1/dead-letters/${one!.id}/replay`, 200);
    await ask('POST', `/v1/dead-letters/${one!.id}/discard`, 409, { body: { reason: 'a test' } });
    await ask('POST', `/v1/dead-letters/${other!.id}/discard`, 200, { body: { reason: 'a test' } });
    await ask('GET', '/v1/dead-letters', 403, { as: grace });
    await ask('GET', '/v1/dead-letters?after=nope', 422);
    await ask('GET', '/v1/dead-letters/dead.ticket-command.ticket.commands.v1:0:999999999', 404);
  });

  it('holds for what needs no sign-in', async () => {
    for (const path of ['/health/live', '/health/ready', '/v1/openapi.json', '/v1/asyncapi.json', '/schemas/ticket.created.v1.json']) {
      const { headers } = await ask('GET', path, 200, { as: '' });
      if (headers.has('etag')) await ask('GET', path, 304, { as: '', headers: { 'if-none-match': headers.get('etag')! } });
    }
    await ask('GET', '/schemas/nope.json', 400, { as: '' });
  });

  it('holds for what the door refuses', async () => {
    const id = await opened();
    await ask('GET', '/v1/me', 401, { as: '' });
    await ask('GET', '/v1/me', 406, { headers: { accept: 'text/html' } });
    await ask('GET', '/v1/me?x=1', 422);
    await ask('GET', '/v1/tickets/nope', 400);
    await ask('POST', '/v1/tickets', 400, { body: '{' });
    await ask('POST', '/v1/tickets', 400, { body: { title: 'a' }, headers: { 'idempotency-key': '' } });
    await ask('POST', '/v1/tickets', 413, { body: { title: 'a', description: 'x'.repeat(300_000) } });
    await ask('POST', '/v1/tickets', 415, { body: { title: 'a' }, headers: { 'content-type': 'text/plain' } });
    await ask('POST', '/v1/tickets', 422, { body: { title: '', colour: 'red' } });
    await ask('PUT', `/v1/tickets/${id}/assignee`, 422, { body: { type: 'member', id: 'nobody' } });
    await ask('GET', `/v1/tickets/${id}/comments`, 503, { headers: { 'x-min-version': '999' } });
    await ask('GET', '/v1/me', 431, { headers: { 'x-large': 'x'.repeat(20_000) } });
  });

  it('holds where query-search is away', async () => {
    await stack.apps['query-search'][0]!.end();
    await ask('GET', '/v1/tickets', 503);
    await ask('GET', '/v1/stats', 503);
  });

  it('promised no good answer that was not seen', () => {
    const never = ['isLive 503', 'isReady 503'];
    expect(described.promised.filter((one) => !described.seen.has(one) && !never.includes(one))).toEqual([]);
  });
});
