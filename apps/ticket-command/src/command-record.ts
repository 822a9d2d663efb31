import { commandValue, isCommandType, maxCommandBytes, type CommandType, type DeadLetterReason, type TicketCommand } from '#contracts';
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
}

class Unreadable extends Error {
  constructor(
    readonly reason: DeadLetterReason,
    detail: string,
  ) {
    super(detail);
  }
}

/** Sorts records into commands and dead letters. */
export function readCommands(records: readonly IncomingRecord[]): { received: Received[]; dead: DeadLetter[] } {
  const received: Received[] = [];
  const dead: DeadLetter[] = [];
  for (const record of records) {
    try {
      received.push(readCommand(record));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      dead.push({ record, reason: error.reason, detail: error.message });
    }
  }
  return { received, dead };
}

function readCommand(record: IncomingRecord): Received {
  const { id, type, subject, orgId, time, traceparent } = readEnvelope(record);
  const json = parseJson(record.value);
  if (!isCommandType(type)) throw new Unreadable('unknown-type', `ce_type is ${type ?? 'missing'}`);
  if (!id || id.length > 300) throw new Unreadable('schema-invalid', 'ce_id is missing or longer than 300 characters');
  const value = parseValue(type, json);
  if (orgId !== undefined && orgId !== value.orgId) throw new Unreadable('organisation-mismatch', `ce_orgid is ${orgId}, the value says ${value.orgId}`);
  if (record.key?.toString() !== value.ticketId) throw new Unreadable('key-mismatch', `the key is not the ticket id ${value.ticketId}`);
  if (subject !== undefined && subject !== value.ticketId) throw new Unreadable('key-mismatch', `ce_subject is not the ticket id ${value.ticketId}`);
  const { topic, partition, offset } = record;
  const command = { type, commandId: id, ...value } as TicketCommand;
  return { record, command, source: { topic, partition, offset }, sentAt: Date.parse(time ?? '') || Number(record.timestamp), traceparent };
}

function parseJson(value: Buffer | null): unknown {
  if (value === null) throw new Unreadable('not-json', 'the value is null');
  if (value.length > maxCommandBytes) throw new Unreadable('oversize', `the value has ${value.length} bytes, at most ${maxCommandBytes} are taken`);
  try {
    return JSON.parse(value.toString());
  } catch (error) {
    throw new Unreadable('not-json', error instanceof Error ? error.message : String(error));
  }
}

function parseValue<T extends CommandType>(type: T, json: unknown) {
  try {
    const result = commandValue[type].safeParse(json);
    if (result.success) return result.data;
    throw new Unreadable('schema-invalid', result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  } catch (error) {
    if (error instanceof RangeError) throw new Unreadable('schema-invalid', 'nested too deep');
    throw error;
  }
}
