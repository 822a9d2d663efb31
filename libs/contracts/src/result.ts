import { z } from 'zod';
import { Actor } from './principal.js';
import { Problem } from './problem.js';
import { Slug, Uuid } from './text.js';
import { Ticket } from './ticket.js';
import { Origin } from './ticket.commands.js';

/** Value of a record on `ticket.command-results.v1`, its key is the command id: the one answer a command ever gets. */
export const CommandResult = z.object({
  commandId: z.string(),
  orgId: Slug,
  ticketId: Uuid,
  actor: Actor,
  payloadHash: z.string(),
  outcome: z.enum(['applied', 'unchanged', 'rejected']),
  /** The command came again at another offset; this is its first answer. */
  duplicate: z.literal(true).optional(),
  version: z.number().int().optional(),
  ticket: Ticket.optional(),
  problem: Problem.optional(),
  origin: Origin.optional(),
});
export type CommandResult = z.infer<typeof CommandResult>;

/** What `GET /v1/commands/{id}` answers. */
export const CommandStatus = z.object({
  id: Uuid,
  state: z
    .enum(['pending', 'applied', 'unchanged', 'rejected', 'failed'])
    .meta({ description: '`unchanged`: nothing was left to do. `failed`: it was set aside as a dead letter; a replay of that may still change it.' }),
  ticketId: Uuid,
  version: z.number().int().optional().meta({ description: 'The version of the ticket after the command.' }),
  problem: Problem.optional().meta({ description: 'Why the command was refused.' }),
});
export type CommandStatus = z.infer<typeof CommandStatus>;

/** What a write answers with 202: its command is stored by the broker, and its outcome can be asked for. */
export const PendingCommand = CommandStatus.pick({ id: true, ticketId: true }).extend({ state: z.literal('pending') });
export type PendingCommand = z.infer<typeof PendingCommand>;
