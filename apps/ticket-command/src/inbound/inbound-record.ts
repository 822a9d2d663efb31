import { hash } from 'node:crypto';
import type { z } from 'zod';
import { canonicalJson, inboundSchemaOf, limits, UnwelcomeJson, type InboundRequest, type InboundValue } from '#contracts';
import { readEnvelope, type IncomingRecord } from '#messaging';
import { demandEvent, demandId, parseJson, parseValue, traceparentOf, Unreadable } from '../record-value.js';

/** A record of an outside system that is understood, and not yet judged by what the system may do. */
export type Asked = InboundRequest & {
  record: IncomingRecord;
  /** Its `ce_id`. */
  id: string;
  /** Of what the system sent, however it is written. */
  payloadHash: string;
  traceparent?: string | undefined;
};

type Envelope = ReturnType<typeof readEnvelope>;

/** The value wraps the request in one more object. */
const maxDepth = limits.jsonDepth + 1;
const hourMs = 3_600_000;
const oldestMs = 7 * 24 * hourMs;

/** Reads a record in either mode of CloudEvents. @throws Unreadable */
export function readInbound(record: IncomingRecord): Asked {
  const { envelope, json } = isStructured(record) ? structured(record.value) : { envelope: readEnvelope(record), json: parseJson(record.value) };
  const { id, type, specversion, time, traceparent } = envelope;
  const known = inboundSchemaOf(type);
  if (known === undefined) throw new Unreadable('unknown-type', `ce_type is ${type ?? 'missing'}`);
  demandId(id);
  demandEvent(specversion, time);
  demandTimely(time, Number(record.timestamp));
  const payloadHash = hash('sha256', `${known.type}\n${canonical(json)}`);
  const value = parseValue(known.schema as z.ZodType<InboundValue>, json);
  const asked = { type: known.type, value, record, id, payloadHash, traceparent: traceparentOf(traceparent) } as Asked;
  demandAgreement(envelope, asked);
  return asked;
}

type Told = Pick<IncomingRecord, 'headers' | 'value'>;

/**
 * The `ce_id` of a record that may not be readable otherwise; undefined where there is none that a result could have as its key. An event in structured mode
 * that says none is known by its header, if it has one: some libraries write both.
 */
export function idOf(record: Told): string | undefined {
  return (isStructured(record) ? readable(() => eventIdOf(record)) : undefined) ?? readable(() => readEnvelope(record).id);
}

const eventIdOf = ({ value }: Told) => (JSON.parse(value?.toString() ?? '') as { id?: unknown } | null)?.id;

function readable(said: () => unknown): string | undefined {
  try {
    const id = said();
    if (typeof id !== 'string') return undefined;
    demandId(id);
    return id;
  } catch {
    return undefined;
  }
}

const isStructured = ({ headers }: Pick<IncomingRecord, 'headers'>) => /^application\/cloudevents\+json *(;|$)/i.test(headers['content-type'] ?? '');

/** Attributes of an event in structured mode, by what they are called in the headers of binary mode. */
const attributes = { specversion: 'specversion', id: 'id', type: 'type', source: 'source', subject: 'subject', time: 'time', orgId: 'orgid', traceparent: 'traceparent' };

function structured(value: Buffer | null): { envelope: Envelope; json: unknown } {
  const event = parseJson(value);
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw new Unreadable('schema-invalid', 'the event is no object');
  const told = event as Record<string, unknown>;
  const envelope: Record<string, string> = {};
  for (const [name, attribute] of Object.entries(attributes)) {
    const text = told[attribute] ?? undefined;
    if (text === undefined) continue;
    if (typeof text !== 'string') throw new Unreadable('schema-invalid', `${attribute} is no text`);
    envelope[name] = text;
  }
  return { envelope, json: dataOf(told) };
}

/** Some libraries write bytes that they were given as base64, whatever they are. */
function dataOf({ data, data_base64: base64 }: Record<string, unknown>): unknown {
  return typeof base64 === 'string' && data === undefined ? parseJson(Buffer.from(base64, 'base64')) : data;
}

/**
 * Measured from when the broker took the record (inbound topics keep the broker's time), not from now: one that waited for us is none the older, and is
 * judged the same whenever it is read again.
 */
function demandTimely(time: string | undefined, takenAt: number) {
  if (time === undefined) return;
  const ahead = Date.parse(time) - takenAt;
  if (ahead > hourMs) throw new Unreadable('timestamp-out-of-range', `ce_time is ${time}, more than an hour ahead`);
  if (ahead < -oldestMs) throw new Unreadable('timestamp-out-of-range', `ce_time is ${time}, more than seven days ago`);
}

function canonical(json: unknown): string {
  try {
    return canonicalJson(json ?? null, maxDepth);
  } catch (error) {
    throw error instanceof UnwelcomeJson ? new Unreadable('schema-invalid', `the value ${error.message}`) : error;
  }
}

/** The key may be any, and a subject may be the system's own word, unless both it and the value name a ticket. */
function demandAgreement({ orgId: toldOrg, subject }: Envelope, { value: { orgId, ticketId } }: InboundRequest) {
  if (toldOrg !== undefined && toldOrg !== orgId) throw new Unreadable('organisation-mismatch', `ce_orgid is ${toldOrg}, the value says ${orgId}`);
  if (ticketId !== undefined && subject !== undefined && subject.toLowerCase() !== ticketId) {
    throw new Unreadable('key-mismatch', `ce_subject is not the ticket id ${ticketId}`);
  }
}
