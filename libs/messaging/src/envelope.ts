import type { IncomingRecord } from './record.js';

/** Attributes of a message: CloudEvents 1.0 in Kafka's binary mode, with the organisation as extension `orgid`. */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly orgId: string;
  readonly traceparent?: string;
  /** Which sending of a command this is, or which one a result answers: the same command may be sent by several. */
  readonly attempt?: string;
}

/** The headers of a message whose value is JSON. */
export function toHeaders(envelope: Envelope): Record<string, string> {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: envelope.id,
    ce_type: envelope.type,
    ce_source: envelope.source,
    ce_subject: envelope.subject,
    ce_time: envelope.time,
    ce_orgid: envelope.orgId,
    'content-type': 'application/json',
  };
  if (envelope.traceparent !== undefined) headers['traceparent'] = envelope.traceparent;
  if (envelope.attempt !== undefined) headers['attempt'] = envelope.attempt;
  return headers;
}

/** What the headers say, unchecked: a missing attribute is undefined, and the consumer's schema judges the rest. */
export function readEnvelope({ headers }: Pick<IncomingRecord, 'headers'>): { readonly [name in keyof Envelope]?: Envelope[name] } & {
  readonly specversion?: string;
} {
  return {
    specversion: headers['ce_specversion'],
    id: headers['ce_id'],
    type: headers['ce_type'],
    source: headers['ce_source'],
    subject: headers['ce_subject'],
    time: headers['ce_time'],
    orgId: headers['ce_orgid'],
    traceparent: headers['traceparent'],
    attempt: headers['attempt'],
  };
}
