import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '#persistence';
import type { AppHandle } from '../support/app-handle.js';
import { Client, clientOf, type Answer } from '../support/client.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const [org, twin] = [`keys-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
let stack: Stack;
/** Between each gateway and the store. */
let proxies: CuttingProxy[];
let gateways: AppHandle[];
let ada: Client;

beforeAll(async () => {
  stack = await startStack({ instances: { gateway: 0 }, directory: { organisations: [organisation(org), organisation(twin)] } });
  proxies = await Promise.all([CuttingProxy.toMongodb(stack.mongodbUri), CuttingProxy.toMongodb(stack.mongodbUri)]);
  gateways = await Promise.all(proxies.map(({ port }) => stack.add('gateway', { env: { MONGODB_URI: throughPort(port), LOG_LEVEL: 'trace' } })));
  ada = clientOf(stack, { org, sub: 'ada' });
});
afterAll(async () => {
  await stack?.stop();
  for (const proxy of proxies ?? []) await proxy.close();
});
beforeEach(() => {
  for (const proxy of proxies) {
    proxy.fate = () => 'pass';
    proxy.up();
  }
});

function throughPort(port: number): string {
  const uri = new URL(stack.mongodbUri);
  uri.port = String(port);
  return uri.href;
}

const wanted = { assistantId: 'billing-bot', scopes: ['tickets:read'] };
const made = (fields: Record<string, unknown> = {}): Promise<Answer['body']> => ada.apiKey({ name: randomUUID(), ...wanted, ...fields });
const agentOf = (secret: unknown) => new Client(secret as string, stack.gatewayUrls);
/** What a gateway says to who shows a key. */
const statusAt = async (secret: unknown, at: number) => (await agentOf(secret).ask('GET', '/me', undefined, {}, at)).status;
/** The same, from a gateway that can tell: on a slow machine it says now and then that it cannot. */
const verdictAt = (secret: unknown, at: number) =>
  eventually(async () => {
    const status = await statusAt(secret, at);
    return status !== 503 && status;
  });
const named = async (name: string, by = ada) => ((await by.get('/api-keys')).body['items'] as Answer['body'][]).filter((key) => key['name'] === name);

/** What is answered from now on, until five questions in a row that were asked after 5 s or later: to those asked before, and to those asked then. */
async function answersTo(secret: unknown, at: number): Promise<{ before: Set<number>; after: Set<number> }> {
  const startedAt = performance.now();
  const [before, after] = [new Set<number>(), new Set<number>()];
  let late = 0;
  await eventually(async () => {
    const isLate = performance.now() - startedAt >= 5_000;
    (isLate ? after : before).add(await statusAt(secret, at));
    return isLate && (late += 1) === 5;
  });
  return { before, after };
}

describe('an API key that is deleted', () => {
  it('lets nobody in any more after 5 s, at any gateway', async () => {
    const { id, secret } = await made();
    expect([await verdictAt(secret, 0), await verdictAt(secret, 1)]).toEqual([200, 200]);
    expect((await ada.send('DELETE', `/api-keys/${id}`, undefined, {}, 0)).status).toBe(204);
    const seen = await Promise.all([answersTo(secret, 0), answersTo(secret, 1)]);
    // Where it has not heard for so long whether the key is good, on a slow machine, it says so.
    for (const { before, after } of seen) expect([[...before].filter((status) => ![200, 401, 503].includes(status)), [...after].filter((status) => ![401, 503].includes(status))]).toEqual([[], []]);
    for (const at of [0, 1]) await eventually(async () => (await statusAt(secret, at)) === 401);
  });

  it.each<[string, (proxy: CuttingProxy) => void, (proxy: CuttingProxy) => void]>([
    ['says nothing', (proxy) => (proxy.fate = () => 9_000), (proxy) => (proxy.fate = () => 'pass')],
    ['cannot be reached', (proxy) => proxy.down(), (proxy) => proxy.up()],
  ])('lets nobody in after 5 s at a gateway whose store %s; there nobody can tell, until it is back', async (_, spoil, mend) => {
    const [{ id, secret }, kept] = [await made(), await made()];
    const [first, second] = proxies as [CuttingProxy, CuttingProxy];
    expect([await verdictAt(secret, 1), await verdictAt(kept['secret'], 1)]).toEqual([200, 200]);
    spoil(second);
    expect((await ada.send('DELETE', `/api-keys/${id}`, undefined, {}, 0)).status).toBe(204);
    const { before, after } = await answersTo(secret, 1);
    expect([[...before].filter((status) => status !== 200 && status !== 503), [...after]]).toEqual([[], [503]]);
    expect(await verdictAt(kept['secret'], 0)).toBe(200);
    expect(await statusAt(`dsk_${randomUUID()}_${'A'.repeat(43)}`, 1)).toBe(503);
    mend(second);
    await eventually(async () => (await statusAt(kept['secret'], 1)) === 200);
    expect(await verdictAt(secret, 1)).toBe(401);
    expect(first.spoilt.size).toBe(0);
  });
});

