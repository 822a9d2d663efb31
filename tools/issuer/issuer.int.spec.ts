import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { freePort, temporaryFolder } from '#servers';
import { createIssuer } from './server.js';
import { keepSigner, type Signer, signToken } from './signer.js';

const consoleOrigin = 'http://127.0.0.1:3000';
const redirectUri = `${consoleOrigin}/callback`;
const clientId = 'deskstream-console';

const person = (org: string, sub: string, role: 'admin' | 'member') => ({ org, sub, role, name: `${sub} <${org}>`, email: `${sub}@${org}.example` });
const organisations = [
  { id: 'acme', name: 'Acme', people: [person('acme', 'ada', 'admin'), person('acme', 'grace', 'member')] },
  { id: 'other', name: 'Other & Co', people: [person('other', 'ada', 'member')] },
];

let folder: string;
let signer: Signer;
let server: Server;

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {}); // it says at every start that it keeps its state in memory
  folder = temporaryFolder('issuer');
  const port = await freePort();
  signer = keepSigner(join(folder, 'issuer.json'), `http://127.0.0.1:${port}`);
  server = createIssuer({ signer, organisations, consoleClientId: clientId, consoleOrigins: [consoleOrigin, 'http://localhost:3000'] });
  await once(server.listen(port, '127.0.0.1'), 'listening');
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

/** A browser as far as a sign-in needs one: keeps cookies, follows redirects by hand. */
function browser() {
  const cookies = new Map<string, string>();
  return async (url: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(url, signer.issuer), { ...init, redirect: 'manual', headers: { ...init.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value) cookies.set(name!, value);
      else cookies.delete(name!);
    }
    return response;
  };
}

const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
const place = (response: Response) => response.headers.get('location')!;

function authorizationUrl(verifier: string, changes: Record<string, string> = {}) {
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = { client_id: clientId, response_type: 'code', redirect_uri: redirectUri, scope: 'openid profile email', state: 's1', nonce: 'n1' };
  return `/auth?${new URLSearchParams({ ...asked, code_challenge: challenge, code_challenge_method: 'S256', ...changes })}`;
}

async function signIn(account: string, visit = browser()) {
  const verifier = randomBytes(32).toString('base64url');
  const page = place(await visit(authorizationUrl(verifier)));
  const html = await (await visit(page)).text();
  const chosen = await visit(page, form({ account }));
  const back = new URL(place(await visit(place(chosen))));
  return { html, back, verifier, visit };
}

async function redeem(fields: Record<string, string>) {
  const response = await fetch(`${signer.issuer}/token`, form({ client_id: clientId, ...fields }));
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, string> };
}

async function tokensOf(account: string) {
  const { back, verifier } = await signIn(account);
  return redeem({ grant_type: 'authorization_code', code: back.searchParams.get('code')!, redirect_uri: redirectUri, code_verifier: verifier });
}

/** Checks a token as the gateway does: discovery, then the keys that it names. */
async function verify(token: string) {
  const discovery = (await (await fetch(`${signer.issuer}/.well-known/openid-configuration`)).json()) as Record<string, string>;
  return jwtVerify(token, createRemoteJWKSet(new URL(discovery['jwks_uri']!)), { issuer: discovery['issuer']!, audience: 'deskstream', algorithms: ['RS256'] });
}

