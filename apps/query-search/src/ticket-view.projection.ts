import { Priority, shortEventType, snippetOf, type Comment, type CommentKind, type Message, type ShortEventType, type Status, type Ticket, type TicketEvent } from '#contracts';
import { keysOf } from './ticket-keys.js';
import { heard, ticketWords, wordLimits, type Heard } from './words.js';

/**
 * A ticket as lists and its page serve it. What callers named themselves (custom fields, tool arguments) is kept as JSON text: any
 * key survives every store unchanged, and serving needs no mapping.
 */
export interface TicketView extends Heard {
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
  tokens: string[];
  open?: string[];
  /** The ticket as JSON text, without its description. */
  ticket: string;
  description: string;
  snippet: string;
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

/** `_id` of a ticket's view. */
export const viewId = (orgId: string, ticketId: string) => `${orgId}/${ticketId}`;
/** `_id` of a timeline row. The rows of a ticket lie between those of version 0 and of the version behind the last. */
export const rowId = (orgId: string, ticketId: string, version: number | string) => `${orgId}/${ticketId}/${String(version).padStart(10, '0')}`;

/** What the projection has to know of a view to go on from it. */
export type Known = Pick<TicketView, 'version'> & Heard;

/** The outcome of new events of one ticket. */
export interface Folded extends Heard {
  newest: TicketEvent;
  /** Versions that are missing between what was known and what came: an operational fault, never normal. */
  missing: number;
  /** Whether what the ticket is found by may have changed. */
  reworded: boolean;
}

/** Folds events of one ticket, oldest first, into what is known of it. Events that are known already are left out; undefined when all are. */
export function fold(known: Known | undefined, events: readonly TicketEvent[]): Folded | undefined {
  let folded: Folded | undefined;
  for (const event of events) {
    const before = folded ? { ...folded, version: folded.newest.version } : (known ?? unheard);
    if (event.version > before.version) folded = step(before, event);
  }
  return folded;
}

const unheard = { version: 0, said: '', noted: '' };

function step(before: Known & Partial<Folded>, event: TicketEvent): Folded {
  const gap = event.version - before.version - 1;
  const reworded = before.reworded === true || gap > 0 || touchesWords(event);
  return { newest: event, ...listen(before, event), missing: (before.missing ?? 0) + gap, reworded };
}

/** The view after the newest event, but for what the ticket is found by. Only a deletion leaves a ticket deleted: nothing but `restored` may follow it. */
export function viewOf({ newest }: Pick<Folded, 'newest'>): Omit<TicketView, 'tokens' | 'open' | keyof Heard> {
  const { ticket, orgId, type } = newest;
  const { description, ...rest } = ticket;
  return {
    _id: viewId(orgId, ticket.id),
    orgId,
    deleted: type === 'ticket.deleted.v1',
    version: newest.version,
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

/** What the ticket is found by after the newest event. */
export const foundBy = ({ newest, said, noted }: Folded): Pick<TicketView, 'tokens' | 'open' | keyof Heard> => ({
  said,
  noted,
  ...ticketWords(newest.ticket, { said, noted }),
});

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

/** The comment that an event carries. */
export function commentIn({ type, data }: Pick<TicketEvent, 'type' | 'data'>): Comment | undefined {
  return type === 'ticket.comment-added.v1' || type === 'ticket.status-changed.v1' ? (data as { comment?: Comment }).comment : undefined;
}

/** The messages of the conversation that an event carries. */
export function messagesIn(event: TicketEvent): Message[] {
  if (event.type === 'ticket.conversation-appended.v1') return event.data.messages;
  return event.type === 'ticket.created.v1' ? (event.data.conversation?.messages ?? []) : [];
}

function listen({ said, noted }: Heard, event: TicketEvent): Heard {
  const comment = commentIn(event);
  if (comment?.kind === 'note') return { said, noted: heard(noted, [comment.body], wordLimits.noted) };
  const texts = [...(comment ? [comment.body] : []), ...messagesIn(event).map(({ content }) => content)];
  return { said: heard(said, texts, wordLimits.said), noted };
}

const touchesWords = (event: TicketEvent) =>
  event.type === 'ticket.created.v1' || event.type === 'ticket.details-updated.v1' || commentIn(event) !== undefined || messagesIn(event).length > 0;
