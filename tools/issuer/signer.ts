import { createHash, createPrivateKey, generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The issuer's address and its private key for RS256. */
export interface Signer {
  issuer: string;
  key: JsonWebKey & { kid: string };
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
export function keepSigner(file: string, issuer: string): Signer {
  const signer = { issuer, key: readSigner(file)?.key ?? newKey() };
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(signer, null, 2), { mode: 0o600 });
  renameSync(draft, file);
  return signer;
}

/** Signs an access token like those of a sign-in, at once and without asking the issuer. */
export function signToken({ issuer, key }: Signer, request: TokenRequest): string {
  const { org, sub, role, name = sub, email = `${sub}@${org}.example`, ttl = 3_600, audience: aud = audience, clientId = 'deskstream-cli' } = request;
  const now = Math.floor(Date.now() / 1_000);
  const exp = now + ttl;
  const header = { alg: 'RS256', typ: 'at+jwt', kid: key.kid };
  const claims = { iss: issuer, aud, sub, name, email, org, role, client_id: clientId, jti: randomUUID(), iat: Math.min(now, exp), exp };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), createPrivateKey({ key, format: 'jwk' })).toString('base64url')}`;
}

function newKey(): Signer['key'] {
  const key = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(key.n!).digest('base64url').slice(0, 16);
  return { ...key, kid, alg: 'RS256', use: 'sig' };
}
