import type { TicketEvent } from '#contracts';
import { dayOf } from './cell.projection.js';

/** A day whose tickets have changed: of which organisation, and when what changed them was published, ms since the epoch. */
export interface Change {
  orgId: string;
  day: string;
  at: number;
}

/** The days that events change something on that is counted, each once. @param at when the first of these events was published */
export function changedDays(events: readonly TicketEvent[], at: number): Change[] {
  const days = new Map<string, Change>();
  for (const { orgId, ticket } of events.filter(matters)) {
    const day = dayOf(Date.parse(ticket.createdAt));
    days.set(`${orgId}/${day}`, { orgId, day, at });
  }
  return [...days.values()];
}

/** Whether an event changes anything that is counted. */
function matters(event: TicketEvent): boolean {
  switch (event.type) {
    case 'ticket.conversation-appended.v1':
    case 'ticket.tool-call-recorded.v1':
    case 'ticket.reply-delivery-reported.v1':
      return false;
    case 'ticket.comment-added.v1':
      return event.data.comment.kind === 'reply';
    default:
      return true;
  }
}
