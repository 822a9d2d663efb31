import { eventValue, isEventType, maxEventBytes, type TicketEvent } from '#contracts';
import { readEnvelope, type DeadLetter, type DeadLetterReason, type IncomingRecord } from '#messaging';

/** What a record on `ticket.events.v1` is: an event, one of a type that is not known here (yet), or nothing that can be used. */
export type ReadEvent = { event: TicketEvent } | { unknown: string } | { dead: DeadLetter };

/** Reads a record of the events topic. Nothing behind it checks again. */
export function readEvent(record: IncomingRecord): ReadEvent {
  const { type } = readEnvelope(record);
  const dead = (reason: DeadLetterReason, detail: string): ReadEvent => ({ dead: { record, reason, detail } });
  if (record.value !== null && record.value.length > maxEventBytes) return dead('oversize', `${record.value.length} bytes`);
  const json = parsed(record.value);
  if (json === undefined) return dead('not-json', 'the value is not JSON');
  if (type === undefined || type === '') return dead('schema-invalid', 'ce_type is missing');
  if (!isEventType(type)) return { unknown: type };
  const result = eventValue[type].safeParse(json);
  if (!result.success) return dead('schema-invalid', result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  const event = { type, ...result.data } as TicketEvent;
  const contradiction = contradictionIn(record, event);
  return contradiction ? dead(...contradiction) : { event };
}

/** Undefined for anything that is not an object: null and numbers are JSON, too, but nothing that we write. */
export function parsed(value: Buffer | null): unknown {
  if (value === null) return undefined;
  try {
    return JSON.parse(value.toString('utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What keeps an event from being what its record says. Views trust that the ticket is the event's and that its times are times. */
function contradictionIn(record: IncomingRecord, { orgId: org, ticketId, version, at, ticket }: TicketEvent): [DeadLetterReason, string] | undefined {
  const { orgId = org } = readEnvelope(record);
  if (record.key?.toString().toLowerCase() !== ticketId) return ['key-mismatch', 'the key is not the ticket id'];
  if (orgId !== org) return ['organisation-mismatch', `ce_orgid is ${orgId}, the value says ${org}`];
  if (ticket.id !== ticketId || ticket.version !== version) return ['schema-invalid', 'the ticket is not the one of this event'];
  const areTimes = [at, ticket.createdAt, ticket.updatedAt].every((time) => !Number.isNaN(Date.parse(time)));
  return areTimes ? undefined : ['schema-invalid', 'a time is none'];
}