describe('an API key that expires', () => {
  it('is good until then and not longer, at every gateway', async () => {
    const { secret, expiresAt } = await eventually(async () => {
      const at = Date.now() + 5_000; // over before it is asked for on a very slow machine: then it is refused, and another one is made
      return { secret: (await made({ expiresAt: new Date(at).toISOString() }))['secret'] as string, expiresAt: at };
    });
    for (const at of [0, 1]) {
      const status = await verdictAt(secret, at);
      if (Date.now() < expiresAt) expect(status).toBe(200);
    }
    await eventually(() => Date.now() > expiresAt);
    expect([await verdictAt(secret, 0), await verdictAt(secret, 1)]).toEqual([401, 401]);
  });
});

describe('an API key that is made', () => {
  it('is made once by two requests at once under one Idempotency-Key, at two gateways', async () => {
    for (let n = 0; n < 5; n += 1) {
      const { name, answers } = await eventually(async () => {
        const [name, key] = [randomUUID(), { 'idempotency-key': randomUUID() }];
        const answers = await Promise.all([0, 1, 0, 1].map((at) => ada.ask('POST', '/api-keys', { ...wanted, name }, key, at)));
        return answers.every(({ status }) => status !== 503) && { name, answers }; // else a slow machine has kept an answer, maybe the first
      });
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
      expect(answers.filter(({ body }) => body['secret'] !== undefined)).toHaveLength(1);
      expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(3);
      expect(await named(name)).toHaveLength(1);
    }
  });

  it('is made once when its gateway is killed between storing and answering; the repeat names it without its secret, to be deleted', async () => {
    const [name, key] = [randomUUID(), { 'idempotency-key': randomUUID() }];
    proxies[0]!.fate = (request) => (request === 'insert' ? 3_000 : 'pass');
    const lost = ada.ask('POST', '/api-keys', { ...wanted, name }, key, 0).then(({ status }) => status, () => 'lost');
    const other = new Client(stack.token({ org, sub: 'ada' }), [stack.gatewayUrls[1]!]);
    await eventually(async () => (await named(name, other)).length === 1);
    await gateways[0]!.kill();
    expect(['lost', 503]).toContain(await lost); // on a slow machine it has said by then that it does not know
    const again = await other.post('/api-keys', { ...wanted, name }, key);
    const [stored] = await named(name, other);
    expect([again.status, again.headers.get('idempotency-replayed'), again.body]).toEqual([201, 'true', stored]);
    expect((await other.delete(`/api-keys/${stored!['id']}`)).status).toBe(204);
    expect((await other.apiKey({ ...wanted, name }))['secret']).toMatch(/^dsk_/);
    expect(await named(name, other)).toHaveLength(1);
    proxies[0]!.fate = () => 'pass';
    await gateways[0]!.restart();
  });

  it('is told to be unknown when the store did not say in time, and made once by the repeat', async () => {
    const [name, key] = [randomUUID(), { 'idempotency-key': randomUUID() }];
    proxies[0]!.fate = (request) => (request === 'insert' ? 4_000 : 'pass');
    expect(await ada.ask('POST', '/api-keys', { ...wanted, name }, key, 0)).toMatchObject({ status: 503, body: { type: '/problems/dependency-unavailable' } });
    proxies[0]!.fate = () => 'pass';
    expect((await ada.send('POST', '/api-keys', { ...wanted, name }, key, 1)).status).toBe(201);
    expect(await named(name)).toHaveLength(1);
  });

  it('tells when it was used last, soon and to the minute', async () => {
    const name = randomUUID();
    const { secret } = await made({ name });
    expect(await named(name)).toMatchObject([{ lastUsedAt: null }]);
    const before = new Date().toISOString();
    expect(await verdictAt(secret, 0)).toBe(200);
    const lastUsedAt = await eventually(async () => ((await named(name))[0]!['lastUsedAt'] as string | null) ?? false);
    expect([before <= lastUsedAt, lastUsedAt <= new Date().toISOString()]).toEqual([true, true]);
  });

  it('belongs to its organisation', async () => {
    const name = randomUUID();
    const { id } = await made({ name });
    const stranger = clientOf(stack, { org: twin, sub: 'ada' });
    const withoutNames = ({ status, body }: Answer) => ({ status, body: { ...body, requestId: '', instance: '' } });
    expect(withoutNames(await stranger.delete(`/api-keys/${id}`))).toEqual(withoutNames(await stranger.delete(`/api-keys/${randomUUID()}`)));
    expect(await named(name, stranger)).toEqual([]);
    expect(await named(name)).toHaveLength(1);
  });
});

