import type { Comment, CommandData, CommandResult, CommandType, TicketAnswer } from '#contracts';
import type { Outgoing } from './command-bus.js';

/** What a write answers with: the ticket's version becomes the ETag. */
export interface Answer {
  status: 200 | 201 | 204;
  version: number;
  body?: unknown;
  location?: string;
}

/** An accepted write: what was sent and what became of it. */
export interface Accepted<T extends CommandType> {
  command: Outgoing<T>;
  result: CommandResult;
  ticket: TicketAnswer;
}

/** How a route words its answer. Everything comes from command and result, so a repeat gets the same bytes. */
export type Shape<T extends CommandType> = (accepted: Accepted<T>) => Answer;

/** The ticket after the write. */
export const ticketAnswer = ({ ticket }: Accepted<CommandType>): Answer => ({ status: 200, version: ticket.version, body: ticket });

/** A new ticket and where it is. */
export const createdAnswer = ({ ticket }: Accepted<'ticket.create.v1'>): Answer => ({
  status: 201,
  version: ticket.version,
  body: ticket,
  location: `/v1/tickets/${ticket.id}`,
});

export const goneAnswer = ({ ticket }: Accepted<'ticket.delete.v1'>): Answer => ({ status: 204, version: ticket.version });

/** The comment as the decider made it: it bears the command's id and the event's time. */
export function commentAnswer({ command, result, ticket }: Accepted<'ticket.add-comment.v1'>): Answer {
  const { kind, body } = command.value.data;
  const comment: Comment = {
    id: result.commandId,
    kind,
    body,
    author: result.actor,
    at: ticket.updatedAt,
    version: ticket.version,
    ...(kind === 'reply' && { delivery: { state: 'pending' } }),
  };
  return { status: 201, version: ticket.version, body: { comment, ticket } };
}

/** The messages as the decider dated them. */
export function conversationAnswer({ command, ticket }: Accepted<'ticket.append-conversation.v1'>): Answer {
  const messages = dated(command.value.data.messages, ticket.updatedAt);
  return { status: 201, version: ticket.version, body: { messages, ticket } };
}

export const toolCallAnswer = ({ ticket }: Accepted<'ticket.record-tool-call.v1'>): Answer => ({
  status: 201,
  version: ticket.version,
  body: { version: ticket.version, ticket },
});

const dated = (messages: CommandData<'ticket.append-conversation.v1'>['messages'], at: string) =>
  messages.map((message) => ({ ...message, at: message.at ?? at }));
