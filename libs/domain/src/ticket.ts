import { limits, type Actor, type Comment, type CommandData, type EventData, type Message, type Ticket, type TicketCommand, type TicketFact } from '#contracts';
import { is, lacks, mayFileUnder, sees, type Action } from './access.policy.js';
import { changesBetween, patched } from './details.js';
import { Rejection } from './rejection.js';
import { transitions } from './transitions.js';

/** A ticket as decisions need it: what is told of it, and what only the rules count. */
export interface ExistingTicket {
  status: 'exists';
  ticket: Ticket;
  deleted: boolean;
  /** Notes, which `commentCount` leaves out. */
  notes: number;
  /** Messages of the linked conversation. */
  messages: number;
  /** Ids of the replies that nobody has reported as delivered yet. */
  undelivered: string[];
}
/** No ticket yet, or one. */
export type TicketState = { status: 'none' } | ExistingTicket;

/** A fact with its circumstances: all that `evolve` needs. */
export type Happened = TicketFact & Circumstances;
export interface Circumstances {
  ticketId: string;
  version: number;
  at: string;
  actor: Actor;
  /** What a ticket is born with and no event's data tells. */
  birth: Pick<Ticket, 'number' | 'channel'>;
}

/** The state before the first event. */
export const initial: TicketState = { status: 'none' };

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

/** The state after a fact. Never throws, never decides. */
export function evolve(state: TicketState, event: Happened): ExistingTicket {
  if (event.type === 'ticket.created.v1') return born(event, event.data);
  if (state.status === 'none') throw new TypeError(`${event.type} cannot be a ticket's first event`);
  const ticket = { ...state.ticket, version: event.version, updatedAt: event.at };
  const next = { ...state, ticket };
  switch (event.type) {
    case 'ticket.status-changed.v1':
      return withComment({ ...next, ticket: moved(ticket, event.data.to) }, event.data.comment);
    case 'ticket.comment-added.v1':
      return withComment(next, event.data.comment);
    case 'ticket.assignee-changed.v1':
      return { ...next, ticket: { ...ticket, assignee: event.data.to } };
    case 'ticket.details-updated.v1':
      return { ...next, ticket: withChanges(ticket, event.data.changes) };
    case 'ticket.conversation-appended.v1':
      return { ...next, messages: state.messages + event.data.messages.length };
    case 'ticket.reply-delivery-reported.v1':
      return { ...next, undelivered: afterReport(state.undelivered, event.data) };
    case 'ticket.deleted.v1':
      return { ...next, deleted: true };
    case 'ticket.restored.v1':
      return { ...next, deleted: false };
    case 'ticket.tool-call-recorded.v1':
      return next;
  }
}

type Command<T extends TicketCommand['type']> = Extract<TicketCommand, { type: T }>;

