import { z } from 'zod';
import { anyOf, moment, single, singleText, version, wholeNumber } from './parameters.js';
import { TicketDeadlines } from './deadlines.js';
import { Time, Uuid } from './text.js';
import { AssigneeInput, Comment, CommentBody, Message, MessageInput, MessageInputs, Status, StatusInput, Ticket, TicketAnswer } from './ticket.js';
import { filters, inOrder } from './ticket.filters.js';
import { commandData, DetailsPatch, ToolCall } from './ticket.commands.js';
import { eventData, isEventType, shortEventType, type EventType } from './ticket.events.js';
import { Actor } from './principal.js';

/** Bodies of the writes, as callers send them. */
export const bodies = {
  create: commandData['ticket.create.v1'].omit({ unknownAssignee: true, unknownAssistant: true }).extend({
    assignee: AssigneeInput.nullable().optional(),
    conversation: z
      .union(
        [z.strictObject({ messages: MessageInputs }), MessageInputs.transform((messages) => ({ messages })).pipe(z.strictObject({ messages: z.array(MessageInput) }))],
        'must be messages, or an object that holds them',
      )
      .optional(),
  }),
  patch: DetailsPatch,
  transition: z.strictObject({ to: StatusInput, comment: CommentBody.optional() }),
  assignee: AssigneeInput,
  comment: z.strictObject({ body: CommentBody }),
  conversation: z.strictObject({ messages: MessageInputs }),
  toolCall: ToolCall,
  nothing: z.strictObject({}).optional(),
} as const;

/** The body of a write as it was read. */
export type BodyOf<K extends keyof typeof bodies> = z.infer<(typeof bodies)[K]>;

/** The body of a write as a caller writes it: what is trimmed, filled in or renamed at the door is not yet. */
export type BodyInput<K extends keyof typeof bodies> = z.input<(typeof bodies)[K]>;

/** `/tickets/{id}`; anything but a UUID is a bad id (400). */
export const TicketId = Uuid;

/** `/tickets/{idOrNumber}`. */
export const TicketIdOrNumber = z.union([Uuid, z.string().regex(/^[1-9][0-9]{0,14}$/).transform(Number).pipe(z.int())]);

export const sorts = ['-createdAt', 'createdAt', '-updatedAt', 'updatedAt', '-priority', 'priority', 'number', '-number', 'deadline', '-deadline'] as const;
export type Sort = (typeof sorts)[number];

/** Query of `GET /v1/tickets`. Single values stay as they are, filters become arrays, bounds become ISO instants. */
export const ListQuery = z
  .strictObject({
    ...filters,
    status: anyOf(StatusInput).optional().meta({ description: '`in_progress` and `in-progress` mean `pending`.' }),
    sort: single.pipe(z.enum(sorts)).default('-createdAt').meta({ enum: [...sorts], description: 'A minus sorts downwards. Equal priorities: newest first. By `deadline`: what is due first, of tickets of which something is due.' }),
    page: wholeNumber(999_999_999).optional().meta({ description: 'From 1. Page × pageSize is at most 10,000; `cursor` goes on from there.' }),
    pageSize: wholeNumber(100).default(25),
    cursor: singleText(2_000, 1).optional().meta({ description: 'The `nextCursor` of an answer, instead of a page.' }),
  })
  .check(inOrder)
  .refine(({ page, cursor }) => page === undefined || cursor === undefined, { error: 'take either page or cursor', path: ['cursor'] });
export type ListQuery = z.infer<typeof ListQuery>;

/** Query of `GET /v1/tickets/counts`: the list's filters but status. */
export const CountsQuery = z.strictObject(filters).check(inOrder);
export type CountsQuery = z.infer<typeof CountsQuery>;
export type TicketFilters = CountsQuery & { status?: Status[] | undefined };

/** page × pageSize and totals stop here. */
export const maxListDepth = 10_000;

/** A moment of a ticket: a version, or a time (ISO instant; a bare date is the end of that day). Neither is now. */
const moments = {
  version: version.optional().meta({ description: 'As it was at this version.' }),
  asOf: moment.optional().meta({ description: 'As it was at this time; a bare date is the end of that day (UTC).' }),
};
export interface Moment {
  version?: number | undefined;
  asOf?: string | undefined;
}
const oneMoment = ({ value: { version, asOf }, issues }: { value: Moment; issues: z.core.$ZodRawIssue[] }) => {
  if (version !== undefined && asOf !== undefined) issues.push({ code: 'custom', path: ['asOf'], message: 'take either version or asOf', input: asOf });
};

/** Query of one ticket. */
export const TicketQuery = z.strictObject(moments).check(oneMoment);
export type TicketQuery = z.infer<typeof TicketQuery>;

const pages = {
  ...moments,
  after: single.pipe(z.string().max(200)).default('0').meta({ description: 'The `nextAfter` of the page before; `0` is the start. Opaque.' }),
  limit: wholeNumber(100).default(25),
};

/** Query of the pages of a ticket (`comments`, `conversation`): `after` is opaque and exclusive, `0` is the start. */
export const PageQuery = z.strictObject(pages).check(oneMoment);
export type PageQuery = z.infer<typeof PageQuery>;

