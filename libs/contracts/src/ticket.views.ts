import { z } from 'zod';
import type { Actor } from './principal.js';
import { PersonId, Slug, text, Uuid } from './text.js';
import { AssigneeInput, CommentBody, MessageInput, MessageInputs, Priority, StatusInput, type Message, type Status, type Ticket, type TicketAnswer } from './ticket.js';
import { commandData, DetailsPatch, ToolCall } from './ticket.commands.js';
import { eventData, isEventType, type EventType, type ShortEventType } from './ticket.events.js';

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

const single = z.string({ error: (issue) => (Array.isArray(issue.input) ? 'must be given once' : 'must be a text') });

/** A parameter that may be repeated, or hold several values between commas: any of them. */
const anyOf = <T extends z.ZodType<unknown, string>>(value: T) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((one) => one.split(',')).map((one) => one.trim()))
    .pipe(z.array(value).min(1).max(100));

const wholeNumber = (max: number) =>
  single
    .regex(/^[0-9]{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(1).max(max));

const isDate = /^\d{4}-\d{2}-\d{2}$/;

/** Instants are compared as texts, whose years have four digits: what lies beyond them is their first or last moment. */
const [firstMs, lastMs] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')];
const withinReach = (ms: number) => new Date(Math.min(lastMs, Math.max(firstMs, ms))).toISOString();

/**
 * An instant, or a bare date: that day's first moment as a start, its end as an end (UTC). Answers an ISO instant. A day ends at 24:00, which as a text
 * lies before the next day's 00:00: a range that begins there is told from an empty one.
 */
const bound = (edge: '00' | '24') =>
  single
    .pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], { error: 'must be a date or an instant with an offset (a + is written %2B)' }))
    .transform((value) => (isDate.test(value) ? `${value}T${edge}:00:00.000Z` : withinReach(Date.parse(value))))
    .pipe(z.string());

/** `me`, `none`, a member's id, or `agent:<id>`. */
const AssigneeFilter = PersonId;

/** Filters that list, counts and export share. `createdTo` and `updatedTo` are exclusive once parsed. */
const filters = {
  priority: anyOf(Priority).optional(),
  assignee: anyOf(AssigneeFilter).optional(),
  assistantId: anyOf(Slug).optional(),
  tag: anyOf(text(50, 1)).optional(),
  requester: anyOf(text(255, 1)).optional(),
  createdFrom: bound('00').optional(),
  createdTo: bound('24').optional(),
  updatedFrom: bound('00').optional(),
  updatedTo: bound('24').optional(),
  q: single.pipe(text(2_000)).optional(),
};

interface Ranges {
  createdFrom?: string | undefined;
  createdTo?: string | undefined;
  updatedFrom?: string | undefined;
  updatedTo?: string | undefined;
}

const inOrder = ({ value, issues }: { value: Ranges; issues: z.core.$ZodRawIssue[] }) => {
  for (const [from, to] of [['createdFrom', 'createdTo'], ['updatedFrom', 'updatedTo']] as const) {
    const [start, end] = [value[from], value[to]];
    if (start === undefined || end === undefined || start <= end) continue;
    issues.push({ code: 'custom', path: [from], message: `must not lie after ${to}`, input: start, params: { code: 'out_of_order' } });
  }
};

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

/** Query of the pages of a ticket (`comments`, `conversation`): `after` is opaque and exclusive, `0` is the start. */
export const PageQuery = z.strictObject({
  after: single.pipe(z.string().max(200)).default('0'),
  limit: wholeNumber(100).default(25),
});
export type PageQuery = z.infer<typeof PageQuery>;

const EventTypeFilter = z
  .string()
  .refine((type) => isEventType(`ticket.${type}.v1`), 'is not an event type')
  .transform((type) => `ticket.${type}.v1` as EventType)
  .pipe(z.enum(Object.keys(eventData) as EventType[]));

export const TimelineQuery = PageQuery.extend({ type: anyOf(EventTypeFilter).optional() });
export type TimelineQuery = z.infer<typeof TimelineQuery>;

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

/** One event as a timeline shows it; who may not read notes gets `hidden` in a note's place. */
export type TimelineItem =
  | { version: number; type: ShortEventType; at: string; actor: Actor; onBehalfOf?: Actor; data: unknown }
  | { version: number; type: ShortEventType; at: string; hidden: true };

/** First characters of a description, white space folded, for lists. */
export const snippetOf = ({ description }: Pick<Ticket, 'description'>) =>
  [...description.slice(0, 2_000).replace(/[\ud800-\udbff]$/, '').replace(/\s+/gu, ' ').trim()].slice(0, 200).join('');

export type ConversationPage = Page<Message>;
