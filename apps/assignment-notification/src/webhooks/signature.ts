import { createHmac } from 'node:crypto';
import type { StoredSecret } from './webhook-book.store.js';

/** What is signed, as Standard Webhooks has it. */
export interface Signed {
  /** Must hold no dot. */
  id: string;
  at: Date;
  body: string;
}

/** Headers of a delivery (Standard Webhooks 1): signed with every secret that is valid then, the newest first. */
export function signedHeaders({ id, at, body }: Signed, secrets: readonly Pick<StoredSecret, 'key' | 'validUntil'>[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const valid = secrets.filter(({ validUntil }) => validUntil === null || validUntil > at.toISOString());
  const signatures = valid.map(({ key }) => `v1,${createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