describe('local issuer', () => {
  it('lets a person be picked by name and sends them back with a code', async () => {
    const { html, back } = await signIn('acme/grace');
    expect(html).toContain('Choose who you are');
    expect(html).toContain('grace &#60;acme&#62;');
    expect(html).toContain('Other &#38; Co');
    expect(html).toContain('local use on this machine only');
    expect(`${back.origin}${back.pathname}`).toBe(redirectUri);
    expect(back.searchParams.get('state')).toBe('s1');
  });

  it('gives an access token that services can check, with organisation and role', async () => {
    const { body } = await tokensOf('acme/ada');
    const { payload, protectedHeader } = await verify(body['access_token']!);
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({ sub: 'ada', org: 'acme', role: 'admin', name: 'ada <acme>', email: 'ada@acme.example', client_id: clientId });
    expect(payload.exp! - payload.iat!).toBe(3_600);
  });

  it('tells people of the same name in two organisations apart', async () => {
    const { payload } = await verify((await tokensOf('other/ada')).body['access_token']!);
    expect(payload).toMatchObject({ sub: 'ada', org: 'other', role: 'member' });
  });

  it('tells the console in the id token who signed in', async () => {
    const claims = decodeJwt((await tokensOf('acme/grace')).body['id_token']!);
    expect(claims).toMatchObject({ sub: 'grace', name: 'grace <acme>', email: 'grace@acme.example', org: 'acme', role: 'member', nonce: 'n1', aud: clientId });
  });

  it('renews tokens with a refresh token, which then changes', async () => {
    const first = (await tokensOf('acme/ada')).body;
    const second = await redeem({ grant_type: 'refresh_token', refresh_token: first['refresh_token']! });
    expect(second.status).toBe(200);
    expect((await verify(second.body['access_token']!)).payload).toMatchObject({ sub: 'ada', aud: 'deskstream' });
    expect(second.body['refresh_token']).not.toBe(first['refresh_token']);
    const replayed = await redeem({ grant_type: 'refresh_token', refresh_token: first['refresh_token']! });
    expect(replayed.status).toBe(400);
  });

  it('knows who is signed in, and renews silently with the id token as hint', async () => {
    const { visit, back, verifier } = await signIn('acme/grace');
    const { body } = await redeem({ grant_type: 'authorization_code', code: back.searchParams.get('code')!, redirect_uri: redirectUri, code_verifier: verifier });
    const again = await visit(authorizationUrl(verifier, { prompt: 'none', id_token_hint: body['id_token']! }));
    expect(new URL(place(again)).searchParams.get('code')).toBeTruthy();
  });

  it('refuses a code without the verifier that belongs to it', async () => {
    const { back } = await signIn('acme/ada');
    const code = back.searchParams.get('code')!;
    const { status } = await redeem({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: randomBytes(32).toString('base64url') });
    expect(status).toBe(400);
  });

  it('refuses a request without a challenge', async () => {
    const response = await browser()(authorizationUrl('x', { code_challenge: '', code_challenge_method: '' }));
    expect(new URL(place(response)).searchParams.get('error')).toBe('invalid_request');
  });

  it('does not send anybody to an address that is not the console', async () => {
    const response = await browser()(authorizationUrl('x', { redirect_uri: 'http://evil.example/callback' }));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('That did not work');
  });

  it('refuses a person it does not know', async () => {
    const visit = browser();
    const page = place(await visit(authorizationUrl('x'.repeat(43))));
    expect((await visit(page, form({ account: 'acme/mallory' }))).status).toBe(400);
  });

  it('refuses a sign-in page that nobody was sent to', async () => {
    const response = await browser()('/sign-in/nothing');
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('begin again');
  });

  it('lets the console call the token endpoint from its own origin only', async () => {
    const preflight = (origin: string) =>
      fetch(`${signer.issuer}/token`, { method: 'POST', headers: { origin }, body: new URLSearchParams({ client_id: clientId, grant_type: 'refresh_token', refresh_token: 'x' }) });
    expect((await preflight(consoleOrigin)).headers.get('access-control-allow-origin')).toBe(consoleOrigin);
    expect((await preflight('http://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('signs out and goes back to the console', async () => {
    const { visit } = await signIn('acme/ada');
    const page = await (await visit(`/session/end?${new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: `${consoleOrigin}/` })}`)).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)![1]!;
    const done = await visit('/session/end/confirm', form({ xsrf, logout: 'yes' }));
    expect(place(done)).toBe(`${consoleOrigin}/`);
    expect(place(await visit(authorizationUrl('x'.repeat(43))))).toMatch(/^\/sign-in\//);
  });
});

describe('a token signed with the kept key', () => {
  it('passes the same checks as one from a sign-in', async () => {
    const token = signToken(signer, { org: 'acme', sub: 'ada', role: 'admin', name: 'Ada' });
    expect((await verify(token)).payload).toMatchObject({ sub: 'ada', org: 'acme', role: 'admin', name: 'Ada', email: 'ada@acme.example', client_id: 'deskstream-cli' });
  });

  it('has expired when its time to live is zero or less', async () => {
    for (const ttl of [0, -60]) {
      await expect(verify(signToken(signer, { org: 'acme', sub: 'ada', role: 'admin', ttl }))).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
    }
  });

  it('is made with the same key after a restart, and the key is readable for its owner only', async () => {
    const file = join(folder, 'issuer.json');
    expect(keepSigner(file, 'http://127.0.0.1:1').key).toEqual(signer.key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
