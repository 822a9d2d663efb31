import type { Comment, Message, TicketEvent } from '#contracts';
import type { DeadLetter, Round } from '#messaging';
import { readEvent } from './event-record.js';

/** An event and where its record lies. */
export interface PlacedEvent {
  event: TicketEvent;
  partition: number;
  offset: number;
}

/** What a round of the events topic holds: events, in order, and how many records of a type that is not known here (yet). */
export interface ReadRound {
  events: TicketEvent[];
  /** The same, with where their records lie. */
  placed: PlacedEvent[];
  dead: DeadLetter[];
  unknown: number;
}

/** Reads a round of the events topic. */
export function eventsIn({ records }: Round): ReadRound {
  const round: ReadRound = { events: [], placed: [], dead: [], unknown: 0 };
  for (const record of records) {
    const read = readEvent(record);
    if ('event' in read) round.placed.push({ event: read.event, partition: record.partition, offset: Number(record.offset) });
    else if ('dead' in read) round.dead.push(read.dead);
    else round.unknown += 1;
  }
  round.events = round.placed.map(({ event }) => event);
  return round;
}

/** `_id` of what is stored of a ticket. */
export const viewId = (orgId: string, ticketId: string) => `${orgId}/${ticketId}`;

/** Events by the `_id` of their ticket, each ticket's in order. */
export function byTicket(events: readonly TicketEvent[]): Map<string, TicketEvent[]> {
  const tickets = new Map<string, TicketEvent[]>();
  for (const event of events) {
    const id = viewId(event.orgId, event.ticketId);
    const ofTicket = tickets.get(id);
    if (ofTicket) ofTicket.push(event);
    else tickets.set(id, [event]);
  }
  return tickets;
}

/**
 * Tickets of which something may be stored that these events go on from. Of one whose events are all here from its first on nothing
 * has to be known: where it is stored nevertheless, since they came again, the newer version decides.
 */
export const continued = (tickets: ReadonlyMap<string, readonly TicketEvent[]>): string[] =>
  [...tickets].filter(([, events]) => events.some(({ version }, i) => version !== i + 1)).map(([id]) => id);

/** The comment that an event carries. */
export function commentIn({ type, data }: Pick<TicketEvent, 'type' | 'data'>): Comment | undefined {
  return type === 'ticket.comment-added.v1' || type === 'ticket.status-changed.v1' ? (data as { comment?: Comment }).comment : undefined;
}

/** The messages of the conversation that an event carries. */
export function messagesIn(event: TicketEvent): Message[] {
  if (event.type === 'ticket.conversation-appended.v1') return event.data.messages;
  return event.type === 'ticket.created.v1' ? (event.data.conversation?.messages ?? []) : [];
}
