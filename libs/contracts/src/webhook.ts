import { z } from 'zod';
import { eventTold } from './feed.views.js';
import { single, wholeNumber } from './parameters.js';
import { Actor } from './principal.js';
import { distinct, Instant, Slug, Time, trimmedText, Uuid } from './text.js';
import { Ticket } from './ticket.js';
import { eventData, shortEventType, type EventType, type ShortEventType } from './ticket.events.js';

/** Webhooks of an organisation at most. */
export const maxWebhooks = 100;

const eventTypes = Object.keys(eventData) as EventType[];

/** What flaws an address has that no configuration would allow. */
function urlFlaw(value: string): string | undefined {
  if (!URL.canParse(value)) return 'must be an absolute URL';
  const { protocol, username, password } = new URL(value);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https://';
  return username === '' && password === '' ? undefined : 'must have no user and no password in it';
}

const WebhookUrl = z
  .string()
  .max(2_048)
  .superRefine((value, context) => {
    const message = urlFlaw(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message, params: { code: 'bad_url' } });
  })
  .meta({ maxLength: 2_048, format: 'uri', description: '`https`, and an address that everybody may reach.' });

const someOf = <T extends z.ZodType<string>>(one: T, most: number) => z.array(one).min(1).max(most).check(distinct).meta({ uniqueItems: true });

/** Body of `POST /webhooks` and of `PUT /webhooks/{id}`. That the assistants exist and the address may be reached is the service's to check. */
export const WebhookInput = z.strictObject({
  name: trimmedText(200),
  url: WebhookUrl,
  enabled: z.boolean().default(true),
  types: someOf(z.enum(eventTypes.map(shortEventType)), eventTypes.length).optional().meta({ description: 'Only events of these types; all without it.', uniqueItems: true }),
  assistantIds: someOf(Slug, 100).optional().meta({ description: 'Only events after which the ticket is of one of these assistants; without it all, of tickets without an assistant, too.', uniqueItems: true }),
  notes: z.boolean().default(false).meta({ description: 'Whether it is told of notes, which are for the team only.' }),
  exceptActors: z
    .array(Actor.pick({ type: true, id: true }).strict())
    .max(50)
    .default([])
    .meta({ description: 'Not told of what these did: whoever writes to us by an API key and need not hear of that names its assistant as `agent`, an outside system itself as `system`.' }),
});
export type WebhookInput = z.infer<typeof WebhookInput>;

/** Sends what happened since some time once more. There is one for a webhook at a time. */
export const WebhookReplay = z.object({
  id: Uuid,
  from: Time,
  state: z.enum(['running', 'done', 'stopped']),
  startedAt: Time,
  endedAt: Time.nullable(),
  progress: z.number().min(0).max(1).meta({ description: 'How much of what was to be looked through has been.' }),
  events: z.number().int().meta({ description: 'Events that were found for the webhook so far; what became of each is in its deliveries.' }),
});
export type WebhookReplay = z.infer<typeof WebhookReplay>;

/** A webhook as administrators see it. Its secrets are not among that. */
export const Webhook = z.object({
  id: Uuid,
  ...WebhookInput.shape,
  enabled: z.boolean(),
  notes: z.boolean(),
  exceptActors: z.array(Actor.pick({ type: true, id: true })),
  createdAt: Time,
  updatedAt: Time,
  secrets: z.array(z.object({ createdAt: Time, validUntil: Time.nullable() })).meta({ description: 'What it is signed with, newest first. Older ones are used as well until their time.' }),
  failingSince: Time.nullable().meta({ description: 'Since when no delivery has come through, where that is so.' }),
  switchedOff: z
    .object({ at: Time, reason: z.enum(['gone', 'failing']) })
    .nullable()
    .meta({ description: 'We have switched it off: `gone`, it answered 410; `failing`, nothing has come through for days. Enabling it again forgets that.' }),
  replay: WebhookReplay.nullable(),
});
export type Webhook = z.infer<typeof Webhook>;

/** Answer of `GET /webhooks`, oldest first. */
export const Webhooks = z.object({ items: z.array(Webhook) });
export type Webhooks = z.infer<typeof Webhooks>;

