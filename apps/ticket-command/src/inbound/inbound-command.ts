import { v5 } from 'uuid';
import { commandVerbOf, maxCommandBytes, topics, type CommandData, type CommandValue, type InboundRequest, type Origin, type Producer } from '#contracts';
import { completedCreate, markedAssistant, resolvedAssignee, withIds, type AtDoor, type Roster } from '#domain';
import { toHeaders, type OutgoingRecord } from '#messaging';
import { Unreadable } from '../record-value.js';
import type { Claim } from './claimed-ids.store.js';
import type { Asked } from './inbound-record.js';

/** Namespaces of the ids that are derived. They are part of what a repeated record finds: never change them. */
const commandNamespace = '8a1b7c55-6d0e-4c39-9a58-3f1f0b7e2d64';
const ticketNamespace = 'e4c0a9d2-27b1-4f6a-8d33-91c5be0a7f18';

/**
 * Id of the command that a record makes. The organisation is part of it: a system that counts its records for each organisation by itself uses the same
 * `ce_id` twice, and results and their looking up know commands by their id alone.
 */
export const inboundCommandId = (system: string, orgId: string, ceId: string) => v5(JSON.stringify([system, orgId, ceId]), commandNamespace);

/** Id of the ticket that a system calls so, or, without a name, of the one that this record makes. */
export const inboundTicketId = (system: string, orgId: string, by: { externalId: string } | { ceId: string }) => v5(JSON.stringify([system, orgId, by]), ticketNamespace);

/** What an organisation lets the system do, and who is in the organisation. */
export interface Granted {
  grant: Producer | undefined;
  roster: Roster;
}

/** What a record becomes. */
export interface InboundCommand extends Claim {
  value: CommandValue & { origin: Origin };
  /** As it goes onto the command topic. */
  record: OutgoingRecord;
}

/** The command of a record. @throws Unreadable when the system may not send it */
export function inboundCommand(asked: Asked, { grant, roster }: Granted, now: Date): InboundCommand {
  const { type, value, record, id, traceparent, payloadHash } = asked;
  const { orgId, expectedVersion } = value;
  const { id: system, name, assistantIds } = allowed(asked, grant);
  const commandId = inboundCommandId(system, orgId, id);
  const ticketId = ticketIdOf(system, asked);
  const actor = { type: 'system' as const, id: system, name };
  const { topic, partition, offset } = record;
  const command: InboundCommand['value'] = {
    orgId,
    ticketId,
    actor,
    access: { assistantIds: assistantIds.filter((assistantId) => isThere(roster, assistantId)) },
    channel: 'kafka',
    ...(expectedVersion !== undefined && { expectedVersion }),
    payloadHash,
    origin: { system, id, topic, partition, offset },
    data: commandDataOf(asked, { roster, caller: actor, commandId }),
  };
  const bytes = Buffer.from(JSON.stringify(command));
  if (bytes.length > maxCommandBytes) throw new Unreadable('oversize', `the command would have ${bytes.length} bytes, at most ${maxCommandBytes} are taken`);
  const envelope = { id: commandId, type, source: `/inbound/${system}`, subject: ticketId, time: now.toISOString(), orgId, ...(traceparent !== undefined && { traceparent }) };
  return { commandId, ticketId, value: command, record: { topic: topics.commands, key: ticketId, value: bytes, headers: toHeaders(envelope) } };
}

/** Rights for an assistant that was deleted are none, as keys of it are none; they count again once it is there again. */
const isThere = ({ assistants }: Roster, assistantId: string) => assistants.some(({ id }) => id === assistantId);

/** What lets the system do this. @throws Unreadable */
function allowed(asked: Asked, grant: Producer | undefined): Producer {
  const { type, value } = asked;
  if (grant === undefined) throw new Unreadable('producer-not-allowed', `${value.orgId} lets this system do nothing`);
  const verb = commandVerbOf(type);
  if (!grant.commands.includes(verb)) throw new Unreadable('producer-not-allowed', `${value.orgId} does not let this system ${verb}`);
  const assistantId = 'assistantId' in value.data ? value.data.assistantId : undefined;
  if (assistantId != null && !grant.assistantIds.includes(assistantId)) throw new Unreadable('producer-not-allowed', `${value.orgId} does not let this system work for ${assistantId}`);
  return grant;
}

/** @throws Unreadable when the record names two tickets */
function ticketIdOf(system: string, { type, value, id }: Asked): string {
  const { orgId, ticketId } = value;
  const externalId = value.externalId ?? (type === 'ticket.create.v1' ? value.data.externalId : undefined) ?? undefined;
  if (externalId === undefined) return ticketId ?? inboundTicketId(system, orgId, { ceId: id });
  const named = inboundTicketId(system, orgId, { externalId });
  if (ticketId !== undefined && ticketId !== named) throw new Unreadable('key-mismatch', 'ticketId and externalId name different tickets');
  return named;
}

function commandDataOf(request: InboundRequest, door: AtDoor): CommandData {
  const { type, value } = request;
  switch (type) {
    case 'ticket.create.v1':
      return { ...completedCreate(value.data, door), ...(value.externalId !== undefined && { externalId: value.externalId }) };
    case 'ticket.assign.v1':
      return { ...value.data, ...(value.data.to && resolvedAssignee(value.data.to, door)) } as CommandData<'ticket.assign.v1'>;
    case 'ticket.update-details.v1':
      return markedAssistant(value.data, door);
    case 'ticket.append-conversation.v1':
      return { messages: withIds(value.data.messages, door.commandId) };
    default:
      return value.data;
  }
}
