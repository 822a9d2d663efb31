import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import type { ApiKeyStore, Revocation, StoredKey } from '../src/api-keys.store.js';
import { digestOf, newSecret } from '../src/api-key-secret.js';

export type KeyStore = Pick<ApiKeyStore, 'add' | 'find' | 'list' | 'count' | 'live' | 'revoke' | 'noteUses'>;

const orgId = 'acme';

export function keyOf(changes: Partial<StoredKey> = {}): StoredKey {
  const _id = randomUUID();
  const createdBy = { type: 'member' as const, id: 'ada' };
  const rest = { orgId, name: 'a key', assistantId: 'billing-bot', scopes: ['tickets:read' as const], createdAt: '2026-01-01T00:00:00.000Z', createdBy, expiresAt: null };
  return { _id, digest: digestOf(newSecret(_id)), request: 'hash', ...rest, ...changes };
}

const by = (commandId: string): Revocation => ({ at: new Date(), by: { type: 'member', id: 'ada' }, commandId, request: 'hash' });

/** What every store of API keys does. `store` is asked for in every test. */
export function keyStoreSuite(store: () => KeyStore): void {
  it('adds a key once: the second of its id finds the first', async () => {
    const [first, second] = [keyOf(), keyOf()];
    expect(await store().add(first)).toMatchObject({ digest: first.digest });
    expect(await store().add({ ...second, _id: first._id })).toMatchObject({ digest: first.digest });
    expect(await store().find(orgId, first._id)).toMatchObject({ digest: first.digest });
  });

  it('adds one of many that come at once', async () => {
    const { _id } = keyOf();
    const added = await Promise.all(Array.from({ length: 10 }, () => store().add(keyOf({ _id }))));
    expect(new Set(added.map(({ digest }) => digest)).size).toBe(1);
  });

  it('keeps organisations apart', async () => {
    const key = await store().add(keyOf());
    expect(await store().find('globex', key._id)).toBeNull();
    expect(await store().list('globex')).toEqual([]);
    expect(await store().revoke('globex', key._id, by('1'))).toBeUndefined();
    expect((await store().live([key._id])).map(({ _id }) => _id)).toEqual([key._id]);
  });

  it('lists the living, oldest first', async () => {
    const org = `org-${randomUUID()}`;
    const keys = ['2026-01-03', '2026-01-01', '2026-01-02'].map((day) => keyOf({ orgId: org, createdAt: `${day}T00:00:00.000Z` }));
    for (const key of keys) await store().add(key);
    await store().revoke(org, keys[2]!._id, by('1'));
    expect((await store().list(org)).map(({ _id }) => _id)).toEqual([keys[1]!._id, keys[0]!._id]);
  });

  it('counts the living, no further than it was told to', async () => {
    const org = `org-${randomUUID()}`;
    const keys = [keyOf({ orgId: org }), keyOf({ orgId: org }), keyOf({ orgId: org })];
    for (const key of keys) await store().add(key);
    await store().revoke(org, keys[0]!._id, by('1'));
    expect(await Promise.all([1, 2, 3].map((most) => store().count(org, most)))).toEqual([1, 2, 2]);
    expect(await store().count('nobody', 3)).toBe(0);
  });

  it('finds the living of any organisation by their ids', async () => {
    const [one, other, dead] = [keyOf(), keyOf({ orgId: 'globex' }), keyOf()];
    for (const key of [one, other, dead]) await store().add(key);
    await store().revoke(orgId, dead._id, by('1'));
    const found = await store().live([one._id, other._id, dead._id, randomUUID()]);
    expect(new Map(found.map(({ _id, digest }) => [_id, digest]))).toEqual(new Map([one, other].map(({ _id, digest }) => [_id, digest])));
  });

  it('deletes a key once and remembers by which request', async () => {
    const { _id } = await store().add(keyOf());
    const answers = await Promise.all(['1', '2', '3'].map((commandId) => store().revoke(orgId, _id, by(commandId))));
    expect(new Set(answers.map((answer) => answer?.commandId)).size).toBe(1);
    expect(await store().find(orgId, _id)).toMatchObject({ revoked: { commandId: answers[0]!.commandId } });
    expect(await store().revoke(orgId, randomUUID(), by('4'))).toBeUndefined();
  });

  it('notes the newest use, of keys that there are', async () => {
    const { _id } = await store().add(keyOf());
    for (const day of ['01', '03', '02']) await store().noteUses([[_id, `2026-02-${day}T00:00:00.000Z`], [randomUUID(), '2026-02-01T00:00:00.000Z']]);
    expect(await store().find(orgId, _id)).toMatchObject({ lastUsedAt: '2026-02-03T00:00:00.000Z' });
  });
}
