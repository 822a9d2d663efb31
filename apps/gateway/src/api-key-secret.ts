import { hash, randomBytes } from 'node:crypto';
import { apiKeyPrefix } from '#contracts';

/** Base64url of 256 random bits. */
const secretBytes = 32;
const shape = /^dsk_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** An API key as somebody sent it: which one it claims to be, and the digest that its secret must have. */
export interface PresentedKey {
  id: string;
  digest: string;
}

/** A new key of an id, `dsk_<id>_<secret>`. */
export const newSecret = (id: string) => `${apiKeyPrefix}${id}_${randomBytes(secretBytes).toString('base64url')}`;

/**
 * What is stored of a key. A plain fast hash is right here: the secret is random, so nobody finds it by trying, which is all that salt and slowness
 * protect passwords from; and it is computed for every request.
 */
export const digestOf = (key: string) => hash('sha256', key, 'base64url');

/** A key as it was sent; null for what cannot be one. */
export function presentedKey(token: string): PresentedKey | null {
  const id = shape.exec(token)?.[1];
  return id === undefined ? null : { id, digest: digestOf(token) };
}
