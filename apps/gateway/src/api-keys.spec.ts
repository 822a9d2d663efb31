import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiKey, ApiKeys, CreatedApiKey } from '#contracts';
import { Client, expectProblem } from '../testing/client.js';
import { keyOf } from '../testing/key-store.suite.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { head, raw } from '../testing/raw.js';
import { newSecret } from './api-key-secret.js';

let gateway: TestGateway;
let ada: Client;
let grace: Client;
let stranger: Client;
beforeAll(async () => {
  gateway = await openGateway();
  ada = new Client(gateway.url, await gateway.token());
  grace = new Client(gateway.url, await gateway.token({ claims: { sub: 'grace', role: 'member' } }));
  stranger = new Client(gateway.url, await gateway.token({ claims: { org: 'globex' } }));
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.keys.stored.clear());

const path = '/v1/api-keys';
const wanted = { name: 'Billing agent', assistantId: 'billing-bot', scopes: ['tickets:read', 'tickets:write'] };
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const under = (key: string) => ({ 'idempotency-key': key });

async function made(fields: object = {}, headers: Record<string, string> = {}) {
  const answer = await ada.post(path, { ...wanted, ...fields }, headers);
  const body = (await answer.json()) as CreatedApiKey & { secret: string };
  expect([answer.status, body]).toMatchObject([201, {}]);
  return body;
}
const agentOf = ({ secret }: { secret: string }) => new Client(gateway.url, secret);
const listed = async () => ApiKeys.parse(await (await ada.call(path)).json()).items;
const deletion = (id: string, headers: Record<string, string> = {}) => ada.call(`${path}/${id}`, { method: 'DELETE', headers });

describe('making an API key', () => {
  it('shows its secret once', async () => {
    const expiresAt = inAnHour();
    const { secret, ...key } = await made({ expiresAt });
    expect(key).toEqual({ id: key.id, ...wanted, createdAt: expect.any(String), expiresAt, lastUsedAt: null });
    expect(secret).toMatch(new RegExp(`^dsk_${key.id}_[A-Za-z0-9_-]{43}$`));
    expect(await listed()).toEqual([key]);
    expect(JSON.stringify([...gateway.keys.stored.values()])).not.toContain(secret.slice(-43));
  });

  it.each<[string, object, string, string]>([
    ['an assistant that there is not', { assistantId: 'nobody-bot' }, '/assistantId', 'unknown_assistant'],
    ['no assistant', { assistantId: undefined }, '/assistantId', 'invalid_type'],
    ['an assistant of a bad name', { assistantId: { $ne: '' } }, '/assistantId', 'invalid_type'],
    ['no name', { name: ' ' }, '/name', 'too_small'],
    ['a long name', { name: 'x'.repeat(201) }, '/name', 'too_long'],
    ['no scope', { scopes: [] }, '/scopes', 'too_small'],
    ['an unknown scope', { scopes: ['tickets:delete'] }, '/scopes/0', 'invalid_value'],
    ['a scope twice', { scopes: ['tickets:read', 'tickets:read'] }, '/scopes/1', 'duplicate'],
    ['an end that is over', { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt', 'in_the_past'],
    ['an end that is none', { expiresAt: 'tomorrow' }, '/expiresAt', 'invalid_format'],
    ['an unknown field', { orgId: 'globex' }, '/orgId', 'unknown_field'],
    ['a secret of their own', { secret: 'mine' }, '/secret', 'unknown_field'],
  ])('refuses %s, and that uses up no Idempotency-Key', async (_, fields, pointer, code) => {
    const key = under(randomUUID());
    const { errors } = await expectProblem(ada.post(path, { ...wanted, ...fields }, key), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer, code }]);
    expect(gateway.keys.stored.size).toBe(0);
    await made({}, key);
  });

  it('knows the assistants of the own organisation only', async () => {
    const { errors } = await expectProblem(stranger.post(path, wanted), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer: '/assistantId', code: 'unknown_assistant' }]);
  });
});

