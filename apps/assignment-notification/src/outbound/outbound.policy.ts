import type { OutboundEvent, Producer, TicketEvent } from '#contracts';
import { sees } from '#domain';
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

/** What an outside system is told of an event: the same whenever it is told. */
export const outboundEvent = (event: TicketEvent): OutboundEvent => ({ orgId: event.orgId, ...messageOf(event) });
