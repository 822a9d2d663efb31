import { limits, type Actor, type Comment, type CommandData, type EventData, type Message, type Ticket, type TicketCommand, type TicketFact } from '#contracts';
import { is } from './access.policy.js';
import { changesBetween, patched } from './details.js';
import { invalid, Rejection } from './rejection.js';
import { demandFiling, demandRefiling, demandRight, demandRights, visible } from './rights.js';
import type { ExistingTicket, TicketState } from './ticket.state.js';
import { transitions } from './transitions.js';

/**
 * What a command makes of a ticket: one fact, or null when nothing changes. Access comes first (a deleted ticket is
 * gone for everything but a restore), then the expected version, then the ticket's own rules (contract section 1).
 * @param at time of the event, should there be one
 * @throws Rejection the command's no
 */
export function decide(command: TicketCommand, state: TicketState, at: string): TicketFact | null {
  if (command.type === 'ticket.create.v1') return decideCreate(command, state, at);
  const existing = visible(command, state);
  demandRights(command);
  if (command.type === 'ticket.update-details.v1') demandRefiling(command, existing.ticket);
  if (existing.deleted && command.type !== 'ticket.restore.v1') throw new Rejection('gone', 'The ticket was deleted.');
  demandVersion(command, existing.ticket.version);
  return decideExisting(command, existing, at);
}

type Command<T extends TicketCommand['type']> = Extract<TicketCommand, { type: T }>;

function decideCreate(command: Command<'ticket.create.v1'>, state: TicketState, at: string): TicketFact {
  demandRights(command);
  const { data, actor } = command;
  const assistantId = data.assistantId ?? (actor.type === 'agent' ? actor.id : null);
  if (assistantId !== null) demandFiling(command, assistantId);
  if (data.assignee) demandRight(command, 'assign');
  demandVersion(command, state.status === 'exists' ? state.ticket.version : 0);
  if (state.status === 'exists') throw new Rejection('already-exists', 'The ticket exists already.');
  demandKnownAssignee(data.unknownAssignee, data.assignee);
  if (data.unknownAssistant) throw unknownAssistant(assistantId);
  return { type: 'ticket.created.v1', data: createdData(data, assistantId, at) };
}

const createdData = (data: CommandData<'ticket.create.v1'>, assistantId: string | null, at: string): EventData<'ticket.created.v1'> => ({
  title: data.title,
  description: data.description ?? '',
  priority: data.priority ?? 'normal',
  assistantId,
  requester: orNobody(data.requester),
  tags: data.tags ?? [],
  customFields: data.customFields ?? {},
  assignee: data.assignee ?? null,
  ...conversationOf(data, at),
  externalId: data.externalId ?? null,
  followUpOf: data.followUpOf ?? null,
});

const orNobody = (requester: CommandData<'ticket.create.v1'>['requester']) => (requester && Object.keys(requester).length > 0 ? requester : null);

const conversationOf = ({ conversation }: CommandData<'ticket.create.v1'>, at: string) =>
  conversation && { conversation: { messages: dated(conversation.messages, at) } };

function decideExisting(command: Exclude<TicketCommand, { type: 'ticket.create.v1' }>, state: ExistingTicket, at: string): TicketFact | null {
  const { ticket } = state;
  switch (command.type) {
    case 'ticket.change-status.v1':
      return decideMove(command, state, at);
    case 'ticket.add-comment.v1':
      if (command.data.kind === 'reply') demandNotClosed(ticket);
      demandRoomForComment(state);
      return { type: 'ticket.comment-added.v1', data: { comment: commentOf(command, command.data, ticket, at) } };
    case 'ticket.assign.v1':
      return decideAssign(command, ticket);
    case 'ticket.update-details.v1':
      return decideDetails(command, ticket);
    case 'ticket.append-conversation.v1':
      demandNotClosed(ticket);
      if (state.messages + command.data.messages.length > limits.messages) throw tooLarge(`${limits.messages} messages`);
      return { type: 'ticket.conversation-appended.v1', data: { messages: dated(command.data.messages, at) } };
    case 'ticket.record-tool-call.v1':
      demandNotClosed(ticket);
      return { type: 'ticket.tool-call-recorded.v1', data: command.data };
    case 'ticket.report-reply-delivery.v1':
      if (!state.undelivered.includes(command.data.commentId)) throw new Rejection('not-found', 'There is no such reply on its way.');
      return { type: 'ticket.reply-delivery-reported.v1', data: command.data };
    case 'ticket.delete.v1':
      return { type: 'ticket.deleted.v1', data: command.data };
    case 'ticket.restore.v1':
      return decideRestore(command, state, at);
  }
}