/** Answer of `POST /webhooks` and of `POST /webhooks/{id}/secrets`. The secret is shown this once: no other answer has it, a repeat under the same Idempotency-Key neither. */
export const WebhookWithSecret = Webhook.extend({
  secret: z.string().optional().meta({ description: '`whsec_` and the key in base64. Missing in a repeat: make another secret then.' }),
});
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

/** Secrets of a webhook that are used at once at most. */
export const maxWebhookSecrets = 5;

/** Body of `POST /webhooks/{id}/secrets`, which may be left out. */
export const SecretRotation = z
  .strictObject({
    overlapSeconds: z.int().min(0).max(7 * 86_400).default(86_400).meta({ description: 'For how long deliveries are signed with the secrets so far as well.' }),
  })
  .prefault({});
export type SecretRotation = z.infer<typeof SecretRotation>;

/** Body of `POST /webhooks/{id}/replay`. */
export const ReplayInput = z.strictObject({ from: Instant.meta({ description: 'Events from then on, in the past.' }) });
export type ReplayInput = z.infer<typeof ReplayInput>;

/** Answer of `DELETE /webhooks/{id}/replay`. */
export const StoppedReplay = z.object({ stoppedAt: Time });
export type StoppedReplay = z.infer<typeof StoppedReplay>;

/** Id of a delivery, unique for its webhook. */
export const DeliveryId = z.string().regex(/^[A-Za-z0-9:._~-]{1,160}$/, 'must be the id of a delivery');

/** What a webhook was or is to be sent, and what has become of it. */
export const WebhookDelivery = z.object({
  id: DeliveryId,
  messageId: z.string().meta({ description: 'The `webhook-id` that it is sent under, of an event its id. The same however often it is sent.' }),
  type: z.string().meta({ description: 'The type of the event, or `test`.' }),
  ticketId: Uuid.nullable(),
  state: z.enum(['waiting', 'delivered', 'failed', 'dropped']).meta({ description: '`waiting` for its first or next try. `dropped`: the webhook was switched off or deleted before.' }),
  tries: z.number().int().meta({ description: 'Since it was asked for.' }),
  nextTryAt: Time.nullable(),
  createdAt: Time,
  endedAt: Time.nullable(),
  attempts: z.array(z.object({ at: Time, ms: z.number().int(), isDelivered: z.boolean(), detail: z.string() })).meta({ description: 'The newest 20, oldest first. `detail`: what was answered, or why nothing was.' }),
});
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

/** Answer of `GET /webhooks/{id}/deliveries`, newest first. */
export const WebhookDeliveries = z.object({
  items: z.array(WebhookDelivery),
  nextAfter: z.string().nullable().meta({ description: 'The `after` of the next page; null at the end.' }),
});
export type WebhookDeliveries = z.infer<typeof WebhookDeliveries>;

/** Query of `GET /webhooks/{id}/deliveries`. */
export const DeliveriesQuery = z.strictObject({
  after: single.pipe(z.string().max(300)).default('0').meta({ description: 'The `nextAfter` of the page before; `0` is the start. Opaque.' }),
  limit: wholeNumber(100).default(25),
  state: single.pipe(WebhookDelivery.shape.state).optional(),
});
export type DeliveriesQuery = z.infer<typeof DeliveriesQuery>;

/** Answer of what asks for a delivery: it is on its way. */
export const RequestedDelivery = z.object({ id: DeliveryId, messageId: z.string(), requestedAt: Time });
export type RequestedDelivery = z.infer<typeof RequestedDelivery>;

/** What a webhook is sent: an event as readers outside may know it, and the ticket after it. */
export const WebhookEvent = z.union(eventTypes.map((type) => z.object({ ...eventTold, type: z.literal(shortEventType(type)), data: eventData[type], ticket: Ticket })));
export interface WebhookEvent extends Pick<z.infer<z.ZodObject<typeof eventTold>>, 'id' | 'ticketId' | 'version' | 'at' | 'actor' | 'onBehalfOf'> {
  type: ShortEventType;
  data: unknown;
  ticket: Ticket;
}

/** What a webhook is sent for a test. */
export const WebhookTest = z.object({ id: z.string(), type: z.literal('test'), at: Time, webhookId: Uuid });
export type WebhookTest = z.infer<typeof WebhookTest>;
