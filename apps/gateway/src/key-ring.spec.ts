import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { KeysInMemory } from '../testing/keys-in-memory.js';
import { keyOf } from '../testing/key-store.suite.js';
import { digestOf, newSecret, presentedKey } from './api-key-secret.js';
import type { StoredKey } from './api-keys.store.js';
import { KeyRing } from './key-ring.js';

const clock = { ms: 0 };
let keys: KeysInMemory;
let ring: KeyRing;
/** What the store does when it is asked, and what it was asked for. */
let read: (ids: readonly string[]) => Promise<StoredKey[]>;
let asked: (readonly string[])[];

beforeEach(() => {
  clock.ms = Date.parse('2026-01-01T00:00:00Z');
  keys = new KeysInMemory();
  asked = [];
  read = (ids) => keys.live(ids);
  const live = (ids: readonly string[]) => {
    asked.push(ids);
    return read(ids);
  };
  ring = new KeyRing({ live }, () => clock.ms);
});

async function made(changes: Partial<StoredKey> = {}): Promise<string> {
  const _id = randomUUID();
  const secret = newSecret(_id);
  await keys.add(keyOf({ _id, digest: digestOf(secret), ...changes }));
  return secret;
}
const idOf = (secret: string) => presentedKey(secret)!.id;
const deleted = (secret: string) => keys.revoke('acme', idOf(secret), { at: new Date(), by: { type: 'member', id: 'ada' }, commandId: '1', request: '' });
const away = () => Promise.reject(new Error('the store is away'));
/** For many at once: an answer may be at hand. */
const admitted = async (secret: string) => ring.admit(secret);
const grantOf = async (secret: string) => (await ring.admit(secret))?.grant;

describe('a key', () => {
  it('grants what was stored of it, and at once when it was seen lately', async () => {
    const secret = await made({ scopes: ['tickets:read', 'notes:read'] });
    const grant = await grantOf(secret);
    expect(grant).toEqual({ keyId: idOf(secret), orgId: 'acme', assistantId: 'billing-bot', scopes: ['tickets:read', 'notes:read'], expiresAt: Infinity });
    expect(ring.admit(secret)).toMatchObject({ grant });
    clock.ms += 2_000;
    expect(ring.admit(secret)).toBeInstanceOf(Promise);
    expect(await grantOf(secret)).toBe(grant);
  });

  it('is asked for again when the clock was put back: its age is not known then', async () => {
    const secret = await made();
    await grantOf(secret);
    await deleted(secret);
    clock.ms -= 3_600_000;
    expect(await grantOf(secret)).toBeUndefined();
  });

  it('is not taken on trust when the clock was put back and the store is away', async () => {
    const secret = await made();
    await grantOf(secret);
    read = away;
    clock.ms -= 3_600_000;
    await expect(grantOf(secret)).rejects.toMatchObject({ problem: { status: 503 } });
  });

  it('is good until it is deleted, and two seconds longer at most', async () => {
    const secret = await made();
    await grantOf(secret);
    await deleted(secret);
    clock.ms += 1_999;
    expect(await grantOf(secret)).toBeDefined();
    clock.ms += 1;
    expect(await ring.admit(secret)).toBeNull();
    expect(ring.admit(secret)).toBeNull(); // kept
  });

  it('is good until its time, whatever is kept of it', async () => {
    const secret = await made({ expiresAt: '2026-01-01T00:00:01Z' });
    expect(await ring.admit(secret)).toMatchObject({ until: clock.ms + 1_000 });
    clock.ms += 999;
    expect(ring.admit(secret)).not.toBeNull();
    clock.ms += 1;
    expect(ring.admit(secret)).toBeNull();
    clock.ms += 3_000;
    expect(await ring.admit(secret)).toBeNull();
  });

  it('with another secret is none', async () => {
    const secret = await made();
    expect(await ring.admit(newSecret(idOf(secret)))).toBeNull();
    expect(await grantOf(secret)).toBeDefined();
  });
});

