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

/** What `GET /v1/commands/{id}` answers. `failed`: dead-lettered; a replay of the dead letter may still change it. */
export interface CommandStatus {
  id: string;
  state: 'pending' | 'applied' | 'unchanged' | 'rejected' | 'failed';
  ticketId: string;
  version?: number;
  problem?: Problem;
}
