import { z } from 'zod';
import { ApiKey, ApiKeys, CreatedApiKey, NewApiKey } from './api-key.js';
import { Availability } from './availability.js';
import { TicketDeadline, deadlineValue, type DeadlineMessageType } from './deadlines.js';
import { Assistant, AssistantInput, type DirectoryType, directoryValue, Member } from './directory.js';
import { HealthAnswer } from './health.js';
import { InboundResult, inboundValue } from './inbound.js';
import { Notice, NoticeChoice, type NoticeMessageType, NoticePreferences, noticeValue } from './notices.js';
import { Assistants, Me, Members } from './people.views.js';
import { outboundValue } from './outbound.js';
import { Access, Actor, Assignee, Channel, Role, Scope } from './principal.js';
import { Problem, ProblemAnswer, ValidationError } from './problem.js';
import { CommandResult, CommandStatus, PendingCommand } from './result.js';
import { DurationStats, Stats } from './stats.views.js';
import { commandValue, type CommandType, DetailsPatch, ToolCall } from './ticket.commands.js';
import { AnyJson, eventValue, type EventType } from './ticket.events.js';
import { Comment, CommentKind, CustomFields, Delivery, Message, MessageInput, Priority, Requester, Status, Ticket, TicketAnswer } from './ticket.js';
import {
  bodies,
  CommentAnswer,
  CommentPage,
  MessagePage,
  MessagesAnswer,
  Suggestions,
  TicketCounts,
  TicketDetail,
  TicketItem,
  TicketList,
  TimelineItem,
  TimelinePage,
  ToolCallAnswer,
  Transitions,
} from './ticket.views.js';
import { Producer } from './producer.js';
import { resultType } from './topics.js';
import { Webhook, WebhookDelivery, WebhookInput, WebhookReplay } from './webhook.js';

/** `ce_type` of every message on our own topics. */
export type MessageType = CommandType | EventType | typeof resultType | DeadlineMessageType | NoticeMessageType | DirectoryType;

/** Schema of every message's value, by `ce_type`. */
export const messageValue: Readonly<Record<MessageType, z.ZodType>> = {
  ...commandValue,
  ...eventValue,
  [resultType]: CommandResult,
  ...deadlineValue,
  ...noticeValue,
  ...directoryValue,
};

/** What outside systems send and are told, by the names of their schemas: on the wire their `ce_type` is that of the command, of a result, or of the event. */
export const outsideValue: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(Object.entries(inboundValue).map(([type, schema]) => [`inbound.${type}`, schema])),
  'inbound-result.v1': InboundResult,
  ...Object.fromEntries(Object.entries(outboundValue).map(([type, schema]) => [`outbound.${type}`, schema])),
};

/** Shapes that documents call by name; the others stand where they are used. */
const named: Readonly<Record<string, z.ZodType>> = {
  ...{ Access, Actor, AnyJson, Assignee, Assistant, AssistantInput, Assistants, Availability, Channel, Comment, CommentAnswer, CommentKind, CommentPage, CommandStatus, CustomFields, Delivery },
  ...{ DetailsPatch, DurationStats, HealthAnswer, Me, Member, Members, Message, MessageInput, MessagePage, MessagesAnswer, Notice, NoticeChoice, NoticePreferences, PendingCommand, Priority, Problem, ProblemAnswer, Producer },
  ...{ ApiKey, ApiKeys, CreatedApiKey, NewApiKey, Requester, Role, Scope, Stats, Status, Suggestions, Ticket, TicketAnswer, TicketCounts, TicketDeadline, TicketDetail, TicketItem, TicketList },
  ...{ TimelineItem, TimelinePage, ToolCall, ToolCallAnswer, Transitions, ValidationError, TicketInput: bodies.create },
  ...{ Webhook, WebhookDelivery, WebhookInput, WebhookReplay },
};
const names = new Map(Object.entries(named).map(([name, schema]) => [schema, name]));

/** What schemas say of themselves, and their names. */
class Names extends z.core.$ZodRegistry<z.core.GlobalMeta> {
  override get<S extends z.core.$ZodType>(schema: S) {
    const meta = z.globalRegistry.get(schema);
    const id = names.get(schema as unknown as z.ZodType);
    return (id === undefined ? meta : { ...meta, id }) as ReturnType<z.core.$ZodRegistry<z.core.GlobalMeta>['get']>;
  }
}

/** Whole numbers have JSON's own bounds: nothing worth a line. */
function withoutObviousBounds({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Dialects of JSON Schema that documents are written in. */
export type Dialect = 'draft-2020-12' | 'draft-7';

/** `input`: what may be on the wire (default); `output`: what a reader has once it has read it. */
type Side = 'input' | 'output';

/**
 * JSON Schema of a shape; shapes with a name are in its `$defs` (`definitions` in draft 7). What no schema can say is left out: well-formed Unicode, sums,
 * the order of things.
 */
export const jsonSchema = (schema: z.ZodType, { io = 'input', target = 'draft-2020-12' }: { io?: Side; target?: Dialect } = {}): JsonSchema =>
  z.toJSONSchema(schema, { io, target, metadata: new Names(), override: withoutObviousBounds });

/** JSON Schema (draft 2020-12) of a message's value, under its own address. @param type one of `messageValue` or of `outsideValue` */
export const jsonSchemaOf = (type: string, io: Side = 'input'): JsonSchema => ({ ...jsonSchema((messageValue as typeof outsideValue)[type] ?? outsideValue[type]!, { io }), $id: `/schemas/${type}.json`, title: type });
