import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '#servers';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { head, raw } from '../testing/raw.js';
import { signingKey, startIssuer, token, type FakeIssuer, type SigningKey } from '../testing/tokens.js';

const entry = join(process.cwd(), 'dist/apps/gateway/main.js');
const orgId = `org-${randomUUID().slice(0, 8)}`;

interface Running {
  process: ChildProcess;
  port: number;
  management: string;
  output: () => string;
}

let issuer: FakeIssuer;
let key: SigningKey;
let querySearch: Server;
let bearer: string;
let gateways: Running[];
/** Held until it is told to go on. */
let release: () => void = () => undefined;

function start(env: NodeJS.ProcessEnv): ChildProcess & { text: string } {
  const child = spawn(process.execPath, [entry], { env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...env } });
  const told = Object.assign(child, { text: '' });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (told.text += chunk.toString()));
  return told;
}

async function gateway(): Promise<Running> {
  const [port, management] = [await freePort(), await freePort()];
  const directory = join(tmpdir(), `directory-${randomUUID()}.json`);
  const member = { id: 'grace', name: 'Grace', email: 'grace@example.org', role: 'member' };
  writeFileSync(directory, JSON.stringify({ organisations: [{ id: orgId, members: [member], assistants: [{ id: 'bot', name: 'Bot', memberIds: ['grace'] }] }] }));
  const child = start({
    KAFKA_BROKERS: process.env['KAFKA_BROKERS'],
    MONGODB_URI: process.env['MONGODB_URI'],
    PORT: String(port),
    MANAGEMENT_PORT: String(management),
    OIDC_ISSUER: issuer.url,
    OIDC_AUDIENCE: 'deskstream',
    QUERY_URL: `http://127.0.0.1:${(querySearch.address() as AddressInfo).port}`,
    ASSIGNMENT_URL: 'http://127.0.0.1:1',
    INTERNAL_KEY: 'x'.repeat(32),
    DIRECTORY_FILE: directory,
  });
  const running = { process: child, port, management: `http://127.0.0.1:${management}`, output: () => child.text };
  await until(() => fetch(`${running.management}/health/ready`).then(({ status }) => status === 200, () => false));
  return running;
}

const until = (isTrue: () => boolean | Promise<boolean>) => eventually(isTrue, String(isTrue));

beforeAll(async () => {
  if (!existsSync(entry)) throw new Error('run `npm run build` first');
  key = await signingKey('key-1');
  issuer = await startIssuer([key]);
  bearer = await token({ issuer: issuer.url, key, claims: { org: orgId } });
  querySearch = createServer((request, response) => {
    const isCommand = request.url!.startsWith('/v1/commands/');
    const answer = () => response.writeHead(isCommand ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ asked: request.url, requestId: request.headers['x-request-id'] }));
    if (request.url!.includes('slow')) release = answer;
    else answer();
  }).listen(0, '127.0.0.1');
  await once(querySearch, 'listening');
  gateways = await Promise.all([gateway(), gateway()]);
});

afterAll(async () => {
  for (const { process: child } of gateways) child.kill('SIGKILL');
  await issuer.stop();
  querySearch.close();
  querySearch.closeAllConnections();
});

