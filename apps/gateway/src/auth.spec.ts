import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { head, raw } from '../testing/raw.js';
import { signingKey, startIssuer, token, type SigningKey } from '../testing/tokens.js';
import { IssuerKeys, IssuerUnreachable } from './issuer-keys.js';
import { TokenVerifier } from './token-verifier.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway.stop());

const me = (authorization?: string) => fetch(`${gateway.url}/v1/me`, { headers: authorization === undefined ? {} : { authorization } });

async function expectStranger(authorization?: string) {
  const answer = await me(authorization);
  const { type } = (await answer.json()) as { type: string };
  expect([answer.status, type, answer.headers.get('www-authenticate')]).toEqual([401, '/problems/unauthenticated', 'Bearer']);
}

const base64 = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('sign-in', () => {
  it('lets a valid token in and says who it is', async () => {
    const answer = await me(`Bearer ${await gateway.token({ claims: { sub: 'grace', name: 'Grace', email: 'grace@acme.example', role: 'member' } })}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      type: 'member',
      id: 'grace',
      name: 'Grace',
      email: 'grace@acme.example',
      orgId: 'acme',
      role: 'member',
      assistantIds: ['billing-bot'],
    });
  });

  it('knows the scheme in any case', async () => {
    expect((await me(`bearer ${await gateway.token()}`)).status).toBe(200);
  });

  it('lets people without an entry in, who work for no assistant', async () => {
    const answer = await me(`Bearer ${await gateway.token({ claims: { sub: 'new', org: 'elsewhere' } })}`);
    expect(await answer.json()).toMatchObject({ id: 'new', orgId: 'elsewhere', assistantIds: [] });
  });

  it('takes nothing but one bearer token', async () => {
    const good = await gateway.token();
    await expectStranger();
    for (const header of ['', 'Bearer', 'Bearer ', `Basic ${base64('ada:ada')}`, good, `Bearer ${good} x`, `Bearer ${good},Bearer ${good}`, 'Bearer dsk_secret', 'Bearer a.b.c']) {
      await expectStranger(header);
    }
    const twice = `${head('GET', '/v1/me', { Authorization: `Bearer ${good}`, authorization: `Bearer ${good}` })}`;
    expect((await raw(gateway.port, [twice])).status).toBe(401);
    await expectStranger(`Bearer ${'x'.repeat(9_000)}`);
  });

  it('takes no token of another issuer, audience or time', async () => {
    const later = Math.floor(Date.now() / 1_000) + 60;
    for (const options of [
      { issuer: 'http://127.0.0.1:1' },
      { issuer: `${gateway.issuer.url}/` },
      { audience: 'somebody-else' },
      { expiresIn: 0 },
      { expiresIn: -1 },
      { claims: { nbf: later } },
      { without: ['exp'] },
      { without: ['aud'] },
      { without: ['iss'] },
    ]) {
      await expectStranger(`Bearer ${await gateway.token(options)}`);
    }
    expect((await me(`Bearer ${await gateway.token({ claims: { nbf: later - 61 } })}`)).status).toBe(200);
  });

  it('takes no token that lacks a claim or has a wrong one', async () => {
    for (const without of ['sub', 'org', 'role', 'name', 'email']) await expectStranger(`Bearer ${await gateway.token({ without: [without] })}`);
    const wrong: JWTPayload[] = [{ role: 'owner' }, { role: ['admin'] }, { org: '../globex' }, { org: '' }, { sub: '' }, { sub: 'x'.repeat(256) }, { sub: 'a\u0000' }, { name: 'x'.repeat(256) }, { org: { $ne: '' } }];
    for (const claims of wrong) await expectStranger(`Bearer ${await gateway.token({ claims })}`);
  });

  it('takes no forged signature', async () => {
    const good = await gateway.token();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const admin = base64({ ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), sub: 'mallory' });
    await expectStranger(`Bearer ${header}.${admin}.${signature}`);
    await expectStranger(`Bearer ${base64({ alg: 'none', kid: 'key-1' })}.${payload}.`);
    await expectStranger(`Bearer ${base64({ alg: 'RS256', kid: 'key-1' })}.${payload}.`);
    const stranger = await signingKey('key-1');
    await expectStranger(`Bearer ${await gateway.token({ key: stranger })}`);
    await expectStranger(`Bearer ${await gateway.token({ key: await signingKey('nobody-knows') })}`);
  });

  it('does not take the public key for a secret', async () => {
    const { publicJwk } = gateway.key;
    for (const secret of [JSON.stringify(publicJwk), publicJwk.n!]) {
      const unsigned = `${base64({ alg: 'HS256', kid: 'key-1' })}.${(await gateway.token()).split('.')[1]}`;
      await expectStranger(`Bearer ${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`);
    }
    const embedded = await signingKey('key-1');
    await expectStranger(`Bearer ${await gateway.token({ key: embedded, header: { jwk: embedded.publicJwk as unknown as string } })}`);
  });

  it('pins the algorithms', async () => {
    const key = await signingKey('key-1');
    const { alg: _, ...publicJwk } = key.publicJwk; // A key that names its algorithm would itself refuse the others.
    const issuer = await startIssuer([{ ...key, publicJwk }]);
    const { verifier } = verifierAt(issuer.url);
    const other = { privateKey: await ps256(key), publicJwk: { ...publicJwk, alg: 'PS256' } };
    const identities = [await verifier.identify(await token({ issuer: issuer.url, key })), await verifier.identify(await token({ issuer: issuer.url, key: other }))];
    await issuer.stop();
    expect(identities).toEqual([expect.objectContaining({ id: 'ada' }), null]);
  });

  it('tells the console from other clients', async () => {
    const post = async (claims: Record<string, string>) =>
      fetch(`${gateway.url}/v1/tickets`, {
        method: 'POST',
        body: '{"title":"a"}',
        headers: { authorization: `Bearer ${await gateway.token({ claims })}`, 'content-type': 'application/json' },
      });
    gateway.sent.length = 0;
    await post({ client_id: 'deskstream-console' });
    await post({ azp: 'deskstream-console' });
    await post({ client_id: 'deskstream-cli' });
    await post({});
    expect(gateway.sent.map(({ value }) => value.channel)).toEqual(['console', 'console', 'api', 'api']);
  });
});

/** The same RSA key under another algorithm. */
async function ps256({ privateKey }: SigningKey) {
  const { exportJWK, importJWK } = await import('jose');
  return (await importJWK({ ...(await exportJWK(privateKey)), alg: 'PS256' }, 'PS256')) as SigningKey['privateKey'];
}

const verifierAt = (issuer: string, now = { ms: Date.now() }) => ({
  now,
  verifier: new TokenVerifier(new IssuerKeys(issuer, () => now.ms), { issuer, audience: 'deskstream' }, () => now.ms),
});

describe('keys of the issuer', () => {
  it('are fetched once, and again for a new one', async () => {
    const [first, second] = [await signingKey('first'), await signingKey('second', 'ES256')];
    const issuer = await startIssuer([first]);
    const { verifier, now } = verifierAt(issuer.url);
    await Promise.all([1, 2, 3].map(async () => verifier.identify(await token({ issuer: issuer.url, key: first, claims: { jti: String(Math.random()) } }))));
    expect(issuer.fetches).toBe(1);
    issuer.keys.push(second);
    now.ms += 11_000;
    expect(await verifier.identify(await token({ issuer: issuer.url, key: second }))).toMatchObject({ id: 'ada' });
    expect(issuer.fetches).toBe(2);
    await issuer.stop();
  });

  it('are not asked for by every stranger', async () => {
    const [key, stranger] = [await signingKey('first'), await signingKey('unknown')];
    const issuer = await startIssuer([key]);
    const { verifier } = verifierAt(issuer.url);
    await verifier.identify(await token({ issuer: issuer.url, key }));
    for (let i = 0; i < 20; i += 1) expect(await verifier.identify(await token({ issuer: issuer.url, key: stranger, claims: { jti: String(i) } }))).toBeNull();
    expect(issuer.fetches).toBeLessThanOrEqual(2);
    await issuer.stop();
  });

  it('serve on while the issuer is away, and without any nobody can tell', async () => {
    const [key, stranger] = [await signingKey('first'), await signingKey('unknown')];
    const issuer = await startIssuer([key]);
    const known = verifierAt(issuer.url);
    await known.verifier.identify(await token({ issuer: issuer.url, key }));
    await issuer.stop();
    known.now.ms += 3_600_000;
    const fresh = await token({ issuer: issuer.url, key, expiresIn: 7_200 });
    expect(await known.verifier.identify(fresh)).toMatchObject({ id: 'ada' });
    expect(await known.verifier.identify(await token({ issuer: issuer.url, key: stranger, expiresIn: 7_200 }))).toBeNull();
    await expect(verifierAt(issuer.url).verifier.identify(fresh)).rejects.toMatchObject({ name: 'IssuerUnreachable' });
  });

  it('are refused from an issuer that calls itself otherwise', async () => {
    const issuer = await startIssuer([await signingKey('first')]);
    const asked = issuer.url;
    issuer.url = 'http://elsewhere.example';
    await expect(verifierAt(asked).verifier.identify(await token({ issuer: asked, key: issuer.keys[0]! }))).rejects.toMatchObject({ name: 'IssuerUnreachable' });
    await issuer.stop();
  });

  it('are not needed again for a token seen lately, but its end is', async () => {
    const key = await signingKey('first');
    const issuer = await startIssuer([key]);
    const { verifier, now } = verifierAt(issuer.url);
    const short = await token({ issuer: issuer.url, key, expiresIn: 30 });
    await verifier.identify(short);
    expect(verifier.identify(short)).not.toBeInstanceOf(Promise);
    now.ms += 31_000;
    expect(await verifier.identify(short)).toBeNull();
    await issuer.stop();
  });

  it('are used once for a token that many requests bring at the same time, and anew after nobody could tell', async () => {
    const key = await signingKey('first');
    const issuer = await startIssuer([key]);
    const found = new IssuerKeys(issuer.url);
    const asked: string[] = [];
    let isAway = true;
    const find: IssuerKeys['find'] = async (header, signed) => {
      asked.push(header.kid!);
      if (isAway) throw new IssuerUnreachable('away');
      return found.find(header, signed);
    };
    const verifier = new TokenVerifier({ find }, { issuer: issuer.url, audience: 'deskstream' });
    const one = await token({ issuer: issuer.url, key });
    await expect(Promise.all([1, 2, 3].map(async () => verifier.identify(one)))).rejects.toMatchObject({ name: 'IssuerUnreachable' });
    expect(asked).toHaveLength(1);
    isAway = false;
    expect(await Promise.all([1, 2, 3].map(async () => verifier.identify(one)))).toMatchObject([{ id: 'ada' }, { id: 'ada' }, { id: 'ada' }]);
    expect(asked).toHaveLength(2);
    await issuer.stop();
  });

  it('answers 503 when nobody can tell', async () => {
    const closed = await openGateway();
    const bearer = await closed.token();
    await closed.issuer.stop();
    const answer = await fetch(`${closed.url}/v1/me`, { headers: { authorization: `Bearer ${bearer}` } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await answer.json()).toMatchObject({ type: '/problems/dependency-unavailable' });
    await closed.stop();
  });
});
