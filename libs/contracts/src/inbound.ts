import { z } from 'zod';
import { CommandResult } from './result.js';
import { Slug, text, Uuid } from './text.js';
import { AssigneeInput } from './ticket.js';
import { commandData, isCommandType, Origin, type CommandType } from './ticket.commands.js';
import { bodies } from './ticket.views.js';

/**
 * Data of records on `ticket.inbound.<system>.v1`, by their type: what callers may say over REST. What doors look up or decide themselves (names, ids,
 * whether somebody exists, why a rule assigned) is not the system's to say.
 */
export const inboundData = {
  'ticket.create.v1': bodies.create,
  'ticket.change-status.v1': bodies.transition,
  'ticket.add-comment.v1': commandData['ticket.add-comment.v1'],
  'ticket.assign.v1': z.strictObject({
    to: AssigneeInput.nullable(),
    reason: z.literal('manual').optional(),
    ifAssignee: AssigneeInput.nullable().optional().meta({ description: 'Assigns only if it still is this one.' }),
  }),
  'ticket.update-details.v1': bodies.patch,
  'ticket.append-conversation.v1': bodies.conversation,
  'ticket.record-tool-call.v1': bodies.toolCall,
  'ticket.report-reply-delivery.v1': commandData['ticket.report-reply-delivery.v1'],
  'ticket.delete.v1': commandData['ticket.delete.v1'],
  'ticket.restore.v1': commandData['ticket.restore.v1'],
} as const satisfies Record<CommandType, z.ZodType>;

export type InboundData<T extends CommandType = CommandType> = z.infer<(typeof inboundData)[T]>;
/** As systems send it, before it is read. */
export type InboundInput<T extends CommandType = CommandType> = z.input<(typeof inboundData)[T]>;

const externalId = text(255, 1).optional().meta({ description: 'What the system calls the ticket: addresses it where no id is known.' });
const orgId = Slug.meta({ description: 'For which organisation: one that lets the system write.' });
const expectedVersion = z.number().int().positive().optional().meta({ description: 'The version that was decided on; another one refuses the command.' });

const onTicket = <T extends z.ZodType>(data: T) =>
  z.strictObject({ orgId, ticketId: Uuid.optional(), externalId, expectedVersion, data });

/** The id of a new ticket is made here. */
const create = z
  .strictObject({ orgId, externalId, expectedVersion, data: inboundData['ticket.create.v1'] })
  .refine((value) => value.externalId === undefined || value.data.externalId == null || value.data.externalId === value.externalId, {
    error: 'is not the externalId beside it',
    path: ['data', 'externalId'],
  });

/** Value of a record on `ticket.inbound.<system>.v1`, by its `ce_type`. Who sends it, and with which rights, is told by the topic alone. */
export const inboundValue = {
  ...Object.fromEntries(Object.entries(inboundData).map(([type, data]) => [type, onTicket(data)])),
  'ticket.create.v1': create,
} as unknown as { [T in CommandType]: z.ZodType<InboundValue<T>> };

export interface InboundValue<T extends CommandType = CommandType> {
  orgId: string;
  ticketId?: string | undefined;
  externalId?: string | undefined;
  expectedVersion?: number | undefined;
  data: InboundData<T>;
}

/** What a record asks for: its type with the value that goes with it. */
export type InboundRequest = { [T in CommandType]: { type: T; value: InboundValue<T> } }[CommandType];

/** @returns undefined for a type that no command has */
export const inboundSchemaOf = (type: string | undefined) => (isCommandType(type) ? { type, schema: inboundValue[type] } : undefined);

/**
 * Value of a record on `ticket.inbound-results.<system>.v1`, its key is the `ce_id` of the inbound record. The result of the command that was made of the
 * record; of a record that was set aside only who sent it, where it lay, and why.
 */
export const InboundResult = CommandResult.partial({ commandId: true, orgId: true, ticketId: true, payloadHash: true }).extend({
  origin: Origin.meta({ description: 'The inbound record. Of a command that came again it is the first one.' }),
});
export type InboundResult = z.infer<typeof InboundResult>;
