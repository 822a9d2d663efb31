import { z } from 'zod';
import { Access, Actor, Assignee, Channel } from './principal.js';
import { Instant, Json, JsonObject, Slug, text, Uuid } from './text.js';
import { CommentBody, CommentKind, CustomFieldKey, CustomFieldPatch, CustomFields, Description, MessageInputs, Priority, Requester, Status, Tags, Title } from './ticket.js';

/** A message on its way to the decider: the door has given it an id; its time is the decision's where the caller named none. */
const StampedMessages = MessageInputs.refine((messages) => messages.every(({ id }) => id !== undefined), 'every message needs an id');

/** On the command topic nothing unknown passes, in no depth. */
const StampedActor = z.strictObject(Actor.shape);
const StampedAssignee = z.strictObject(Assignee.shape);

/**
 * The door found no such assignee or assistant in the organisation. It does not refuse the request itself: the directory changes, and a repeat under the
 * same key must meet the first answer.
 */
const unknownAssignee = z.literal(true).optional();
const unknownAssistant = z.literal(true).optional();

const Create = z.strictObject({
  title: Title,
  description: Description.optional(),
  priority: Priority.optional(),
  assistantId: Slug.nullable().optional(),
  unknownAssistant,
  requester: Requester.nullable().optional(),
  tags: Tags.optional(),
  customFields: CustomFields.optional(),
  assignee: StampedAssignee.nullable().optional(),
  unknownAssignee,
  conversation: z.strictObject({ messages: StampedMessages }).optional(),
  externalId: text(255, 1).nullable().optional(),
  followUpOf: Uuid.nullable().optional(),
});

/** A merge-patch (RFC 7396) of the details: what is absent stays, null empties. */
export const DetailsPatch = z.strictObject({
  title: Title.optional(),
  description: Description.nullable().optional(),
  priority: Priority.optional(),
  tags: Tags.nullable().optional(),
  requester: z
    .strictObject({
      id: Requester.shape.id.unwrap().nullable().optional(),
      name: Requester.shape.name.unwrap().nullable().optional(),
      email: Requester.shape.email.unwrap().nullable().optional(),
    })
    .nullable()
    .optional(),
  customFields: z.record(CustomFieldKey, CustomFieldPatch).nullable().optional(),
  assistantId: Slug.nullable().optional(),
});
export type DetailsPatch = z.infer<typeof DetailsPatch>;

/** A call of a tool that an agent made while it worked on the ticket. */
export const ToolCall = z.strictObject({
  tool: text(200, 1),
  arguments: JsonObject,
  status: z.enum(['ok', 'error']),
  result: Json.optional(),
  durationMs: z.number().min(0).max(86_400_000).optional(),
  model: text(200, 1).optional(),
  correlationId: text(200, 1).optional(),
});
export type ToolCall = z.infer<typeof ToolCall>;

const ReplyDelivery = z.strictObject({
  commentId: Uuid,
  state: z.enum(['delivered', 'failed']),
  channel: text(50, 1),
  detail: text(1_000).optional(),
});

const WithReason = z.strictObject({ reason: text(1_000, 1).optional() });

/** Data of every command, by its type. A new command starts here. */
export const commandData = {
  'ticket.create.v1': Create,
  'ticket.change-status.v1': z.strictObject({ to: Status, comment: CommentBody.optional() }),
  'ticket.add-comment.v1': z.strictObject({ kind: CommentKind, body: CommentBody }),
  'ticket.assign.v1': z.strictObject({
    to: StampedAssignee.nullable(),
    unknownAssignee,
    reason: z.enum(['manual', 'self', 'rule']).optional(),
    ifAssignee: StampedAssignee.partial({ name: true }).nullable().optional(),
    explanation: JsonObject.optional(),
  }),
  'ticket.update-details.v1': DetailsPatch.extend({ unknownAssistant, ifPriority: Priority.optional() }),
  'ticket.append-conversation.v1': z.strictObject({ messages: StampedMessages }),
  'ticket.record-tool-call.v1': ToolCall,
  'ticket.report-reply-delivery.v1': ReplyDelivery,
  'ticket.delete.v1': WithReason,
  'ticket.restore.v1': WithReason,
} as const;

export type CommandType = keyof typeof commandData;
export type CommandData<T extends CommandType = CommandType> = z.infer<(typeof commandData)[T]>;

/** Where an inbound record that became a command came from. */
export const Origin = z.strictObject({
  system: Slug,
  id: z.string(),
  topic: z.string(),
  partition: z.number().int(),
  offset: z.string(),
});
export type Origin = z.infer<typeof Origin>;

const stamp = {
  orgId: Slug,
  ticketId: Uuid,
  actor: StampedActor,
  access: z.strictObject(Access.shape),
  channel: Channel,
  onBehalfOf: StampedActor.optional(),
  expectedVersion: z.number().int().positive().optional(),
  payloadHash: z.string().min(1).max(128),
  origin: Origin.optional(),
  at: Instant.optional().meta({ description: 'When it happened, for operators who bring in history. Only a ticket-command with ALLOW_PAST_COMMANDS=true takes it.' }),
};

/** Value of a record on `ticket.commands.v1`, by its `ce_type`; the command id is `ce_id`. */
export const commandValue = Object.fromEntries(
  Object.entries(commandData).map(([type, data]) => [type, z.strictObject({ ...stamp, data })]),
) as unknown as { [T in CommandType]: z.ZodType<CommandValue<T>> };

/** What every command says beside its data: who, for which organisation and ticket, with which rights. */
export interface Stamp {
  orgId: string;
  ticketId: string;
  actor: Actor;
  access: Access;
  channel: Channel;
  onBehalfOf?: Actor | undefined;
  /** The version the caller decided on; another one refuses the command. */
  expectedVersion?: number | undefined;
  /** Hash of the request as the caller sent it: tells a repeat from another request under the same key. */
  payloadHash: string;
  origin?: Origin | undefined;
  /**
   * When it happened, where that was before it is told: operators bring in history so. No door sets it, and only a ticket-command started with
   * ALLOW_PAST_COMMANDS=true takes it; elsewhere such a command is a dead letter.
   */
  at?: string | undefined;
}
export type CommandValue<T extends CommandType = CommandType> = Stamp & { data: CommandData<T> };

/** A command on a ticket, as doors send it and the decider takes it. */
export type TicketCommand = { [T in CommandType]: { type: T; commandId: string } & CommandValue<T> }[CommandType];

export const isCommandType = (type: string | undefined): type is CommandType => type !== undefined && Object.hasOwn(commandData, type);

/** Largest value of a command record, bytes (contract section 5, `oversize`). */
export const maxCommandBytes = 512 * 1024;
/** Largest value of an event or result record, bytes: below the topics' 1 MiB with room for key and headers. */
export const maxEventBytes = 1_000_000;
