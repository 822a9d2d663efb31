import { eventId, eventSource, outboundTopic, topics, type Producer, type TicketEvent } from '#contracts';
import { NotAcknowledged, OwnersTrouble, readEnvelope, readEvent, toHeaders, type IncomingRecord, type OutgoingRecord, type Reading, type RecordProducer, type Round } from '#messaging';
import { outboundTold } from '../metrics.js';
import { isTold, outboundEvent } from './outbound.policy.js';
import type { Registrations, Stream } from './registrations.js';

/** Records are written after what they tell of happened, by clocks that may differ by so much, ms. */
const clocksMs = 300_000;
/** A stream that begins in the past reads years of events, beside notices that somebody waits for. */
const manners = { maxRecords: 500, paceMs: 100 };
/** What a topic answers that takes no such record, however often it is sent. */
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

export interface OutboundParts {
  registrations: Pick<Registrations, 'demandFresh' | 'behind'>;
  /** By group. */
  producers: { of(group: string): Promise<Pick<RecordProducer, 'send'>> };
}

/** The group that works off a stream: by its place a stream that is asked for again goes on. No organisation's or system's name holds a slash. */
export const streamGroup = ({ orgId, system, from }: Stream) => `assignment-notification.outbound.${orgId}/${system}/${Date.parse(from)}`;

/** How the events topic is read for one stream. */
export const outboundReading = (stream: Stream, parts: OutboundParts): Reading => ({
  topic: topics.events,
  group: streamGroup(stream),
  since: Date.parse(stream.from) - clocksMs,
  waitsFor: [topics.events, outboundTopic(stream.system)],
  ...manners,
  handle: (round) => tell(stream, round, parts),
});

/** Returns when the topic has acknowledged what is told of a round. A crash before its offsets are committed tells it again, under the same ids. */
async function tell(stream: Stream, { records }: Round, { registrations, producers }: OutboundParts): Promise<void> {
  registrations.demandFresh();
  const registration = registrations.behind(stream);
  // The stream is about to be ended. Passed over, these records would be missing from it should it be asked for again.
  if (registration === undefined) throw new OwnersTrouble('nobody asks for this stream any more');
  const told = records.flatMap((record) => toldOf(record, stream.orgId, registration) ?? []);
  if (told.length === 0) return;
  const producer = await producers.of(streamGroup(stream));
  await producer.send(told).catch((error: unknown) => refused(error, stream.system));
  outboundTold.inc({ system: stream.system }, told.length);
}

/** Events of others are not even read. What is no event is set aside by those who must have it. */
function toldOf(record: IncomingRecord, orgId: string, registration: Producer): OutgoingRecord | undefined {
  if ((readEnvelope(record).orgId ?? orgId) !== orgId) return undefined;
  const read = readEvent(record);
  return 'event' in read && read.event.orgId === orgId && isTold(registration, read.event) ? outboundRecord(registration.id, read.event) : undefined;
}

/** An event as it goes onto a system's topic: the same to the byte whenever it does. */
export function outboundRecord(system: string, event: TicketEvent): OutgoingRecord {
  const { orgId, ticketId, version, type, at } = event;
  const headers = toHeaders({ id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId });
  return { topic: outboundTopic(system), key: ticketId, value: JSON.stringify(outboundEvent(event)), headers };
}

/** What is too large is searched for and set aside. A topic that takes nothing at all is its owner's affair: its records wait, and nobody else's do. @throws always */
function refused(error: unknown, system: string): never {
  if (!(error instanceof NotAcknowledged)) throw error;
  const { refusal = '' } = error;
  if (tooLarge.has(refusal)) throw new Error(`${outboundTopic(system)} does not take it: ${refusal}`, { cause: error });
  throw new OwnersTrouble(`${outboundTopic(system)} takes nothing: ${refusal || error.message}`, { cause: error });
}
