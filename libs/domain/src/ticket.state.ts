import type { Actor, Comment, EventData, Ticket, TicketFact } from '#contracts';

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