describe('the secret of an API key', () => {
  it('is in no answer but the first, in no log and in no database', async () => {
    const body = { ...wanted, name: randomUUID(), scopes: ['tickets:read', 'tickets:write'] };
    const { key, secret } = await eventually(async () => {
      const key = { 'idempotency-key': randomUUID() };
      const { secret } = (await ada.post('/api-keys', body, key)).body as { secret?: string };
      return secret !== undefined && { key, secret }; // else a slow machine has kept the first answer
    });
    const own = secret.split('_').slice(2).join('_');
    const agent = agentOf(secret);
    const answers = [await ada.get('/api-keys'), await ada.post('/api-keys', body, key), await agent.get('/me'), await agent.post('/tickets', { title: 'a ticket' })];
    // Pasted where it does not belong, cut short, and refused.
    const mistakes = [await ada.delete(`/api-keys/${secret}`), await ada.get(`/tickets?nope=${secret}`), await agentOf(`${secret}x`).get('/me'), await agent.delete(`/tickets/${randomUUID()}`)];
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 200, 201]);
    expect(mistakes.map(({ status }) => status)).toEqual([400, 422, 401, 404]);
    for (const { text } of answers) expect(text).not.toContain(own);
    await eventually(() => gateways[0]!.logs().includes(`/v1/api-keys/dsk_…`));
    for (const app of Object.values(stack.apps).flat()) expect([app.name, app.logs().includes(own)]).toEqual([app.name, false]);
    const stored = await everythingStored();
    expect([stored.includes(secret.split('_')[1]!), stored.includes(own)]).toEqual([true, false]);
  });
});

/** All documents of all our databases as one text. */
async function everythingStored(): Promise<string> {
  const texts: string[] = [];
  for (const name of ['deskstream_gateway', 'deskstream_command', 'deskstream_query']) {
    const { db, close } = openDatabase({ uri: stack.mongodbUri, database: name });
    for (const { name: collection } of await db.listCollections().toArray()) texts.push(JSON.stringify(await db.collection(collection).find().toArray()));
    await close();
  }
  return texts.join('\n');
}
