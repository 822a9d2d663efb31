import { commandOf, ticketId } from '../../../libs/contracts/testing/builders.js';

/** Id of the nth ticket, for stories about several. */
export const uuid = (n: number) => `0196f0a0-0000-7000-8000-${String(n).padStart(12, '0')}`;

export const create = (commandId: string, ticket = ticketId, title = 'T') => commandOf('ticket.create.v1', { title }, { commandId, ticketId: ticket });
export const comment = (commandId: string, ticket = ticketId, body = 'Hm.') => commandOf('ticket.add-comment.v1', { kind: 'comment', body }, { commandId, ticketId: ticket });
export const move = (commandId: string, to: 'open' | 'pending' | 'resolved', ticket = ticketId) => commandOf('ticket.change-status.v1', { to }, { commandId, ticketId: ticket });