describe('an organisation', () => {
  it('has at most 500 keys; deleted ones do not count, and repeats are answered all the same', async () => {
    const key = under(randomUUID());
    const { secret: _, ...first } = await made({}, key);
    for (let i = 1; i < 500; i++) await gateway.keys.add(keyOf());
    await gateway.keys.add(keyOf({ orgId: 'globex' }));
    const { errors } = await expectProblem(ada.post(path, wanted), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer: '', code: 'too_many' }]);
    expect(await (await ada.post(path, wanted, key)).json()).toEqual(first);
    await deletion(first.id);
    await made();
  });
});

describe('a repeat under the same Idempotency-Key', () => {
  it('gets the same answer without the secret', async () => {
    const [key, expiresAt] = [under(randomUUID()), inAnHour()];
    const { secret: _, ...first } = await made({ expiresAt }, key);
    for (const expected of [201, 201]) {
      const again = await ada.post(path, { expiresAt, ...wanted }, key);
      expect([again.status, again.headers.get('idempotency-replayed'), await again.json()]).toEqual([expected, 'true', first]);
    }
    expect(await listed()).toHaveLength(1);
  });

  it('gets it also once the key has been used and deleted', async () => {
    const key = under(randomUUID());
    const { secret: _, ...first } = await made({}, key);
    Object.assign(gateway.keys.stored.get(first.id)!, { lastUsedAt: inAnHour() });
    await deletion(first.id);
    expect(await (await ada.post(path, wanted, key)).json()).toEqual(first);
    expect(await listed()).toEqual([]);
  });

  it('with another body is refused', async () => {
    const key = under(randomUUID());
    await made({}, key);
    await expectProblem(ada.post(path, { ...wanted, name: 'Other' }, key), 422, 'idempotency-key-reused');
    await expectProblem(ada.post(path, { ...wanted, assistantId: 'nobody-bot' }, key), 422, 'idempotency-key-reused');
  });

  it('makes one key when both come at once, and one of them shows the secret', async () => {
    const key = under(randomUUID());
    const answers = await Promise.all([1, 2, 3].map(async () => (await ada.post(path, wanted, key)).json() as Promise<CreatedApiKey>));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ secret }) => secret !== undefined)).toHaveLength(1);
    expect(await listed()).toHaveLength(1);
  });

  it('is one of the same person only', async () => {
    const key = under('shared');
    const other = new Client(gateway.url, await gateway.token({ claims: { sub: 'alan' } }));
    const [one, two] = [await made({}, key), (await (await other.post(path, wanted, key)).json()) as CreatedApiKey];
    expect([one.id === two.id, two.secret]).toEqual([false, expect.any(String)]);
  });

  it('of a deletion gets the same answer, and another one finds nothing', async () => {
    const { id } = await made();
    const key = under(randomUUID());
    for (const replayed of [null, 'true']) {
      const answer = await deletion(id.toUpperCase(), key);
      expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([204, replayed]);
    }
    await expectProblem(ada.call(`${path}/${id}`, { method: 'DELETE', headers: key, body: '{}' }), 422, 'idempotency-key-reused');
    await expectProblem(deletion(id), 404, 'not-found');
    await expectProblem(deletion(id, under(randomUUID())), 404, 'not-found');
  });
});

describe('deleting an API key', () => {
  it('takes it out of the list', async () => {
    const [one, other] = [await made(), await made()];
    const answer = await deletion(one.id);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect((await listed()).map(({ id }) => id)).toEqual([other.id]);
  });

  it('of another organisation is like deleting none', async () => {
    const { id } = await made();
    const bytes = async (wantedId: string) => {
      const { instance: _i, requestId: _r, ...rest } = await expectProblem(stranger.call(`${path}/${wantedId}`, { method: 'DELETE' }), 404, 'not-found');
      return JSON.stringify(rest);
    };
    expect(await bytes(id)).toBe(await bytes(randomUUID()));
    expect(await listed()).toHaveLength(1);
    expect(await (await stranger.call(path)).json()).toEqual({ items: [] });
  });

  it.each(['x', 'dsk_', '%7B%22$ne%22:1%7D', newSecret(randomUUID())])('takes %s for a bad id', async (id) => {
    await expectProblem(deletion(id), 400, 'malformed-request');
  });
});

