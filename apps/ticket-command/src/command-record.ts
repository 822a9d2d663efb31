import type { z } from 'zod';
import { commandValue, isCommandType, limits, type CommandValue, type TicketCommand } from '#contracts';
import { readEnvelope, type DeadLetter, type IncomingRecord } from '#messaging';
import type { Source } from '#persistence';
import { demandEvent, demandId, demandTame, parseJson, parseValue, traceparentOf, Unreadable, wellFormed } from './record-value.js';

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
const attemptForm = /^[\w-]{1,64}$/;

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
  demandTame(json, maxDepth);
  const value = parseValue(commandValue[type] as z.ZodType<CommandValue>, json);
  demandAgreement({ orgId, subject, key: record.key?.toString() }, value);
  demandTime(value, allowPast);
  const { topic, partition, offset } = record;
  const command = { type, commandId: id, ...value } as TicketCommand;
  return { record, command, source: { topic, partition, offset }, sentAt: Date.parse(time ?? '') || Number(record.timestamp), ...passedOn(envelope) };
}

/** What its events and its result have, too, where it is well formed. */
function passedOn({ traceparent, attempt }: ReturnType<typeof readEnvelope>): Pick<Received, 'traceparent' | 'attempt'> {
  return { traceparent: traceparentOf(traceparent), attempt: wellFormed(attempt, attemptForm) };
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
