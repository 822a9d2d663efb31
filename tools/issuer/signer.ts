import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** The issuer's address and its private key (RS256, as a JWK with `kid`). */
export interface Signer {
  issuer: string;
  key: JWK;
}

/** Whom a token is for and what it says. */
export interface TokenRequest {
  org: string;
  sub: string;
  role: 'admin' | 'member';
  name?: string;
  email?: string;
  /** Seconds until it expires, one hour by default; zero or less makes one that has expired. */
  ttl?: number;
  /** `deskstream` by default. */
  audience?: string;
  /** The client it was made for, `deskstream-cli` by default. */
  clientId?: string;
}

/** What services expect as audience. */
export const audience = 'deskstream';

/** Where the issuer of a data folder keeps its key and address. */
export const signerFile = (dataDir: string) => join(dataDir, 'issuer.json');

/** Reads the kept key and address; undefined when there never was an issuer in this folder. Throws when the file is no signer. */
export function readSigner(file: string): Signer | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const signer = JSON.parse(text) as Signer;
  if (typeof signer.issuer !== 'string' || signer.key?.kty !== 'RSA') throw new Error(`${file} holds no signing key`);
  return signer;
}

/** The kept key with this address, or a new key; kept in `file` for the owner only. */
export async function keepSigner(file: string, issuer: string): Promise<Signer> {
  const signer = { issuer, key: readSigner(file)?.key ?? (await newKey()) };
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(signer, null, 2), { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
  return signer;
}

/** Signs an access token as the local issuer does at a sign-in. */
export async function signToken(signer: Signer, request: TokenRequest): Promise<string> {
  const { org, sub, role, name = sub, email = `${sub}@${org}.example`, ttl = 3_600, clientId = 'deskstream-cli' } = request;
  const now = Math.floor(Date.now() / 1_000);
  const expiresAt = now + ttl;
  return new SignJWT({ name, email, org, role, scope: 'openid', client_id: clientId, jti: randomUUID() })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: signer.key.kid! })
    .setIssuer(signer.issuer)
    .setAudience(request.audience ?? audience)
    .setSubject(sub)
    .setIssuedAt(Math.min(now, expiresAt))
    .setExpirationTime(expiresAt)
    .sign(await importJWK(signer.key, 'RS256'));
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = await exportJWK(privateKey);
  return { ...key, kid: await calculateJwkThumbprint(key), alg: 'RS256', use: 'sig' };
}