describe('API keys are for administrators', () => {
  it('and nobody else: no member, no agent of whatever scopes', async () => {
    const key = await made({ scopes: ['tickets:read', 'tickets:write', 'tickets:transition', 'tickets:assign', 'replies:write', 'notes:read', 'notes:write'] });
    for (const client of [grace, agentOf(key)]) {
      for (const asking of [client.call(path), client.post(path, wanted), client.call(`${path}/${key.id}`, { method: 'DELETE' })]) {
        expect(await expectProblem(asking, 403, 'forbidden')).toMatchObject({ missing: 'role admin', detail: 'This needs role admin.' });
      }
    }
    expect(await listed()).toHaveLength(1);
  });
});

describe('a request with an API key', () => {
  it('is of its assistant', async () => {
    const answer = await agentOf(await made({ scopes: ['tickets:read'] })).call('/v1/me');
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { type: 'agent', id: 'billing-bot', name: 'Billing', orgId: 'acme', assistantIds: ['billing-bot'], scopes: ['tickets:read'] },
    ]);
  });

  it('becomes a command of its assistant, through the door for agents', async () => {
    gateway.sent.length = 0;
    await agentOf(await made()).post('/v1/tickets', { title: 'a' });
    expect(gateway.sent.map(({ value: { orgId, actor, access, channel } }) => ({ orgId, actor, access, channel }))).toEqual([
      { orgId: 'acme', actor: { type: 'agent', id: 'billing-bot', name: 'Billing' }, access: { assistantIds: ['billing-bot'], scopes: wanted.scopes }, channel: 'agent' },
    ]);
  });

  it('shares Idempotency-Keys with the other keys of its assistant', async () => {
    const [one, other] = [agentOf(await made()), agentOf(await made())];
    gateway.sent.length = 0;
    for (const client of [one, other, ada]) await client.post('/v1/tickets', { title: 'a' }, under('same'));
    const [first, second, third] = gateway.sent.map(({ commandId }) => commandId);
    expect([second === first, third === first]).toEqual([true, false]);
  });

  it('reads for one principal as long as nothing changes: what is signed for it is used again', async () => {
    const client = agentOf(await made());
    gateway.asked.length = 0;
    for (let n = 0; n < 3; n += 1) await client.call('/v1/tickets');
    expect(new Set(gateway.asked.map(({ principal }) => principal)).size).toBe(1);
  });
});

describe('a bad API key', () => {
  it('is refused in the same bytes, whatever is wrong with it', async () => {
    const good = await made();
    const deleted = await made();
    await deletion(deleted.id);
    const expired = await made({ expiresAt: inAnHour() });
    Object.assign(gateway.keys.stored.get(expired.id)!, { expiresAt: '2020-01-01T00:00:00.000Z' });
    const orphan = await made();
    Object.assign(gateway.keys.stored.get(orphan.id)!, { assistantId: 'left-bot' });
    const bad = ['dsk_', 'dsk__', good.secret.slice(0, -1), `${good.secret}A`, newSecret(good.id), newSecret(randomUUID()), deleted.secret, expired.secret, orphan.secret, `dsk_${'x'.repeat(9_000)}`, 'a.b.c'];
    const answers = await Promise.all(
      bad.map(async (secret) => {
        const answer = await new Client(gateway.url, secret).call('/v1/me');
        const { requestId: _, ...rest } = (await answer.json()) as Record<string, unknown>;
        return JSON.stringify([answer.status, answer.headers.get('www-authenticate'), rest]);
      }),
    );
    expect(new Set(answers)).toEqual(new Set([answers[0]]));
    expect(answers[0]).toContain('[401,"Bearer",{"type":"/problems/unauthenticated"');
    expect((await agentOf(good).call('/v1/me')).status).toBe(200);
  });

  it('is no header that Node lets in', async () => {
    const { secret } = await made();
    for (const token of [`${secret} `, ` ${secret}`, `${secret},${secret}`, `"${secret}"`, `${secret}é`, '{"$ne":""}', "' or '1'='1"]) {
      const { status } = await raw(gateway.port, [head('GET', '/v1/me', { Authorization: `Bearer ${token}x` })]);
      expect([token, status]).toEqual([token, 401]);
    }
  });
});

it('the schemas describe the answers', async () => {
  const { secret, ...key } = await made();
  expect(CreatedApiKey.strict().parse({ ...key, secret })).toEqual({ ...key, secret });
  expect(ApiKey.strict().parse(key)).toEqual(key);
});