const EventTypeFilter = z
  .string()
  .refine((type) => isEventType(`ticket.${type}.v1`), 'is not an event type')
  .transform((type) => `ticket.${type}.v1` as EventType)
  .pipe(z.enum(Object.keys(eventData) as EventType[]))
  .meta({ enum: (Object.keys(eventData) as EventType[]).map(shortEventType) });

export const TimelineQuery = z.strictObject({ ...pages, type: anyOf(EventTypeFilter).optional().meta({ description: 'Only events of these types.' }) }).check(oneMoment);
export type TimelineQuery = z.infer<typeof TimelineQuery>;

/** Query of `GET /v1/suggest`: what is in a search box so far. */
export const SuggestQuery = z.strictObject({ q: filters.q.unwrap().meta({ description: 'What is in the search box so far.' }) });
export type SuggestQuery = z.infer<typeof SuggestQuery>;

/** What a search box offers while somebody types: up to 8 of each, from the newest tickets that match. */
export const Suggestions = z.object({
  tickets: z.array(Ticket.pick({ id: true, number: true, title: true, status: true })),
  people: z.array(Ticket.shape.requester.unwrap()).meta({ description: 'Requesters.' }),
  tags: z.array(z.string()),
});
export type Suggestions = z.infer<typeof Suggestions>;

/** A query that takes no parameter. */
export const NoQuery = z.strictObject({});

const deadlines = TicketDeadlines.meta({ description: 'In the order first reply, next reply, resolution; those that there are.' });

/** What `GET /v1/tickets/{id}` answers. */
export const TicketDetail = TicketAnswer.extend({ deadlines: deadlines.optional().meta({ description: 'As they are now: left out where the ticket is told as it was.' }) });
export type TicketDetail = z.infer<typeof TicketDetail>;

/** One ticket in a list: the first 200 characters of the description, white space folded, instead of all of it. */
export const TicketItem = TicketAnswer.omit({ description: true }).extend({
  snippet: z.string().meta({ description: 'The first 200 characters of the description, white space folded.' }),
  deadlines,
});
export type TicketItem = z.infer<typeof TicketItem>;

const total = z.number().int().meta({ description: 'Where it is not exact, at least so many: counting stops at 10,000, and keeps no page waiting for longer than 2 s. A total above 1,000 may be 5 s old.' });

/** What `GET /v1/tickets` answers. */
export const TicketList = z.object({
  items: z.array(TicketItem),
  page: z.number().int().nullable().meta({ description: 'Null on answers to a `cursor`.' }),
  pageSize: z.number().int(),
  total,
  totalIsExact: z.boolean(),
  totalPages: z.number().int(),
  nextCursor: z.string().nullable().meta({ description: 'Where the list goes on; null at its end.' }),
});
export type TicketList = z.infer<typeof TicketList>;

const count = z.number().int();

/** What `GET /v1/tickets/counts` answers. */
export const TicketCounts = z.object({ open: count, pending: count, resolved: count, closed: count, total, isExact: z.boolean() });
export type TicketCounts = z.infer<typeof TicketCounts>;

/** What `GET /v1/tickets/{id}/transitions` answers. */
export const Transitions = z.object({ status: Status, allowed: TicketAnswer.shape.allowedTransitions });
export type Transitions = z.infer<typeof Transitions>;

/** A page of something inside a ticket; `nextAfter` is null at the end. */
export interface Page<T> {
  items: T[];
  nextAfter: string | null;
}
const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextAfter: z.string().nullable().meta({ description: 'The `after` of the next page; null at the end.' }) });

/** What the pages of a ticket answer. */
export const CommentPage = pageOf(Comment);
export const MessagePage = pageOf(Message);

const told = { version: Ticket.shape.version, at: Time };
const shownEvents = (Object.keys(eventData) as EventType[]).map((type) =>
  z.object({ ...told, type: z.literal(shortEventType(type)), actor: Actor, onBehalfOf: Actor.optional(), data: eventData[type] }),
);
/** One event of a ticket. In a note's place, who may not read notes gets one that is hidden. */
export const TimelineItem = z.union([...shownEvents, z.object({ ...told, type: z.literal('comment-added'), hidden: z.literal(true) })]);
export type TimelineItem = z.infer<typeof TimelineItem>;
export const TimelinePage = pageOf(TimelineItem);

/** What the writes answer that make more than a ticket. */
export const CommentAnswer = z.object({ comment: Comment, ticket: TicketAnswer });
export type CommentAnswer = z.infer<typeof CommentAnswer>;
export const MessagesAnswer = z.object({ messages: z.array(Message), ticket: TicketAnswer });
export type MessagesAnswer = z.infer<typeof MessagesAnswer>;
export const ToolCallAnswer = z.object({ version: Ticket.shape.version, ticket: TicketAnswer });
export type ToolCallAnswer = z.infer<typeof ToolCallAnswer>;

const snippetLength = 200;

/** First characters of a description, white space folded, for lists. */
export function snippetOf({ description }: Pick<Ticket, 'description'>): string {
  const folded = description.slice(0, 2_000).replace(/[\ud800-\udbff]$/, '').replace(/\s+/gu, ' ').trim();
  // A character is one or two units of a string: taking apart all of a long text would be most of a view's cost.
  return folded.length <= snippetLength ? folded : [...folded.slice(0, 2 * snippetLength)].slice(0, snippetLength).join('');
}
