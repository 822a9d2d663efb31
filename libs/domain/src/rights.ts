import type { Ticket, TicketCommand } from '#contracts';
import { lacks, mayFileUnder, sees, type Action } from './access.policy.js';
import { Rejection } from './rejection.js';
import type { ExistingTicket, TicketState } from './ticket.state.js';

/** What each command needs the right to do; a comment with a move needs the right to comment too. */
const actionOf: Record<TicketCommand['type'], Action> = {
  'ticket.create.v1': 'create',
  'ticket.change-status.v1': 'transition',
  'ticket.add-comment.v1': 'comment',
  'ticket.assign.v1': 'assign',
  'ticket.update-details.v1': 'edit',
  'ticket.append-conversation.v1': 'edit',
  'ticket.record-tool-call.v1': 'edit',
  'ticket.report-reply-delivery.v1': 'report-delivery',
  'ticket.delete.v1': 'delete',
  'ticket.restore.v1': 'restore',
};

/** The ticket, if there is one and the sender sees it. @throws Rejection the same for both */
export function visible(command: TicketCommand, state: TicketState): ExistingTicket {
  if (state.status === 'none' || !sees(command, state.ticket)) throw new Rejection('not-found', 'There is no such ticket.');
  return state;
}

/** Refuses a command whose sender may not do all that it does. @throws Rejection */
export function demandRights(command: TicketCommand): void {
  for (const action of actionsOf(command)) demandRight(command, action);
}

/** @throws Rejection naming what the sender lacks */
export function demandRight(command: TicketCommand, action: Action): void {
  const missing = lacks(command, action);
  if (missing !== null) throw forbidden(missing);
}

function actionsOf(command: TicketCommand): Action[] {
  if (command.type === 'ticket.add-comment.v1') return [command.data.kind];
  if (command.type === 'ticket.change-status.v1' && command.data.comment !== undefined) return ['transition', 'comment'];
  return [actionOf[command.type]];
}

/** @throws Rejection when the sender may not file tickets under this assistant */
export function demandFiling(command: TicketCommand, assistantId: string | null): void {
  if (!mayFileUnder(command, assistantId)) throw forbidden('an assistant of your own');
}

/** As `demandFiling`. Only a change of the assistant needs the right to file: what is sent back as it was is no change. */
export function demandRefiling(command: Extract<TicketCommand, { type: 'ticket.update-details.v1' }>, { assistantId: now }: Ticket): void {
  const { assistantId } = command.data;
  if (assistantId !== undefined && assistantId !== now) demandFiling(command, assistantId);
}

const forbidden = (missing: string) => new Rejection('forbidden', `This needs ${missing}.`, { missing });
