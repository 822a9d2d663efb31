import { eventId, shortEventType, type TicketEvent, type WebhookEvent } from '#contracts';
import { is } from '#domain';
import type { StoredWebhook } from './webhook-book.store.js';

/** Whether a webhook is told of an event: what it was made for, what the ticket is after the event, and who did it decide. */
export const isTold = (webhook: StoredWebhook, event: TicketEvent): boolean => webhook.enabled && event.at >= webhook.createdAt && isWanted(webhook, event) && mayBeShown(webhook, shownOf(event));

function isWanted({ types, exceptActors }: StoredWebhook, { type, actor }: TicketEvent): boolean {
  return (types?.includes(shortEventType(type)) ?? true) && !exceptActors.some((one) => is(one, actor));
}

/** What decides whether a webhook may be shown an event. */
export interface Shown {
  /** The ticket's after the event. */
  assistantId: string | null;
  isNote: boolean;
}

/** The same of an event. */
export const shownOf = (event: TicketEvent): Shown => ({ assistantId: event.ticket.assistantId, isNote: event.type === 'ticket.comment-added.v1' && event.data.comment.kind === 'note' });

/** Whether a webhook may be shown an event: by what it is for when it is asked, which may have changed since the event. */
export function mayBeShown({ assistantIds, notes }: StoredWebhook, { assistantId, isNote }: Shown): boolean {
  const isOfThem = assistantIds === undefined || (assistantId !== null && assistantIds.includes(assistantId));
  return isOfThem && (notes || !isNote);
}

/** What a webhook is sent of an event: as the feed tells it, and the ticket after it. */
export function messageOf({ type, ticketId, version, at, actor, onBehalfOf, data, ticket }: TicketEvent): WebhookEvent {
  return { id: eventId(ticketId, version), ticketId, version, type: shortEventType(type), at, actor, ...(onBehalfOf && { onBehalfOf }), data, ticket };
}
