import { Priority, shortEventType, snippetOf, type CommentKind, type ShortEventType, type Status, type Ticket, type TicketEvent } from '#contracts';
import type { Versioned } from '#persistence';
import { commentIn, messagesIn, viewId } from './events.js';
import { keysOf } from './ticket-keys.js';

/**
 * A ticket as lists and its page serve it. What callers named themselves (custom fields, tool arguments) is kept as JSON text: any
 * key survives every store unchanged, and serving needs no mapping.
 */
export interface TicketView extends Versioned {
  /** organisation/ticket */
  _id: string;
  orgId: string;
  deleted: boolean;
  version: number;
  number: number;
  status: Status;
  /** 0 low … 3 urgent */
  priority: number;
  createdAt: Date;
  updatedAt: Date;
  keys: string[];
  /** The ticket as JSON text, without its description. */
  ticket: string;
  description: string;
  snippet: string;
  /** What another topic tells: see `TicketDeadlinesView`. Events leave it as it is. */
  deadlinesRevision?: number;
  deadlines?: string;
  deadlineStates?: string[];
  dueAt?: Date;
}

/** An event as timelines serve it, with what the other pages of a ticket are found by. */
export interface TimelineRow {
  /** organisation/ticket/version, the version in ten digits */
  _id: string;
  version: number;
  type: ShortEventType;
  at: string;
  /** Of the comment that it carries, a status change's too. */
  kind?: CommentKind;
  /** How many messages of the conversation it carries. */
  messages?: number;
  /** The reply whose delivery it reports. */
  reply?: string;
  /** The timeline's item as JSON text. */
  item: string;
}

/** `_id` of a timeline row. The rows of a ticket lie between those of version 0 and of the version behind the last. */
export const rowId = (orgId: string, ticketId: string, version: number | string) => `${viewId(orgId, ticketId)}/${String(version).padStart(10, '0')}`;

/** The outcome of new events of one ticket. */
export interface Folded {
  newest: TicketEvent;
  /** Versions that are missing between what was known and what came: an operational fault, never normal. */
  missing: number;
}

/** Folds events of one ticket, oldest first, onto the version that is known of it. Undefined when all of them are known already. */
export function fold(known: number, events: readonly TicketEvent[]): Folded | undefined {
  let [newest, last, missing]: [TicketEvent | undefined, number, number] = [undefined, known, 0];
  for (const event of events) {
    if (event.version <= last) continue;
    missing += event.version - last - 1;
    [newest, last] = [event, event.version];
  }
  return newest && { newest, missing };
}

/** The view after its newest event. Only a deletion leaves a ticket deleted: nothing but `restored` may follow it. */
export function viewOf({ ticket, orgId, type, version }: TicketEvent): TicketView {
  const { description, ...rest } = ticket;
  return {
    _id: viewId(orgId, ticket.id),
    orgId,
    deleted: type === 'ticket.deleted.v1',
    version,
    number: ticket.number,
    status: ticket.status,
    priority: priorityRank(ticket.priority),
    createdAt: new Date(ticket.createdAt),
    updatedAt: new Date(ticket.updatedAt),
    keys: keysOf(ticket),
    ticket: JSON.stringify(rest),
    description,
    snippet: snippetOf(ticket),
  };
}

/** The timeline's row of an event. */
export function rowOf(event: TicketEvent): TimelineRow {
  const { orgId, ticketId, version, at, actor, onBehalfOf, data } = event;
  const type = shortEventType(event.type);
  return {
    _id: rowId(orgId, ticketId, version),
    version,
    type,
    at,
    ...carried(event),
    item: JSON.stringify({ version, type, at, actor, onBehalfOf, data }),
  };
}

/** Rank of a priority, as it is sorted by. */
export const priorityRank = (priority: Ticket['priority']) => Priority.options.indexOf(priority);

function carried(event: TicketEvent): Pick<TimelineRow, 'kind' | 'messages' | 'reply'> {
  const [comment, messages] = [commentIn(event), messagesIn(event)];
  return {
    ...(comment && { kind: comment.kind }),
    ...(messages.length > 0 && { messages: messages.length }),
    ...(event.type === 'ticket.reply-delivery-reported.v1' && { reply: event.data.commentId }),
  };
}
