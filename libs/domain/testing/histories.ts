import type { CommandData, CommandType, Comment, EventData, Status, TicketCommand, TicketFact } from '#contracts';
import type { ExistingTicket } from '#domain';
import { ada, commandId, commandOf } from '../../contracts/testing/builders.js';
import { noon, stateOf } from './scenarios.js';

type CommandOptions = Parameters<typeof commandOf>[2];

/** A ticket was created by Ada, under no assistant unless told otherwise. */
export const created = (data: Partial<EventData<'ticket.created.v1'>> = {}): TicketFact => ({
  type: 'ticket.created.v1',
  data: {
    title: 'Printer on fire',
    description: '',
    priority: 'normal',
    assistantId: null,
    requester: null,
    tags: [],
    customFields: {},
    assignee: null,
    externalId: null,
    followUpOf: null,
    ...data,
  },
});

export const movedTo = (from: Status, to: Status): TicketFact => ({ type: 'ticket.status-changed.v1', data: { from, to } });
export const deleted: TicketFact = { type: 'ticket.deleted.v1', data: {} };
export const restored: TicketFact = { type: 'ticket.restored.v1', data: {} };

const path: Record<Status, TicketFact[]> = {
  open: [],
  pending: [movedTo('open', 'pending')],
  resolved: [movedTo('open', 'pending'), movedTo('pending', 'resolved')],
  closed: [movedTo('open', 'pending'), movedTo('pending', 'resolved'), movedTo('resolved', 'closed')],
};

/** The history of a ticket that has this status. */
export const inStatus = (status: Status, data: Partial<EventData<'ticket.created.v1'>> = {}): TicketFact[] => [created(data), ...path[status]];

/** A reply was written; `id` is its comment's. */
export const replied = (id: string, comment: Partial<Comment> = {}): TicketFact => ({
  type: 'ticket.comment-added.v1',
  data: { comment: { id, kind: 'reply', body: 'Have you tried water?', author: ada.actor, at: noon, version: 2, delivery: { state: 'pending' }, ...comment } },
});

/** A ticket whose rules have counted so much already. */
export const grown = (counts: Partial<Omit<ExistingTicket, 'ticket'>> & { commentCount?: number }): ExistingTicket => {
  const { ticket, ...state } = stateOf(created()) as ExistingTicket;
  const { commentCount = 0, ...rules } = counts;
  return { ...state, ...rules, ticket: { ...ticket, commentCount } };
};

const of =
  <T extends CommandType>(type: T) =>
  (data: CommandData<T>, options?: CommandOptions): TicketCommand =>
    commandOf(type, data, options);

export const create = of('ticket.create.v1');
export const assign = of('ticket.assign.v1');
export const update = of('ticket.update-details.v1');
export const append = of('ticket.append-conversation.v1');
export const recordCall = of('ticket.record-tool-call.v1');
export const report = of('ticket.report-reply-delivery.v1');
export const remove = of('ticket.delete.v1');
export const restore = of('ticket.restore.v1');
export const changeTo = (to: Status, options?: CommandOptions, comment?: string) =>
  of('ticket.change-status.v1')(comment === undefined ? { to } : { to, comment }, options);
export const write = (kind: Comment['kind'], options?: CommandOptions, body = 'Have you tried water?') =>
  of('ticket.add-comment.v1')({ kind, body }, options);

/** A valid command of every type but create, on a ticket that Ada's reply `commandId` is on. */
export const everyCommand = {
  'ticket.change-status.v1': (options?: CommandOptions) => changeTo('pending', options),
  'ticket.add-comment.v1': (options?: CommandOptions) => write('comment', options),
  'ticket.assign.v1': (options?: CommandOptions) => assign({ to: { type: 'member', id: 'grace', name: 'Grace' } }, options),
  'ticket.update-details.v1': (options?: CommandOptions) => update({ title: 'Printer on fire again' }, options),
  'ticket.append-conversation.v1': (options?: CommandOptions) => append({ messages: [{ id: 'm1', role: 'user', content: 'Help!' }] }, options),
  'ticket.record-tool-call.v1': (options?: CommandOptions) => recordCall({ tool: 'look-up', arguments: {}, status: 'ok' }, options),
  'ticket.report-reply-delivery.v1': (options?: CommandOptions) => report({ commentId: commandId, state: 'delivered', channel: 'email' }, options),
  'ticket.delete.v1': (options?: CommandOptions) => remove({}, options),
  'ticket.restore.v1': (options?: CommandOptions) => restore({}, options),
} satisfies Record<Exclude<CommandType, 'ticket.create.v1'>, (options?: CommandOptions) => TicketCommand>;
