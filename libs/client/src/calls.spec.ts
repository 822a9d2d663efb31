import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { broken, json, problem, ScriptedServer, silent } from '../testing/scripted-server.js';
import { Deskstream, DeskstreamNoAnswer, DeskstreamProblem } from './index.js';

const server = new ScriptedServer();
let desk: Deskstream;
beforeAll(async () => {
  await server.listen();
  desk = new Deskstream({ baseUrl: `${server.url}/`, token: 'secret' });
});
afterAll(() => server.close());

const ticket = { id: '0196f0a0-0000-7000-8000-000000000001', version: 7 };
const keys = () => server.seen.map(({ headers }) => headers['idempotency-key']);
const lines = () => server.seen.map(({ method, path }) => `${method} ${path}`);
const failure = (work: Promise<unknown>) => work.then((answer) => ({ answered: answer }), (error: unknown) => error);
const create = (options?: Parameters<Deskstream['tickets']['create']>[1]) => desk.tickets.create({ title: 'x' }, options);

describe('a write', () => {
  it('goes out as JSON, with the token and a key of its own', async () => {
    server.script(json(201, ticket));
    expect(await create()).toEqual(ticket);
    await create();
    expect(server.seen[0]).toMatchObject({ method: 'POST', path: '/v1/tickets', body: { title: 'x' }, headers: { authorization: 'Bearer secret', 'content-type': 'application/json' } });
    expect(keys()[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys()).size).toBe(2);
  });

  it.each([
    ['a 503', problem(503, 'overloaded')],
    ['a 429', problem(429, 'rate-limited')],
    ['a broken connection', broken],
    ['silence', silent],
  ])('is tried again after %s, under the same key', async (_, trouble) => {
    server.script(trouble, trouble, json(201, ticket));
    expect(await create({ timeoutMs: 3_000 })).toEqual(ticket);
    expect(keys()).toHaveLength(3);
    expect(new Set(keys()).size).toBe(1);
  });

  it('goes by the key that the caller names, and by the version it was decided on', async () => {
    server.script(json(200, ticket));
    await desk.tickets.move(ticket.id, { to: 'pending' }, { idempotencyKey: 'mine', ifVersion: 6 });
    expect(server.seen[0]).toMatchObject({ path: `/v1/tickets/${ticket.id}/transitions`, headers: { 'idempotency-key': 'mine', 'if-match': '"6"' }, body: { to: 'pending' } });
  });

  it('waits as long as it is asked to', async () => {
    server.script(problem(503, 'overloaded', { 'retry-after': '1' }), json(201, ticket));
    const began = performance.now();
    await create();
    expect(performance.now() - began).toBeGreaterThan(1_000);
  });

  it.each([[409, 'invalid-transition'], [422, 'validation-failed'], [500, 'internal-error'], [401, 'unauthenticated']])('is not tried again after %i', async (status, name) => {
    server.script(problem(status, name));
    expect(await failure(create())).toMatchObject({ type: name, status });
    expect(server.seen).toHaveLength(1);
  });

  it('is given up when its time is over: the last problem is told', async () => {
    server.script(problem(503, 'overloaded'));
    const began = performance.now();
    expect(await failure(create({ retryForMs: 700 }))).toMatchObject({ type: 'overloaded' });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(server.seen.length).toBeGreaterThan(1);
  });

  it.each([
    ['2', 2_000, 2_000],
    [new Date(Date.now() + 60_000).toUTCString(), 30_000, 60_000],
    [new Date(0).toUTCString(), 0, 0],
  ])('reads when it may be tried again: %s', async (after, least, most) => {
    server.script(problem(503, 'overloaded', { 'retry-after': after }));
    const { retryAfterMs } = (await failure(create({ retryForMs: 0 }))) as DeskstreamProblem;
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(retryAfterMs).toBeLessThanOrEqual(most);
  });

  it('does not wait for what would come after its time', async () => {
    server.script(problem(503, 'overloaded', { 'retry-after': '30' }));
    expect(await failure(create({ retryForMs: 5_000 }))).toMatchObject({ retryAfterMs: 30_000 });
    expect(server.seen).toHaveLength(1);
  });

  it('that nobody answered tells the key that repeats it', async () => {
    server.script(broken);
    const error = await failure(create({ retryForMs: 0, idempotencyKey: 'mine' }));
    expect(error).toBeInstanceOf(DeskstreamNoAnswer);
    expect(error).toMatchObject({ idempotencyKey: 'mine', commandId: undefined, cause: expect.anything() });
  });

  it('ends at the wish of the caller, in a request and between two', async () => {
    for (const [trouble, retryForMs] of [[silent, 0], [problem(503, 'overloaded', { 'retry-after': '9' }), 60_000]] as const) {
      server.script(trouble);
      const [began, reason] = [performance.now(), new Error('enough')];
      const end = new AbortController();
      setTimeout(() => end.abort(reason), 200);
      expect(await failure(create({ signal: end.signal, retryForMs }))).toBe(reason);
      expect(performance.now() - began).toBeLessThan(5_000);
      expect(server.seen).toHaveLength(1);
    }
  });

  it('that cannot be sent is told at once', async () => {
    server.script(json(201, ticket));
    expect(await failure(create({ idempotencyKey: 'two\nlines' }))).toMatchObject({ name: 'TypeError' });
    expect(server.seen).toHaveLength(0);
  });
});

