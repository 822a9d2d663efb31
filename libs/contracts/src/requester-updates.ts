import { z } from 'zod';
import type { Actor } from './principal.js';
import { Slug, text, Time, Uuid } from './text.js';
import { Ticket } from './ticket.js';

/** What a requester may be told about their ticket, beside replies. */
export const UpdateKind = z.enum(['received', 'resolved', 'reopened', 'closed']);
export type UpdateKind = z.infer<typeof UpdateKind>;

const placeholders = '`{{name}}`, `{{number}}`, `{{title}}` and `{{assistant}}` stand for the requester’s name, the ticket’s number and title, and the name of its assistant.';

/** Whether requesters are told, and in which words. */
export const UpdateText = z.strictObject({
  enabled: z.boolean(),
  text: text(5_000, 1)
    .refine((words) => words.trim() !== '', 'must not be blank')
    .nullable()
    .default(null)
    .meta({ description: `Plain text; null for ours. ${placeholders}` }),
});
export type UpdateText = z.infer<typeof UpdateText>;

const shape = Object.fromEntries(UpdateKind.options.map((kind) => [kind, UpdateText.optional()])) as Record<UpdateKind, z.ZodOptional<typeof UpdateText>>;

/** Body of `PUT /assistants/{id}/requester-updates`: what is left out is as if nobody had said anything. */
export const RequesterUpdatesInput = z.strictObject(shape);
export type RequesterUpdatesInput = z.infer<typeof RequesterUpdatesInput>;

/** What requesters of an assistant’s tickets are told. */
export const RequesterUpdates = z.object({ id: Slug.meta({ description: 'The assistant.' }), ...shape });
export type RequesterUpdates = z.infer<typeof RequesterUpdates>;

/** What became of a mail that came in. */
export const InboundEmailAnswer = z.object({
  outcome: z.enum(['opened', 'appended', 'ignored']).meta({ description: '`ignored`: an automatic answer, or one of our own.' }),
  ticketId: z.string().optional(),
  reason: z.string().optional().meta({ description: 'Why it was ignored.' }),
});
export type InboundEmailAnswer = z.infer<typeof InboundEmailAnswer>;

/** In whose name the gateway hands on mails that came in. */
export const inboundEmailActor = { type: 'system', id: 'inbound-email', name: 'Inbound e-mail' } as const satisfies Actor;

/** Largest mail that is taken, bytes. */
export const maxInboundEmailBytes = 10 * 1024 * 1024;

/** Answer of `POST /tickets/{id}/replies/{commentId}/send`. */
export const ReplySending = z.object({ commentId: z.string(), state: z.literal('pending') });
export type ReplySending = z.infer<typeof ReplySending>;

const DeliveryUrl = z
  .string()
  .max(2_048)
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).username === '' && new URL(value).password === '', { error: 'must be an absolute https URL without user and password', params: { code: 'bad_url' } })
  .meta({ maxLength: 2_048, format: 'uri', description: '`https`, and an address that everybody may reach.' });

/** Body of `PUT /assistants/{id}/delivery`. */
export const AssistantDeliveryInput = z.strictObject({
  url: DeliveryUrl,
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64')
    .meta({ description: 'What deliveries are signed with, as Standard Webhooks has it. It is never told again.' }),
});
export type AssistantDeliveryInput = z.infer<typeof AssistantDeliveryInput>;

/** Where an assistant takes messages to those it talks with. */
export const AssistantDelivery = z.object({ id: Slug.meta({ description: 'The assistant.' }), url: z.string() });
export type AssistantDelivery = z.infer<typeof AssistantDelivery>;

/** Body of what is posted there: what somebody is to be told in the conversation that a ticket came from. */
export const RequesterMessage = z.object({
  type: z.literal('requester.message'),
  id: z.string().meta({ description: 'The same whenever it is sent again; `webhook-id`, too.' }),
  at: Time,
  orgId: Slug,
  ticketId: Uuid,
  number: z.number().int(),
  externalId: z.string().nullable(),
  assistantId: Slug,
  requester: Ticket.shape.requester,
  kind: z.enum(['reply', ...UpdateKind.options]),
  text: z.string(),
  commentId: z.string().optional(),
});
export type RequesterMessage = z.infer<typeof RequesterMessage>;