function decideCreate(command: Command<'ticket.create.v1'>, state: TicketState, at: string): TicketFact {
  demandRights(command);
  const { data, actor } = command;
  const assistantId = data.assistantId ?? (actor.type === 'agent' ? actor.id : null);
  if (assistantId !== null) demandFiling(command, assistantId);
  if (data.assignee && lacks(command, 'assign') !== null) throw forbidden(lacks(command, 'assign')!);
  demandVersion(command, state.status === 'exists' ? state.ticket.version : 0);
  if (state.status === 'exists') throw new Rejection('already-exists', 'The ticket exists already.');
  demandKnown(data.unknownAssignee, data.assignee);
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

function decideAssign({ data, actor }: Command<'ticket.assign.v1'>, { assignee }: Ticket): TicketFact | null {
  demandKnown(data.unknownAssignee, data.to);
  const expected = data.ifAssignee;
  if (expected !== undefined && !sameAssignee(expected, assignee)) return null;
  if (sameAssignee(data.to, assignee)) return null;
  const reason = data.reason ?? (is(data.to, actor) ? 'self' : 'manual');
  const { explanation } = data;
  return { type: 'ticket.assignee-changed.v1', data: { from: assignee, to: data.to, reason, ...(explanation && { explanation }) } };
}

/** Who may be assigned is what the door knows; the refusal is decided here, so that it is kept and a repeat meets it again. */
function demandKnown(unknown: true | undefined, assignee: Pick<Actor, 'type' | 'id'> | null | undefined) {
  if (!unknown || !assignee) return;
  const kind = assignee.type === 'member' ? 'member' : 'assistant';
  throw new Rejection('invalid-assignee', `There is no ${kind} ${JSON.stringify(assignee.id)}.`);
}

/** A deleted ticket may be restored so long (contract section 2). Nothing happens to it meanwhile, so its newest event is the deletion. */
const restorableMs = 30 * 86_400_000;
function decideRestore({ data }: Command<'ticket.restore.v1'>, { ticket, deleted }: ExistingTicket, at: string): TicketFact | null {
  if (!deleted) return null;
  if (Date.parse(at) - Date.parse(ticket.updatedAt) > restorableMs) throw new Rejection('gone', 'The ticket was deleted more than 30 days ago.');
  return { type: 'ticket.restored.v1', data };
}

function decideDetails(command: Command<'ticket.update-details.v1'>, ticket: Ticket): TicketFact | null {
  demandNotClosed(ticket);
  const changes = changesBetween(ticket, patched(ticket, command.data));
  return Object.keys(changes).length === 0 ? null : { type: 'ticket.details-updated.v1', data: { changes } };
}

function visible(command: TicketCommand, state: TicketState): ExistingTicket {
  if (state.status === 'none' || !sees(command, state.ticket)) throw new Rejection('not-found', 'There is no such ticket.');
  return state;
}

function demandRights(command: TicketCommand) {
  for (const action of actionsOf(command)) {
    const missing = lacks(command, action);
    if (missing !== null) throw forbidden(missing);
  }
}

function actionsOf(command: TicketCommand): Action[] {
  if (command.type === 'ticket.add-comment.v1') return [command.data.kind];
  if (command.type === 'ticket.change-status.v1' && command.data.comment !== undefined) return ['transition', 'comment'];
  return [actionOf[command.type]];
}

function demandFiling(command: TicketCommand, assistantId: string | null) {
  if (!mayFileUnder(command, assistantId)) throw forbidden('an assistant of your own');
}

/** Only a change of the assistant needs the right to file: what is sent back as it was is no change. */
function demandRefiling(command: Command<'ticket.update-details.v1'>, { assistantId: now }: Ticket) {
  const { assistantId } = command.data;
  if (assistantId !== undefined && assistantId !== now) demandFiling(command, assistantId);
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
const forbidden = (missing: string) => new Rejection('forbidden', `This needs ${missing}.`, { missing });

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

const born = ({ ticketId, version, at, actor, birth }: Circumstances, data: EventData<'ticket.created.v1'>): ExistingTicket => {
  const { conversation, ...details } = data;
  const times = { createdAt: at, updatedAt: at, firstRepliedAt: null, resolvedAt: null, closedAt: null };
  const ticket: Ticket = { id: ticketId, ...birth, ...details, status: 'open', createdBy: actor, ...times, commentCount: 0, version };
  return { status: 'exists', ticket, deleted: false, notes: 0, messages: conversation?.messages.length ?? 0, undelivered: [] };
};

const moved = (ticket: Ticket, to: Ticket['status']): Ticket => ({
  ...ticket,
  status: to,
  resolvedAt: to === 'resolved' ? ticket.updatedAt : to === 'closed' ? ticket.resolvedAt : null,
  closedAt: to === 'closed' ? ticket.updatedAt : null,
});

function withComment(state: ExistingTicket, comment: Comment | undefined): ExistingTicket {
  if (comment === undefined) return state;
  if (comment.kind === 'note') return { ...state, notes: state.notes + 1 };
  const ticket = { ...state.ticket, commentCount: state.ticket.commentCount + 1 };
  if (comment.kind === 'comment') return { ...state, ticket };
  const firstRepliedAt = ticket.firstRepliedAt ?? comment.at;
  return { ...state, ticket: { ...ticket, firstRepliedAt }, undelivered: [...state.undelivered, comment.id] };
}

function withChanges(ticket: Ticket, changes: EventData<'ticket.details-updated.v1'>['changes']): Ticket {
  const { customFields, ...others } = changes;
  const after = Object.fromEntries(Object.entries(others).map(([field, { to }]) => [field, to]));
  return { ...ticket, ...after, ...(customFields && { customFields: withFields(ticket.customFields, customFields) }) };
}

function withFields(fields: Ticket['customFields'], { from, to }: { from: unknown; to: unknown }): Ticket['customFields'] {
  const gone = Object.keys(from as object).filter((key) => !Object.hasOwn(to as object, key));
  const kept = Object.entries(fields).filter(([key]) => !gone.includes(key));
  return { ...Object.fromEntries(kept), ...(to as Ticket['customFields']) };
}

const afterReport = (undelivered: string[], { commentId, state }: EventData<'ticket.reply-delivery-reported.v1'>) =>
  state === 'delivered' ? undelivered.filter((id) => id !== commentId) : undelivered;
