import { hash } from 'node:crypto';
import { topics, type CommandData, type CommandType, type CommandValue, type Stamp } from '#contracts';
import { toHeaders, type OutgoingRecord } from '#messaging';

/** A command as this service stores it before it is sent. */
export interface StoredCommand {
  commandId: string;
  /** Value of its record: the same bytes however often it is sent. */
  command: string;
  /** When it was decided on. */
  at: Date;
}

/** Who sends a command, in whose name. */
export type Sender = Pick<Stamp, 'actor' | 'access'> & Partial<Pick<Stamp, 'channel'>>;

/** Value of a command on a ticket, as JSON text. */
export function commandText<T extends CommandType>({ actor, access, channel = 'api' }: Sender, { orgId, ticketId }: { orgId: string; ticketId: string }, data: CommandData<T>): string {
  const payloadHash = hash('sha256', JSON.stringify([ticketId, data]));
  return JSON.stringify({ orgId, ticketId, actor, access, channel, payloadHash, data } satisfies CommandValue<T>);
}

/** The record of a command. */
export function commandRecord(type: CommandType, { orgId, ticketId }: { orgId: string; ticketId: string }, { commandId, command, at }: StoredCommand): OutgoingRecord {
  const headers = toHeaders({ id: commandId, type, source: '/assignment-notification', subject: ticketId, time: at.toISOString(), orgId });
  return { topic: topics.commands, key: ticketId, value: command, headers };
}
