import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

export interface SigningKey {
  privateKey: PrivateKey;
  publicJwk: JWK;
}

export async function signingKey(kid: string, alg: 'RS256' | 'ES256' = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An OpenID Connect issuer that only publishes keys, and counts how often they are fetched. */
export interface FakeIssuer {
  url: string;
  keys: SigningKey[];
  fetches: number;
  stop(): Promise<void>;
}

export async function startIssuer(keys: SigningKey[]): Promise<FakeIssuer> {
  const server: Server = createServer((request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration';
    if (!isDiscovery) issuer.fetches += 1;
    const body = isDiscovery ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` } : { keys: issuer.keys.map(({ publicJwk }) => publicJwk) };
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const issuer: FakeIssuer = { url, keys, fetches: 0, stop };
  return issuer;
}

export interface TokenOptions {
  issuer: string;
  key: SigningKey;
  audience?: string;
  expiresIn?: number;
  claims?: JWTPayload;
  header?: Record<string, string>;
  without?: string[];
}

/** A valid token of acme's administrator ada, but for what is asked. */
export async function token({ issuer, key, audience = 'deskstream', expiresIn = 600, claims = {}, header = {}, without = [] }: TokenOptions): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const all: JWTPayload = {
    iss: issuer,
    aud: audience,
    sub: 'ada',
    name: 'Ada',
    email: 'ada@acme.example',
    org: 'acme',
    role: 'admin',
    iat: now,
    exp: now + expiresIn,
    ...claims,
  };
  for (const name of without) delete all[name];
  return new SignJWT(all).setProtectedHeader({ alg: key.publicJwk.alg!, kid: key.publicJwk.kid!, ...header }).sign(key.privateKey);
}