describe('while the store cannot be asked', () => {
  it('a key that it confirmed lately counts for four seconds, and then nobody can tell', async () => {
    const secret = await made();
    await grantOf(secret);
    read = away;
    clock.ms += 3_999;
    expect(await ring.admit(secret)).toMatchObject({ until: clock.ms + 1 });
    clock.ms += 1;
    await expect(ring.admit(secret)).rejects.toMatchObject({ problem: { status: 503, type: '/problems/dependency-unavailable' } });
    read = (ids) => keys.live(ids);
    expect(await grantOf(secret)).toBeDefined();
  });

  it('of another key nobody can tell, whether its id exists or not', async () => {
    const secret = await made();
    await grantOf(secret);
    read = away;
    clock.ms += 3_000;
    for (const other of [newSecret(idOf(secret)), newSecret(randomUUID()), await made()]) await expect(ring.admit(other)).rejects.toMatchObject({ problem: { status: 503 } });
  });

  it('nobody waits for longer than two seconds for a store that says nothing', async () => {
    const secret = await made();
    await grantOf(secret);
    read = () => new Promise(() => undefined);
    clock.ms += 2_000;
    expect(await grantOf(secret)).toBeDefined();
    clock.ms += 2_000;
    // However late timers fire on a slow machine, they do so in their order.
    let isLate = false;
    const late = setTimeout(() => (isLate = true), 3_000);
    await expect(ring.admit(secret)).rejects.toMatchObject({ problem: { status: 503 } });
    expect(isLate).toBe(false);
    clearTimeout(late);
  });
});

describe('the store', () => {
  it('is asked once by all who show a key at once', async () => {
    const secret = await made();
    await Promise.all(Array.from({ length: 100 }, () => admitted(secret)));
    expect(asked).toHaveLength(1);
  });

  it('is asked for all keys together that came while it was busy', async () => {
    const secrets = await Promise.all(Array.from({ length: 300 }, () => made()));
    read = async (ids) => {
      await delay(20);
      return keys.live(ids);
    };
    const first = admitted(secrets[0]!);
    await eventually(() => asked.length === 1, 'the store is busy');
    const grants = await Promise.all([first, ...secrets.slice(1).map(admitted)]);
    expect(grants.every((admission) => admission !== null)).toBe(true);
    expect(asked.map((ids) => ids.length)).toEqual([1, 299]);
  });

  it('is not asked again for a bad key within two seconds', async () => {
    const bad = newSecret(randomUUID());
    for (let n = 0; n < 10; n += 1) expect(await ring.admit(bad)).toBeNull();
    expect(asked).toHaveLength(1);
  });

  it('has at most a thousand keys waiting for it; the others are told to come again, and good keys that are known stay good', async () => {
    const secret = await made();
    await grantOf(secret);
    const tries = await Promise.allSettled(Array.from({ length: 5_000 }, () => admitted(newSecret(randomUUID()))));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1_000);
    expect(tries.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { problem: { type: '/problems/overloaded' } } });
    expect(asked.length).toBeLessThanOrEqual(3);
    for (let n = 0; n < 11; n += 1) await Promise.all(Array.from({ length: 1_000 }, () => admitted(newSecret(randomUUID()))));
    expect(ring.admit(secret)).toMatchObject({ grant: { keyId: idOf(secret) } });
  });

  it('is not asked for what cannot be a key', () => {
    const [secret, id] = [newSecret(randomUUID()), randomUUID()];
    const wrong = ['dsk_', 'dsk__', 'dsk___', `dsk_${id}`, `dsk_${id}_`, secret.slice(0, -1), `${secret}A`, secret.toUpperCase(), ` ${secret}`, `${secret}\n`, secret.replace('dsk_', 'DSK_'), `dsk_${id}_${'é'.repeat(43)}`, `dsk_${id}_${'A'.repeat(100_000)}`, `dsk_{"$ne":1}_${'A'.repeat(43)}`, `dsk_' or 1=1 --_${'A'.repeat(43)}`, `dsk_${id.toUpperCase()}_${'A'.repeat(43)}`];
    for (const token of wrong) expect([token, ring.admit(token)]).toEqual([token, null]);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string().map((text) => `dsk_${text}`), fc.string().map((text) => `dsk_${id}_${text}`)), (token) => ring.admit(token) === null));
    expect(asked).toEqual([]);
  });

  it('finds no key by a part of it', async () => {
    const secret = await made();
    for (let length = 0; length < secret.length; length += 1) expect(await ring.admit(secret.slice(0, length))).toBeNull();
    await fc.assert(fc.asyncProperty(fc.nat(42), fc.constantFrom(...'AZaz09-_'), async (at, letter) => {
      const changed = secret.slice(0, -43 + at) + letter + secret.slice(secret.length - 42 + at);
      return changed === secret || (await ring.admit(changed)) === null;
    }));
  });
});

describe('a secret', () => {
  it('is of 256 random bits, and the digest does not hold it', () => {
    const id = randomUUID();
    const secrets = Array.from({ length: 100 }, () => newSecret(id));
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(Buffer.from(secret.slice(-43), 'base64url')).toHaveLength(32);
    expect(digestOf(secrets[0]!)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(secrets[0]).not.toContain(digestOf(secrets[0]!));
  });
});
