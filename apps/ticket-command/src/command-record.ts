import { isUtf8 } from 'node:buffer';
import { commandValue, isCommandType, isStorable, limits, maxCommandBytes, type CommandType, type DeadLetterReason, type TicketCommand } from '#contracts';
import { readEnvelope, type DeadLetter, type IncomingRecord } from '#messaging';
import type { Source } from '#persistence';

/** A command as it was read, with what its answer needs of the record. */
export interface Received {
  record: IncomingRecord;
  command: TicketCommand;
  source: Source;
  /** When its door sent it, ms since the epoch. */
  sentAt: number;
  traceparent?: string | undefined;
  /** Which sending of the command it is, for who sent it. */
  attempt?: string | undefined;
}

/** A command's value wraps the request in one more object. */
const maxDepth = limits.jsonDepth + 1;
/** Characters of a command's id at most. */
export const maxIdLength = 300;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
/** W3C Trace Context. Anything else is not passed on: it would stand in every event of the ticket, however long. */
const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const attemptForm = /^[\w-]{1,64}$/;

class Unreadable extends Error {
  constructor(
    readonly reason: DeadLetterReason,
    detail: string,
  ) {
    super(detail);
  }
}

/** Sorts records into commands and dead letters; those that say when they happened are dead letters unless the past is allowed. */
export function readCommands(records: readonly IncomingRecord[], { allowPast = false } = {}): { received: Received[]; dead: DeadLetter[] } {
  const received: Received[] = [];
  const dead: DeadLetter[] = [];
  for (const record of records) {
    try {
      received.push(readCommand(record, allowPast));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      dead.push({ record, reason: error.reason, detail: error.message });
    }
  }
  return { received, dead };
}

function readCommand(record: IncomingRecord, allowPast: boolean): Received {
  const envelope = readEnvelope(record);
  const { id, type, subject, orgId, time, specversion } = envelope;
  const json = parseJson(record.value);
  if (!isCommandType(type)) throw new Unreadable('unknown-type', `ce_type is ${type ?? 'missing'}`);
  demandId(id);
  demandEvent(specversion, time);
  const value = parseValue(type, json);
  demandAgreement({ orgId, subject, key: record.key?.toString() }, value);
  demandTime(value, allowPast);
  const { topic, partition, offset } = record;
  const command = { type, commandId: id, ...value } as TicketCommand;
  return { record, command, source: { topic, partition, offset }, sentAt: Date.parse(time ?? '') || Number(record.timestamp), ...passedOn(envelope) };
}

const wellFormed = (text: string | undefined, form: RegExp) => (text !== undefined && form.test(text) ? text : undefined);

/** What its events and its result have, too, where it is well formed. */
function passedOn({ traceparent, attempt }: ReturnType<typeof readEnvelope>): Pick<Received, 'traceparent' | 'attempt'> {
  return { traceparent: wellFormed(traceparent, traceparentForm), attempt: wellFormed(attempt, attemptForm) };
}

function demandId(id: string | undefined): asserts id is string {
  if (!id || id.length > maxIdLength || !isStorable(id)) throw new Unreadable('schema-invalid', `ce_id is not a text of 1 to ${maxIdLength} characters`);
}

function demandEvent(specversion = '1.0', time = '1970-01-01') {
  if (specversion !== '1.0') throw new Unreadable('schema-invalid', `ce_specversion is ${specversion}, not 1.0`);
  if (Number.isNaN(Date.parse(time))) throw new Unreadable('schema-invalid', 'ce_time is not a time');
}

function demandTime({ at }: Pick<TicketCommand, 'at'>, allowPast: boolean) {
  if (at !== undefined && !allowPast) throw new Unreadable('schema-invalid', 'at: commands of the past are not taken here (ALLOW_PAST_COMMANDS)');
}

/** Headers may be left out, the key not; what is there says the same as the value. */
function demandAgreement(told: Record<'orgId' | 'subject' | 'key', string | undefined>, { orgId, ticketId }: Pick<TicketCommand, 'orgId' | 'ticketId'>) {
  const { orgId: toldOrg = orgId, subject = ticketId, key } = told;
  if (toldOrg !== orgId) throw new Unreadable('organisation-mismatch', `ce_orgid is ${toldOrg}, the value says ${orgId}`);
  if (key !== ticketId) throw new Unreadable('key-mismatch', `the key is not the ticket id ${ticketId}`);
  if (subject !== ticketId) throw new Unreadable('key-mismatch', `ce_subject is not the ticket id ${ticketId}`);
}

function parseJson(value: Buffer | null): unknown {
  if (value === null) throw new Unreadable('not-json', 'the value is null');
  if (value.length > maxCommandBytes) throw new Unreadable('oversize', `the value has ${value.length} bytes, at most ${maxCommandBytes} are taken`);
  if (!isUtf8(value)) throw new Unreadable('not-json', 'the value is not UTF-8');
  try {
    return JSON.parse(value.toString());
  } catch (error) {
    throw new Unreadable('not-json', error instanceof Error ? error.message : String(error));
  }
}

function parseValue<T extends CommandType>(type: T, json: unknown) {
  demandTame(json);
  const result = commandValue[type].safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 20);
  throw new Unreadable('schema-invalid', issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

/** No schema looks at depth, and none sees a key that would reach a prototype. Works level by level: a recursion could be made to overflow. */
function demandTame(json: unknown): void {
  for (let depth = 0, level = containersIn([json]); level.length > 0; depth += 1, level = level.flatMap((container) => containersIn(Object.values(container)))) {
    if (depth === maxDepth) throw new Unreadable('schema-invalid', `nested deeper than ${maxDepth}`);
    for (const container of level) {
      const key = Array.isArray(container) ? undefined : Object.keys(container).find((name) => forbiddenKeys.has(name));
      if (key !== undefined) throw new Unreadable('schema-invalid', `the key ${key} is not allowed`);
    }
  }
}

const containersIn = (values: readonly unknown[]) => values.filter((value): value is object => typeof value === 'object' && value !== null);
