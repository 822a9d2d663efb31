import { z } from 'zod';
import { anyOf, moment, single, version, wholeNumber } from './parameters.js';
import { text, Uuid } from './text.js';
import { AssigneeInput, CommentBody, MessageInput, MessageInputs, StatusInput, type Status, type Ticket, type TicketAnswer } from './ticket.js';
import { filters, inOrder } from './ticket.filters.js';
import { commandData, DetailsPatch, ToolCall } from './ticket.commands.js';
import { eventData, isEventType, type EventType } from './ticket.events.js';

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

/** `/tickets/{id}`; anything but a UUID is a bad id (400). */
export const TicketId = Uuid;

/** `/tickets/{idOrNumber}`. */
export const TicketIdOrNumber = z.union([Uuid, z.string().regex(/^[1-9][0-9]{0,14}$/).transform(Number).pipe(z.int())]);

export const sorts = ['-createdAt', 'createdAt', '-updatedAt', 'updatedAt', '-priority', 'priority', 'number', '-number'] as const;
export type Sort = (typeof sorts)[number];

/** Query of `GET /v1/tickets`. Single values stay as they are, filters become arrays, bounds become ISO instants. */
export const ListQuery = z
  .strictObject({
    ...filters,
    status: anyOf(StatusInput).optional(),
    sort: single.pipe(z.enum(sorts)).default('-createdAt'),
    page: wholeNumber(999_999_999).optional(),
    pageSize: wholeNumber(100).default(25),
    cursor: single.pipe(text(2_000, 1)).optional(),
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
const moments = { version: version.optional(), asOf: moment.optional() };
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
  after: single.pipe(z.string().max(200)).default('0'),
  limit: wholeNumber(100).default(25),
};

/** Query of the pages of a ticket (`comments`, `conversation`): `after` is opaque and exclusive, `0` is the start. */
export const PageQuery = z.strictObject(pages).check(oneMoment);
export type PageQuery = z.infer<typeof PageQuery>;

const EventTypeFilter = z
  .string()
  .refine((type) => isEventType(`ticket.${type}.v1`), 'is not an event type')
  .transform((type) => `ticket.${type}.v1` as EventType)
  .pipe(z.enum(Object.keys(eventData) as EventType[]));

export const TimelineQuery = z.strictObject({ ...pages, type: anyOf(EventTypeFilter).optional() }).check(oneMoment);
export type TimelineQuery = z.infer<typeof TimelineQuery>;

/** Query of `GET /v1/suggest`: what is in a search box so far. */
export const SuggestQuery = z.strictObject({ q: filters.q.unwrap() });
export type SuggestQuery = z.infer<typeof SuggestQuery>;

/** What a search box offers while somebody types: up to 8 of each, from the newest tickets that match. */
export interface Suggestions {
  tickets: Pick<Ticket, 'id' | 'number' | 'title' | 'status'>[];
  /** Requesters. */
  people: NonNullable<Ticket['requester']>[];
  tags: string[];
}

/** A query that takes no parameter. */
export const NoQuery = z.strictObject({});

/** One ticket in a list: the first 200 characters of the description, white space folded, instead of all of it. */
export type TicketItem = Omit<TicketAnswer, 'description'> & { snippet: string };

export interface TicketList {
  items: TicketItem[];
  /** Null on answers to a `cursor`. */
  page: number | null;
  pageSize: number;
  total: number;
  totalIsExact: boolean;
  totalPages: number;
  nextCursor: string | null;
}

export interface TicketCounts extends Record<Status, number> {
  total: number;
  isExact: boolean;
}

/** A page of something inside a ticket; `nextAfter` is null at the end. */
export interface Page<T> {
  items: T[];
  nextAfter: string | null;
}

/** First characters of a description, white space folded, for lists. */
export const snippetOf = ({ description }: Pick<Ticket, 'description'>) =>
  [...description.slice(0, 2_000).replace(/[\ud800-\udbff]$/, '').replace(/\s+/gu, ' ').trim()].slice(0, 200).join('');
