import { eventId, shortEventType, type TicketEvent, type WebhookEvent } from '#contracts';
import { is } from '#domain';
import type { StoredWebhook } from './webhook-book.store.js';

/** Whether a webhook is told of an event: what it was made for, what the ticket is after the event, and who did it decide. */
export const isTold = (webhook: StoredWebhook, event: TicketEvent): boolean => webhook.enabled && event.at >= webhook.createdAt && isWanted(webhook, event) && isShown(webhook, event);

function isWanted({ types, exceptActors }: StoredWebhook, { type, actor }: TicketEvent): boolean {
  return (types?.includes(shortEventType(type)) ?? true) && !exceptActors.some((one) => is(one, actor));
}

function isShown({ assistantIds, notes }: StoredWebhook, event: TicketEvent): boolean {
  const { assistantId } = event.ticket;
  const isOfThem = assistantIds === undefined || (assistantId !== null && assistantIds.includes(assistantId));
  return isOfThem && (notes || !isNote(event));
}

/** What a webhook is sent of an event: as the feed tells it, and the ticket after it. */
export function messageOf({ type, ticketId, version, at, actor, onBehalfOf, data, ticket }: TicketEvent): WebhookEvent {
  return { id: eventId(ticketId, version), ticketId, version, type: shortEventType(type), at, actor, ...(onBehalfOf && { onBehalfOf }), data, ticket };
}

const isNote = (event: TicketEvent) => event.type === 'ticket.comment-added.v1' && event.data.comment.kind === 'note';
