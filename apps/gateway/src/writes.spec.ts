import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { problem } from '#contracts';
import { aTicket, applied, openGateway, type TestGateway } from '../testing/gateway.js';

let gateway: TestGateway;
let bearer: string;
beforeAll(async () => {
  gateway = await openGateway();
  bearer = await gateway.token();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.sent.length = 0;
  gateway.answers.bus = (command) => applied(command);
  gateway.answers.pending = () => null;
});

const id = randomUUID();
const call = (...[method, path, body, headers = {}]: [method: string, path: string, body?: unknown, headers?: Record<string, string>]) =>
  fetch(gateway.url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: { authorization: `Bearer ${bearer}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  });

describe('answers of writes', () => {
  it('a new ticket, where it is, its version and the moves of this caller', async () => {
    const answer = await call('POST', '/v1/tickets', { title: ' A title ' });
    const [command] = gateway.sent;
    expect([answer.status, answer.headers.get('etag'), answer.headers.get('location')]).toEqual([201, '"2"', `/v1/tickets/${command!.value.ticketId}`]);
    expect(await answer.json()).toEqual({ ...aTicket({ id: command!.value.ticketId }), allowedTransitions: ['pending'] });
    expect(command).toMatchObject({ type: 'ticket.create.v1', value: { orgId: 'acme', actor: { type: 'member', id: 'ada', name: 'Ada' }, channel: 'api', data: { title: 'A title' } } });
  });

  it.each(['comments', 'notes', 'replies'] as const)('%s: the comment as it was decided', async (route) => {
    const answer = await call('POST', `/v1/tickets/${id}/${route}`, { body: ' hello ' });
    const [command] = gateway.sent;
    const kind = { comments: 'comment', notes: 'note', replies: 'reply' }[route];
    expect([answer.status, answer.headers.get('etag')]).toEqual([201, '"2"']);
    expect(await answer.json()).toEqual({
      comment: {
        id: command!.commandId,
        kind,
        body: ' hello ',
        author: { type: 'member', id: 'ada', name: 'Ada' },
        at: '2026-01-02T00:00:00.000Z',
        version: 2,
        ...(kind === 'reply' && { delivery: { state: 'pending' } }),
      },
      ticket: { ...aTicket({ id }), allowedTransitions: ['pending'] },
    });
  });

  it('messages with ids and times', async () => {
    const messages = [{ role: 'user', content: 'a' }, { id: 'm', role: 'tool', name: 't', content: 'b', at: '2026-01-01T01:00:00+01:00' }];
    const answer = await call('POST', `/v1/tickets/${id}/conversation`, { messages });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({
      messages: [
        { id: `${gateway.sent[0]!.commandId}:0`, role: 'user', content: 'a', at: '2026-01-02T00:00:00.000Z' },
        { id: 'm', role: 'tool', name: 't', content: 'b', at: '2026-01-01T00:00:00.000Z' },
      ],
      ticket: { id },
    });
  });

  it('a tool call', async () => {
    const answer = await call('POST', `/v1/tickets/${id}/tool-calls`, { tool: 't', arguments: { a: [1] }, status: 'ok' });
    expect([answer.status, await answer.json()]).toEqual([201, { version: 2, ticket: { ...aTicket({ id }), allowedTransitions: ['pending'] } }]);
  });

  it.each([
    ['POST', 'transitions', { to: 'in_progress' }, 'ticket.change-status.v1', { to: 'pending' }],
    ['POST', 'take', undefined, 'ticket.assign.v1', { to: { type: 'member', id: 'ada', name: 'Ada' } }],
    ['PUT', 'assignee', { type: 'member', id: 'grace' }, 'ticket.assign.v1', { to: { type: 'member', id: 'grace', name: 'Grace' } }],
    ['PUT', 'assignee', { type: 'agent', id: 'billing-bot' }, 'ticket.assign.v1', { to: { type: 'agent', id: 'billing-bot', name: 'Billing' } }],
    ['DELETE', 'assignee', undefined, 'ticket.assign.v1', { to: null }],
    ['POST', 'restore', undefined, 'ticket.restore.v1', {}],
    ['PATCH', '', { customFields: { a: null } }, 'ticket.update-details.v1', { customFields: { a: null } }],
  ])('%s %s: the ticket after it', async (...[method, path, body, type, data]) => {
    const answer = await call(method, `/v1/tickets/${id}${path && `/${path}`}`, body);
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"2"']);
    expect(await answer.json()).toMatchObject({ id, allowedTransitions: ['pending'] });
    expect(gateway.sent).toMatchObject([{ type, value: { ticketId: id, data } }]);
  });

  it('nothing for a ticket that is gone but its version', async () => {
    const answer = await call('DELETE', `/v1/tickets/${id}`);
    expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([204, '', '"2"']);
  });

  it('say when they are a replay, refusals too', async () => {
    gateway.answers.bus = (command) => applied(command, { duplicate: true });
    expect((await call('POST', `/v1/tickets/${id}/take`)).headers.get('idempotency-replayed')).toBe('true');
    gateway.answers.bus = (command) => applied(command, { duplicate: true, outcome: 'rejected', problem: problem('not-found', 'No.') });
    expect((await call('POST', `/v1/tickets/${id}/take`)).headers.get('idempotency-replayed')).toBe('true');
    gateway.answers.bus = (command) => applied(command);
    expect((await call('POST', `/v1/tickets/${id}/take`)).headers.get('idempotency-replayed')).toBeNull();
  });

  it('tell a refusal with its own members', async () => {
    const refusal = problem('invalid-transition', 'No.', { from: 'open', to: 'closed', allowed: ['pending'] });
    gateway.answers.bus = (command) => applied(command, { outcome: 'rejected', ticket: undefined, problem: refusal });
    const answer = await call('POST', `/v1/tickets/${id}/transitions`, { to: 'closed' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([409, expect.stringMatching(/^application\/problem\+json/)]);
    expect(await answer.json()).toEqual({ ...refusal, instance: `/v1/tickets/${id}/transitions`, requestId: answer.headers.get('x-request-id') });
  });

  it('do not blame the caller for a command that was set aside', async () => {
    const dead = { type: '/problems/handler-failed', title: 'x', status: 500, detail: 'secret' };
    gateway.answers.bus = (command) => applied(command, { outcome: 'rejected', problem: dead });
    const answer = await call('POST', `/v1/tickets/${id}/take`);
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('secret')]);
  });

  it('name the place to ask later', async () => {
    gateway.answers.bus = () => 'pending';
    const answer = await call('POST', '/v1/tickets', { title: 'a' }, { prefer: 'respond-async' });
    const { commandId, value } = gateway.sent[0]!;
    expect([answer.status, answer.headers.get('location'), answer.headers.get('preference-applied')]).toEqual([202, `/v1/commands/${commandId}`, 'respond-async']);
    expect(await answer.json()).toEqual({ id: commandId, state: 'pending', ticketId: value.ticketId });
  });

  it('leave an assignee that nobody knows to who decides, so that the refusal is kept', async () => {
    for (const [method, path, body] of [
      ['PUT', `/v1/tickets/${id}/assignee`, { type: 'member', id: 'nobody' }],
      ['PUT', `/v1/tickets/${id}/assignee`, { type: 'agent', id: 'grace' }],
      ['POST', '/v1/tickets', { title: 'a', assignee: { type: 'member', id: 'nobody' } }],
    ] as const) {
      gateway.answers.bus = (command) => applied(command, { outcome: 'rejected', problem: problem('invalid-assignee', 'Nobody.') });
      const answer = await call(method, path, body);
      expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([422, '/problems/invalid-assignee']);
      expect(gateway.sent.at(-1)!.value.data).toMatchObject({ unknownAssignee: true });
    }
  });
});

describe('the assistant of a ticket', () => {
  it.each([
    ['POST', '/v1/tickets', { title: 'a', assistantId: 'nobody-bot' }, true],
    ['PATCH', `/v1/tickets/${id}`, { assistantId: 'nobody-bot' }, true],
    ['POST', '/v1/tickets', { title: 'a', assistantId: 'billing-bot' }, undefined],
    ['PATCH', `/v1/tickets/${id}`, { assistantId: 'billing-bot' }, undefined],
    ['PATCH', `/v1/tickets/${id}`, { assistantId: null }, undefined],
  ] as const)('%s %s %j', async (...[method, path, body, unknownAssistant]) => {
    await call(method, path, body);
    expect(gateway.sent.map(({ value }) => (value.data as { unknownAssistant?: true }).unknownAssistant)).toEqual([unknownAssistant]);
  });
});

describe('the state of a command', () => {
  const commandId = randomUUID();
  const notFound = { status: 404, headers: { 'content-type': 'application/problem+json' }, body: Buffer.from('{"type":"/problems/not-found"}') };

  it('is what query-search knows, byte for byte', async () => {
    gateway.answers.query = () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from('{ "state":"applied" }') });
    expect(await (await call('GET', `/v1/commands/${commandId}`)).text()).toBe('{ "state":"applied" }');
  });

  it('is pending for who sent it until then', async () => {
    gateway.answers.query = () => notFound;
    gateway.answers.pending = ({ orgId, actor }, asked) => (orgId === 'acme' && actor.id === 'ada' && asked === commandId ? id : null);
    const answer = await call('GET', `/v1/commands/${commandId}`);
    expect([answer.status, await answer.json()]).toEqual([200, { id: commandId, state: 'pending', ticketId: id }]);
    expect((await call('GET', `/v1/commands/${randomUUID()}`)).status).toBe(404);
  });
});
