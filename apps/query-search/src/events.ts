import type { Comment, Message, TicketEvent } from '#contracts';

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
