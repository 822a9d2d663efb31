import { z } from 'zod';
import { Actor, Assignee } from './principal.js';
import { Slug, Time, Uuid } from './text.js';
import { Comment, Message, Priority, Status, Ticket } from './ticket.js';

/** Any JSON, as it was stored. */
export const AnyJson = z.json();

const Change = z.object({ from: AnyJson, to: AnyJson });

/** Data of every event, by its type. Objects are open: a later version of the product may add fields. */
export const eventData = {
  'ticket.created.v1': z.object({
    title: z.string(),
    description: z.string(),
    priority: Priority,
    assistantId: z.string().nullable(),
    requester: Ticket.shape.requester,
    tags: z.array(z.string()),
    customFields: Ticket.shape.customFields,
    assignee: Assignee.nullable(),
    conversation: z.object({ messages: z.array(Message) }).optional(),
    externalId: z.string().nullable(),
    followUpOf: z.string().nullable(),
  }),
  'ticket.status-changed.v1': z.object({ from: Status, to: Status, comment: Comment.optional() }),
  'ticket.comment-added.v1': z.object({ comment: Comment }),
  'ticket.assignee-changed.v1': z.object({
    from: Assignee.nullable(),
    to: Assignee.nullable(),
    reason: z.enum(['manual', 'self', 'rule']),
    explanation: z.record(z.string(), AnyJson).optional(),
  }),
  'ticket.details-updated.v1': z.object({ changes: z.record(z.string(), Change) }),
  'ticket.conversation-appended.v1': z.object({ messages: z.array(Message) }),
  'ticket.tool-call-recorded.v1': z.object({
    tool: z.string(),
    arguments: z.record(z.string(), AnyJson),
    status: z.enum(['ok', 'error']),
    result: AnyJson.optional(),
    durationMs: z.number().optional(),
    model: z.string().optional(),
    correlationId: z.string().optional(),
  }),
  'ticket.reply-delivery-reported.v1': z.object({
    commentId: z.string(),
    state: z.enum(['delivered', 'failed']),
    channel: z.string(),
    detail: z.string().optional(),
  }),
  'ticket.deleted.v1': z.object({ reason: z.string().optional() }),
  'ticket.restored.v1': z.object({ reason: z.string().optional() }),
} as const;

export type EventType = keyof typeof eventData;
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventData)[T]>;

/** What happened, without the circumstances. */
export type TicketFact = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

/** Value of a record on `ticket.events.v1`; its type is `ce_type`, its id `<ticketId>:<version>`. */
export interface EventValue<T extends EventType = EventType> {
  orgId: string;
  ticketId: string;
  /** The ticket's version after this event: 1, 2, 3 … without gaps. */
  version: number;
  commandId: string;
  actor: Actor;
  onBehalfOf?: Actor | undefined;
  at: string;
  data: EventData<T>;
  /** The whole ticket after this event. */
  ticket: Ticket;
}
/** A stored and published event. */
export type TicketEvent = { [T in EventType]: { type: T } & EventValue<T> }[EventType];

const circumstances = {
  orgId: Slug,
  ticketId: Uuid,
  version: z.number().int().positive(),
  commandId: z.string(),
  actor: Actor,
  onBehalfOf: Actor.optional(),
  at: Time,
  ticket: Ticket,
};

/** Schema of an event record's value, by its `ce_type`. */
export const eventValue = Object.fromEntries(
  Object.entries(eventData).map(([type, data]) => [type, z.object({ ...circumstances, data })]),
) as unknown as { [T in EventType]: z.ZodType<EventValue<T>> };

export const isEventType = (type: string | undefined): type is EventType => type !== undefined && Object.hasOwn(eventData, type);

/** The type as timelines, feeds and filters name it: `status-changed` for `ticket.status-changed.v1`. */
export const shortEventType = (type: EventType) => type.slice('ticket.'.length, -'.v1'.length) as ShortEventType;
export type ShortEventType = EventType extends infer T ? (T extends `ticket.${infer S}.v1` ? S : never) : never;
