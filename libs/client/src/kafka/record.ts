import type { Message } from 'kafkajs';
import type { InboundRecord } from '../types.js';

export type { InboundRecord } from '../types.js';

/** The topic where a system sends what it wants, and the one where it is told what became of it. */
export const topicsOf = (system: string) => ({ inbound: `ticket.inbound.${system}.v1`, results: `ticket.inbound-results.${system}.v1` });

/**
 * A CloudEvents record in Kafka's binary mode. Records of one ticket have one key, so that they stay in order, as long as the ticket is always called
 * the same way: by its id, or by the external one.
 */
export function messageOf(system: string, record: InboundRecord, id: string): Message {
  const { type, ...value } = record;
  const { orgId, ticketId, externalId } = record;
  const headers = {
    ce_specversion: '1.0',
    ce_id: id,
    ce_type: `ticket.${type}.v1`,
    ce_source: `/systems/${system}`,
    ce_time: new Date().toISOString(),
    ce_orgid: orgId,
    'content-type': 'application/json',
  };
  return { key: ticketId ?? `${orgId}/${externalId ?? id}`, value: JSON.stringify(value), headers };
}
