import type { Webhook, WebhookDelivery } from '#contracts';
import { ProblemError } from '#observability';
import type { Delivery } from '../deliveries/delivery.js';
import type { StoredWebhook } from './webhook-book.store.js';
import { targetOf } from './webhook-claims.js';

/** What is known of webhooks beside what was asked for, by target. */
export interface Circumstances {
  failing: ReadonlyMap<string, Date>;
  replays: ReadonlyMap<string, NonNullable<Webhook['replay']>>;
}

/** A webhook as administrators see it: without keys. */
export function webhookView(orgId: string, { secrets, ...webhook }: StoredWebhook, { failing, replays }: Circumstances): Webhook {
  const target = targetOf(orgId, webhook.id);
  const now = new Date().toISOString();
  const valid = secrets.filter(({ validUntil }) => validUntil === null || validUntil > now);
  return {
    ...webhook,
    secrets: valid.map(({ createdAt, validUntil }) => ({ createdAt, validUntil })),
    failingSince: failing.get(target)?.toISOString() ?? null,
    replay: replays.get(target) ?? null,
  };
}

/** A delivery as administrators see it. */
export function deliveryView({ _id, target, about, state, dueAt, tries, createdAt, endedAt, attempts }: Delivery): WebhookDelivery {
  return {
    id: _id.slice(target.length + 1),
    messageId: about['messageId']!,
    type: about['type']!,
    ticketId: about['ticketId'] ?? null,
    state,
    tries,
    nextTryAt: state === 'waiting' ? (dueAt?.toISOString() ?? null) : null,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    attempts: attempts.map(({ at, ms, isDelivered, detail }) => ({ at: at.toISOString(), ms, isDelivered, detail })),
  };
}

/** Behind a delivery of a list. */
export const placeBehind = ({ createdAt, _id: id }: Delivery) => Buffer.from(JSON.stringify([createdAt.getTime(), id])).toString('base64url');

/** @throws ProblemError for what no list has said */
export function placeIn(after: string): { createdAt: Date; id: string } | undefined {
  if (after === '0') return undefined;
  try {
    const [at, id] = JSON.parse(Buffer.from(after, 'base64url').toString()) as unknown[];
    if (typeof at === 'number' && typeof id === 'string' && !Number.isNaN(new Date(at).getTime())) return { createdAt: new Date(at), id };
  } catch {
    // Said below.
  }
  throw new ProblemError('invalid-cursor', 'This is no place in the list.');
}