describe('a write that is answered with 202', () => {
  const id = '0196f0a0-0000-7000-8000-000000000002';
  const pending = json(202, { id, state: 'pending', ticketId: ticket.id }, { location: `/v1/commands/${id}` });
  const state = (name: string, rest: object = {}) => json(200, { id, state: name, ticketId: ticket.id, ...rest }, { 'x-request-id': 'r-9' });

  it.each(['applied', 'unchanged'])('is followed until it is %s, and then answers as it would have', async (outcome) => {
    server.script(pending, state('pending'), problem(503, 'dependency-unavailable'), state(outcome, { version: 7 }), json(200, ticket));
    expect(await desk.tickets.update(ticket.id, { title: 'y' })).toEqual(ticket);
    const [write, look] = [`PATCH /v1/tickets/${ticket.id}`, `GET /v1/commands/${id}`];
    expect(lines()).toEqual([write, look, look, look, write]);
    expect(keys()[4]).toBe(keys()[0]);
    expect(keys()[1]).toBeUndefined();
  });

  it('is refused as it was decided', async () => {
    const refusal = { type: '/problems/invalid-transition', title: 'No', status: 409, detail: 'Not there.', from: 'open', to: 'closed', allowed: ['pending'] };
    server.script(pending, state('rejected', { problem: refusal }));
    const error = await failure(desk.tickets.move(ticket.id, { to: 'closed' }));
    expect(error).toBeInstanceOf(DeskstreamProblem);
    expect(error).toMatchObject({ type: 'invalid-transition', status: 409, detail: 'Not there.', body: { allowed: ['pending'] }, requestId: 'r-9' });
  });

  it('is a fault when it was set aside', async () => {
    server.script(pending, state('failed'));
    expect(await failure(create())).toMatchObject({ type: 'handler-failed', status: 500 });
  });

  it('that is not decided in time tells the command to ask for', async () => {
    server.script(pending, state('pending'));
    const error = await failure(create({ retryForMs: 800, idempotencyKey: 'mine' }));
    expect(error).toBeInstanceOf(DeskstreamNoAnswer);
    expect(error).toMatchObject({ commandId: id, idempotencyKey: 'mine' });
  });

  it('shows its token at the address it was given only', async () => {
    server.script(json(202, { id, state: 'pending', ticketId: ticket.id }, { location: `http://elsewhere.example/v1/commands/${id}` }), state('applied'), json(201, ticket));
    await create();
    expect(lines()[1]).toBe(`GET /v1/commands/${id}`);
  });
});

describe('a read', () => {
  it('writes its query as the contract has it, and nothing that was not given', async () => {
    server.script(json(200, { items: [] }));
    await desk.tickets.list({ status: ['open', 'pending'], q: 'a&b', tag: undefined, page: 2 });
    await desk.tickets.list();
    expect(lines()).toEqual(['GET /v1/tickets?status=open&status=pending&q=a%26b&page=2', 'GET /v1/tickets']);
    expect(server.seen[0]!.headers['idempotency-key']).toBeUndefined();
  });

  it('stays below the address that it was given, whatever the caller asks for', async () => {
    server.script(json(200, ticket));
    await new Deskstream({ baseUrl: `${server.url}/desk/`, token: 'secret' }).tickets.get('../me?a=b');
    expect(lines()).toEqual(['GET /desk/v1/tickets/..%2Fme%3Fa%3Db']);
  });

  it('waits for a version that is not yet there', async () => {
    server.script(problem(503, 'not-yet'), json(200, ticket));
    expect(await desk.tickets.get(1042, {}, { minVersion: 7 })).toEqual(ticket);
    expect(server.seen[1]).toMatchObject({ path: '/v1/tickets/1042', headers: { 'x-min-version': '7' } });
  });

  it('asks for a token every time', async () => {
    server.script(problem(503, 'overloaded'), json(200, {}));
    let count = 0;
    await new Deskstream({ baseUrl: server.url, token: async () => `t${++count}` }).me();
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('fails when there is no token, without trying on', async () => {
    server.script(json(200, {}));
    const reason = new Error('signed out');
    expect(await failure(new Deskstream({ baseUrl: server.url, token: () => Promise.reject(reason) }).me())).toBe(reason);
  });
});

describe('a problem', () => {
  it('tells what was wrong', async () => {
    const errors = [{ pointer: '/title', code: 'too_long', message: 'must have at most 200 characters' }];
    server.script(json(422, { type: '/problems/validation-failed', title: 'Not valid', status: 422, detail: 'See errors.', errors, requestId: 'r-2' }));
    expect(await failure(create())).toMatchObject({ name: 'DeskstreamProblem', type: 'validation-failed', status: 422, detail: 'See errors.', errors, requestId: 'r-2' });
  });

  it.each([[502, '<html>Bad gateway</html>'], [200, '<html>Welcome</html>']])('stands for an answer of somebody else (%i)', async (status, page) => {
    server.script((response) => void response.writeHead(status, { 'x-request-id': 'r-3' }).end(page));
    expect(await failure(create())).toMatchObject({ type: 'about:blank', status, detail: expect.stringContaining(page), requestId: 'r-3', errors: [] });
  });
});