const askOnce = (path: string, headers: Record<string, string> = {}, { port } = gateways[0]!) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${bearer}`, ...headers } });
/** Asked again where nothing is known in time, as on a slow machine. */
const call = (...asked: Parameters<typeof askOnce>) =>
  eventually(async () => {
    const answer = await askOnce(...asked);
    return answer.status !== 503 && answer;
  }, `${asked[0]} is answered in time`);

describe('the gateway as a process', () => {
  it('names every missing or wrong setting and ends with 1', async () => {
    const child = start({ MONGODB_URI: 'mongodb://127.0.0.1', KAFKA_BROKERS: 'x', INTERNAL_KEY: 'short', OIDC_AUDIENCE: 'a', QUERY_URL: 'http://127.0.0.1:1' });
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    for (const name of ['KAFKA_BROKERS', 'INTERNAL_KEY', 'OIDC_ISSUER', 'MANAGEMENT_PORT']) expect(child.text).toContain(name);
    expect(child.text).not.toContain('OIDC_AUDIENCE');
  });

  it('keeps a well-formed request id, makes one otherwise, and tells it to query-search', async () => {
    const kept = 'A-b.c_'.padEnd(128, 'x');
    for (const [given, isKept] of [[kept, true], [`${kept}x`, false], ['a b', false], ['a/b', false]] as const) {
      const answer = await call('/v1/tickets', { 'x-request-id': given });
      const id = answer.headers.get('x-request-id');
      expect(id === given).toBe(isKept);
      expect(await answer.json()).toMatchObject({ requestId: id });
    }
    const twice = await raw(gateways[0]!.port, [head('GET', '/nope', { 'X-Request-Id': 'a', 'x-request-id': 'b' })]);
    expect(twice.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('knows the people and assistants of its directory file, and who signed in', async () => {
    const members = [{ id: 'ada', name: 'Ada', email: 'ada@acme.example', role: 'admin' }, { id: 'grace', name: 'Grace', email: 'grace@example.org', role: 'member' }];
    await eventually(async () => expect(await (await call('/v1/members')).json()).toEqual({ items: members }), 'who signed in is put down');
    expect(await (await call('/v1/assistants', {}, gateways[1])).json()).toEqual({ items: [{ id: 'bot', name: 'Bot', memberIds: ['grace'] }] });
  });

  it('tells at every instance that a command is under way, to nobody but its sender', async () => {
    const accepted = await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${gateways[0]!.port}/v1/tickets`, {
        method: 'POST',
        body: '{"title":"a"}',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', prefer: 'respond-async' },
      });
      return answer.status !== 503 && answer;
    }, 'the broker acknowledges it in time');
    expect(accepted.status).toBe(202);
    const { id, ticketId } = (await accepted.json()) as { id: string; ticketId: string };
    for (const instance of gateways) expect(await (await call(`/v1/commands/${id}`, {}, instance)).json()).toEqual({ id, state: 'pending', ticketId });
    const stranger = await token({ issuer: issuer.url, key, claims: { org: orgId, sub: 'grace' } });
    expect((await call(`/v1/commands/${id}`, { authorization: `Bearer ${stranger}` })).status).toBe(404);
  });

  it('measures requests by route, method and status', async () => {
    await call(`/v1/tickets/${randomUUID()}`);
    const metrics = await (await fetch(`${gateways[0]!.management}/metrics`)).text();
    expect(metrics).toMatch(/deskstream_http_request_duration_seconds_count\{route="\/v1\/tickets\/:idOrNumber",method="GET",status="200"\} [1-9]/);
    expect(metrics).toContain('deskstream_result_waiters 0');
    expect(metrics).toContain('deskstream_commands_accepted_total{why="asked"} 1');
  });

  it('ends what is under way before it stops, and takes nothing new', async () => {
    // No gateway waits for query-search for longer than 3 s: where a slow machine takes longer from the one to the other, the next one is stopped.
    let stopping = gateways[1]!;
    const ended = await eventually(async () => {
      if (stopping.process.killed) gateways.push((stopping = await gateway()));
      const { process: child, port } = stopping;
      const slow = askOnce('/v1/tickets?q=slow', {}, stopping).then(({ status }) => status, () => 'cut off');
      const answered = release;
      await until(() => release !== answered);
      child.kill('SIGTERM');
      await until(() => fetch(`http://127.0.0.1:${port}/v1/me`).then(() => false, () => true));
      release();
      const answer = await slow;
      if (child.exitCode === null) await once(child, 'exit');
      return answer !== 503 && [answer, child.exitCode];
    }, 'query-search answers in time');
    expect(ended).toEqual([200, 0]);
  });

  it('stays ready while query-search is away', async () => {
    querySearch.close();
    querySearch.closeAllConnections();
    const answer = await askOnce('/v1/tickets');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    await until(() => fetch(`${gateways[0]!.management}/health/ready`).then(({ status }) => status === 200)); // what it asks of its store and broker has 2 s
  });
});
