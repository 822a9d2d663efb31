import { eventId, eventSource, outboundTopic, type OutboundEvent, type Producer, type TicketEvent } from '#contracts';
import { sees } from '#domain';
import { toHeaders, type OutgoingRecord } from '#messaging';
import { messageOf, shownOf } from '../webhooks/webhook.policy.js';

/**
 * Whether an outside system is told of an event: from when on it is, the ticket after the event, and whether it is a note decide.
 * @param producer what the organisation lets it do now, with no assistant that is gone
 */
export function isTold({ id, name, assistantIds, outbound }: Producer, event: TicketEvent): boolean {
  if (outbound === undefined || event.at < outbound.from) return false;
  const system = { actor: { type: 'system' as const, id, name }, access: { assistantIds } };
  return (outbound.notes || !shownOf(event).isNote) && sees(system, event.ticket);
}

/** What an outside system is told of an event: the same to the byte whenever it is told. */
export function outboundRecord(system: string, event: TicketEvent): OutgoingRecord {
  const { orgId, ticketId, version, type, at } = event;
  const value: OutboundEvent = { orgId, ...messageOf(event) };
  const headers = toHeaders({ id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId });
  return { topic: outboundTopic(system), key: ticketId, value: JSON.stringify(value), headers };
}
