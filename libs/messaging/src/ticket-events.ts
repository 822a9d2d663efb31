import { eventValue, isEventType, maxEventBytes, type TicketEvent } from '#contracts';
import { readEnvelope } from './envelope.js';
import type { DeadLetter, DeadLetterReason, IncomingRecord, Round } from './record.js';

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

/** What a record on `ticket.events.v1` is: an event, one of a type that is not known here (yet), or nothing that can be used. */
export type ReadEvent = { event: TicketEvent } | { unknown: string } | { dead: DeadLetter };

/** Reads a record of the events topic. Nothing behind it checks again. */
export function readEvent(record: IncomingRecord): ReadEvent {
  const { type } = readEnvelope(record);
  const dead = (reason: DeadLetterReason, detail: string): ReadEvent => ({ dead: { record, reason, detail } });
  const value = valueOf(record);
  if ('reason' in value) return { dead: value };
  if (!isEventType(type)) return type ? { unknown: type } : dead('schema-invalid', 'ce_type is missing');
  const result = eventValue[type].safeParse(value.json);
  if (!result.success) return dead('schema-invalid', result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  const event = { type, ...result.data } as TicketEvent;
  const contradiction = contradictionIn(record, event);
  return contradiction ? dead(...contradiction) : { event };
}

/** The JSON of a record, or why it cannot be used at all. No record is null: none of our topics that are read here is compacted. */
export function valueOf(record: IncomingRecord): { json: unknown } | DeadLetter {
  const { value } = record;
  if (value !== null && value.length > maxEventBytes) return { record, reason: 'oversize', detail: `${value.length} bytes` };
  try {
    const json: unknown = value === null ? null : JSON.parse(value.toString('utf8'));
    if (json !== null) return { json };
    return { record, reason: 'not-json', detail: 'the value is null' };
  } catch {
    return { record, reason: 'not-json', detail: 'the value is not JSON' };
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