function decideMove(command: Command<'ticket.change-status.v1'>, state: ExistingTicket, at: string): TicketFact {
  const { ticket } = state;
  const { to, comment } = command.data;
  const from = ticket.status;
  const allowed = transitions[from];
  if (!allowed.includes(to)) {
    throw new Rejection('invalid-transition', `A ticket cannot go from ${from} to ${to}.`, { from, to, allowed: [...allowed] });
  }
  if (comment === undefined) return { type: 'ticket.status-changed.v1', data: { from, to } };
  demandRoomForComment(state);
  return { type: 'ticket.status-changed.v1', data: { from, to, comment: commentOf(command, { kind: 'comment', body: comment }, ticket, at) } };
}

function decideAssign({ data, actor }: Command<'ticket.assign.v1'>, ticket: Ticket): TicketFact | null {
  const { assignee } = ticket;
  demandKnownAssignee(data.unknownAssignee, data.to);
  if (isOvertaken(data, ticket)) return null;
  if (sameAssignee(data.to, assignee)) return null;
  const reason = data.reason ?? (is(data.to, actor) ? 'self' : 'manual');
  const { explanation } = data;
  return { type: 'ticket.assignee-changed.v1', data: { from: assignee, to: data.to, reason, ...(explanation && { explanation }) } };
}

/** Whether an assignment was decided on for a ticket as it is no more. Rules give out work only, and may have chosen long ago, by events that came late to them. */
function isOvertaken({ ifAssignee: expected, reason }: CommandData<'ticket.assign.v1'>, { assignee, status }: Ticket): boolean {
  if (expected !== undefined && !sameAssignee(expected, assignee)) return true;
  return reason === 'rule' && status !== 'open' && status !== 'pending';
}

/** Who is in the directory is what the door knows; the refusal is decided here, so that it is kept and a repeat meets it again. */
function demandKnownAssignee(unknown: true | undefined, assignee: Pick<Actor, 'type' | 'id'> | null | undefined) {
  if (!unknown || !assignee) return;
  const kind = assignee.type === 'member' ? 'member' : 'assistant';
  throw new Rejection('invalid-assignee', `There is no ${kind} ${JSON.stringify(assignee.id)}.`);
}

const unknownAssistant = (id: string | null | undefined) =>
  invalid(`There is no assistant ${JSON.stringify(id)}.`, { pointer: '/assistantId', code: 'unknown_assistant', message: 'must be an assistant of the organisation' });

/** A deleted ticket may be restored so long (contract section 2). Nothing happens to it meanwhile, so its newest event is the deletion. */
const restorableMs = 30 * 86_400_000;
function decideRestore({ data }: Command<'ticket.restore.v1'>, { ticket, deleted }: ExistingTicket, at: string): TicketFact | null {
  if (!deleted) return null;
  if (Date.parse(at) - Date.parse(ticket.updatedAt) > restorableMs) throw new Rejection('gone', 'The ticket was deleted more than 30 days ago.');
  return { type: 'ticket.restored.v1', data };
}

function decideDetails({ data }: Command<'ticket.update-details.v1'>, ticket: Ticket): TicketFact | null {
  demandNotClosed(ticket);
  if (data.ifPriority !== undefined && data.ifPriority !== ticket.priority) return null;
  const changes = changesBetween(ticket, patched(ticket, data));
  if (data.unknownAssistant && changes['assistantId']) throw unknownAssistant(data.assistantId);
  return Object.keys(changes).length === 0 ? null : { type: 'ticket.details-updated.v1', data: { changes } };
}

/** A ticket that does not exist is at version 0. */
function demandVersion({ expectedVersion }: TicketCommand, version: number) {
  if (expectedVersion === undefined || expectedVersion === version) return;
  throw new Rejection('version-conflict', `The ticket is at version ${version}, not ${expectedVersion}.`, { current: version });
}

function demandNotClosed({ status }: Ticket) {
  if (status === 'closed') throw new Rejection('ticket-closed', 'The ticket is closed; what comes later belongs into a new one.');
}

function demandRoomForComment({ ticket, notes }: ExistingTicket) {
  if (ticket.commentCount + notes >= limits.comments) throw tooLarge(`${limits.comments} comments, notes and replies`);
}

const tooLarge = (limit: string) => new Rejection('ticket-too-large', `A ticket holds at most ${limit}.`);

const sameAssignee = (one: Pick<Actor, 'type' | 'id'> | null, other: Pick<Actor, 'type' | 'id'> | null) =>
  one === null || other === null ? one === other : is(one, other);

/** A comment bears the id of the command that wrote it: one command writes at most one. */
const commentOf = (command: TicketCommand, { kind, body }: Pick<Comment, 'kind' | 'body'>, { version }: Ticket, at: string): Comment => ({
  id: command.commandId,
  kind,
  body,
  author: command.actor,
  at,
  version: version + 1,
  ...(kind === 'reply' && { delivery: { state: 'pending' as const } }),
});

const dated = (messages: CommandData<'ticket.append-conversation.v1'>['messages'], at: string): Message[] =>
  messages.map((message) => ({ ...message, id: message.id!, at: message.at ?? at }));
