import { z } from 'zod';
import { Actor, Assignee, Channel } from './principal.js';
import { Instant, maxJsonDepth, PersonId, Slug, text, Time, trimmedText, Uuid } from './text.js';

/** Sizes that the contract promises (section 3); counts are per ticket unless named otherwise. */
export const limits = {
  title: 200,
  description: 50_000,
  comment: 50_000,
  message: 50_000,
  tags: 20,
  tag: 50,
  customFields: 50,
  customFieldKey: 64,
  customFieldText: 1_000,
  messagesPerCall: 200,
  comments: 5_000,
  messages: 10_000,
  requestBytes: 256 * 1024,
  jsonDepth: maxJsonDepth,
} as const;

export const Status = z.enum(['open', 'pending', 'resolved', 'closed']);
export type Status = z.infer<typeof Status>;

/** A status where one is read: `in_progress` and `in-progress` mean `pending`. */
export const StatusInput = z
  .enum([...Status.options, 'in_progress', 'in-progress'])
  .transform((status) => (status === 'in_progress' || status === 'in-progress' ? 'pending' : status))
  .pipe(Status);

export const Priority = z.enum(['low', 'normal', 'high', 'urgent']);
export type Priority = z.infer<typeof Priority>;

export const Title = trimmedText(limits.title);
export const Description = text(limits.description);
export const CommentBody = text(limits.comment, 1).refine((body) => body.trim() !== '', 'must not be blank');

const distinct = (tags: string[]) => [...new Set(tags)];
export const Tags = z.array(trimmedText(limits.tag)).max(limits.tags).transform(distinct).pipe(z.array(z.string()));

/** The person a ticket is for; what is not known is left out. */
export const Requester = z.strictObject({ id: text(255, 1).optional(), name: text(255, 1).optional(), email: z.email('must be an e-mail address').max(254).optional() });
export type Requester = z.infer<typeof Requester>;

export const CustomFieldKey = text(limits.customFieldKey, 1);
const customFieldKinds = `must be a text of at most ${limits.customFieldText} characters, a number or a boolean`;
export const CustomFieldValue = z.union([text(limits.customFieldText), z.number(), z.boolean()], customFieldKinds);
export type CustomFieldValue = z.infer<typeof CustomFieldValue>;
/** What a merge-patch makes of a custom field: null removes it. */
export const CustomFieldPatch = z.union([...CustomFieldValue.options, z.null()], `${customFieldKinds}, or null to remove the field`);
const tooMany = { error: `must have at most ${limits.customFields} fields`, params: { code: 'too_big' } };
export const CustomFields = z
  .record(CustomFieldKey, CustomFieldValue)
  .refine((fields) => Object.keys(fields).length <= limits.customFields, tooMany);
export type CustomFields = z.infer<typeof CustomFields>;

/** One message of the linked conversation as histories hold it. */
export const Message = z.object({
  id: text(64, 1),
  role: z.enum(['user', 'assistant', 'tool', 'system']),
  content: text(limits.message),
  at: Time,
  name: text(255).optional(),
});
export type Message = z.infer<typeof Message>;

/** A message as callers send it: an id and a time of its own are welcome and not required. */
export const MessageInput = z.strictObject({
  id: text(64, 1).optional(),
  role: Message.shape.role,
  content: Message.shape.content,
  at: Instant.optional(),
  name: text(255).optional(),
});
export type MessageInput = z.infer<typeof MessageInput>;
const distinctIds = ({ value, issues }: z.core.ParsePayload<MessageInput[]>) => {
  const seen = new Set<string>();
  for (const [index, { id }] of value.entries()) {
    if (id === undefined || seen.size !== seen.add(id).size) continue;
    issues.push({ code: 'custom', path: [index, 'id'], message: 'is the id of an earlier message', input: id, params: { code: 'duplicate' } });
  }
};
export const MessageInputs = z.array(MessageInput).min(1).max(limits.messagesPerCall).check(distinctIds);

export const CommentKind = z.enum(['comment', 'note', 'reply']);
export type CommentKind = z.infer<typeof CommentKind>;

/** What became of a reply on its way to the requester. */
export const Delivery = z.object({
  state: z.enum(['pending', 'delivered', 'failed']),
  channel: z.string().optional().meta({ description: 'How it was sent, such as `email`.' }),
  detail: z.string().optional().meta({ description: 'What the channel said about it.' }),
  at: Time.optional(),
});
export type Delivery = z.infer<typeof Delivery>;

/** A comment for the team and agents, a note for the team only, or a reply to the requester. `version` is the ticket's after it. */
export const Comment = z.object({
  id: z.string(),
  kind: CommentKind,
  body: z.string(),
  author: Actor,
  at: Time,
  version: z.number().int().meta({ description: 'The version of the ticket that the comment made.' }),
  delivery: Delivery.optional().meta({ description: 'Of a reply only: what became of it on its way to the requester.' }),
});
export type Comment = z.infer<typeof Comment>;

/** The whole ticket, without `allowedTransitions`, which each door adds for its caller. */
export const Ticket = z.object({
  id: Uuid,
  number: z.number().int().positive().meta({ description: 'What people call the ticket: unique in the organisation, rising; numbers may be skipped.' }),
  title: z.string(),
  description: z.string(),
  status: Status,
  priority: Priority,
  assistantId: Slug.nullable().meta({ description: 'The assistant whose ticket it is; null for none.' }),
  requester: z
    .object({ id: z.string().optional(), name: z.string().optional(), email: z.string().optional() })
    .nullable()
    .meta({ description: 'The person the ticket is for; what is not known is left out.' }),
  assignee: Assignee.nullable().meta({ description: 'Who works on it; null for nobody.' }),
  tags: z.array(z.string()),
  customFields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  channel: Channel,
  createdBy: Actor,
  externalId: z.string().nullable().meta({ description: 'What an outside system calls the ticket.' }),
  followUpOf: Uuid.nullable().meta({ description: 'Id of the closed ticket that it follows up.' }),
  createdAt: Time,
  updatedAt: Time.meta({ description: 'Time of the newest event.' }),
  firstRepliedAt: Time.nullable(),
  resolvedAt: Time.nullable(),
  closedAt: Time.nullable(),
  commentCount: z.number().int().meta({ description: 'Comments and replies; notes are not counted.' }),
  version: z.number().int().positive().meta({ description: 'Rises by one with every event, from 1, without gaps. It is the `ETag`.' }),
});
export type Ticket = z.infer<typeof Ticket>;

/** A ticket as one caller sees it: with the moves that caller may make now. */
export const TicketAnswer = Ticket.extend({ allowedTransitions: z.array(Status).meta({ description: 'The moves that the caller may make now.' }) });
export type TicketAnswer = z.infer<typeof TicketAnswer>;

/** Who somebody else may be assigned as, before the door looked up the name. */
export const AssigneeInput = z.strictObject({ type: z.enum(['member', 'agent']), id: PersonId });
export type AssigneeInput = z.infer<typeof AssigneeInput>;
