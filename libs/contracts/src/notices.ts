import { z } from 'zod';
import { single, wholeNumber } from './parameters.js';
import { Actor } from './principal.js';
import { Slug, Time, Uuid } from './text.js';
import { CommentKind, Status, Ticket } from './ticket.js';

/** What somebody may be told of. */
export const NoticeKind = z.enum(['assigned', 'mentioned', 'requester-replied', 'deadline', 'status', 'organisation']).meta({
  description:
    '`assigned`: a ticket is theirs now. `mentioned`: somebody wrote `@` and their id, or their name between quotation marks. `requester-replied`: on a ticket of theirs. `deadline`: of a ticket of theirs. `status`: of a ticket that is theirs or that they opened. `organisation`: what administrators have to know.',
});
export type NoticeKind = z.infer<typeof NoticeKind>;

const excerpt = z.string().meta({ description: 'The first 280 characters, white space folded.' });

/** What happened, by kind. */
export const noticeData = {
  assigned: z.object({ reason: z.enum(['manual', 'self', 'rule']).optional() }),
  mentioned: z.object({ where: z.enum(['description', ...CommentKind.options]), commentId: z.string().nullable(), excerpt }),
  'requester-replied': z.object({ excerpt }),
  deadline: z.object({ deadline: z.enum(['first-reply', 'next-reply', 'resolution']), state: z.enum(['warning', 'missed']), dueAt: Time }),
  status: z.object({ from: Status, to: Status }),
  organisation: z.object({ subject: z.enum(['webhook-disabled']), name: z.string(), detail: z.string() }),
} as const satisfies Record<NoticeKind, z.ZodType>;
export type NoticeData<K extends NoticeKind = NoticeKind> = z.infer<(typeof noticeData)[K]>;

const told = {
  id: Uuid,
  at: Time.meta({ description: 'When it happened.' }),
  readAt: Time.nullable().meta({ description: 'null: not yet.' }),
  actor: Actor.meta({ description: 'Who did it.' }),
  onBehalfOf: Actor.optional(),
  ticket: z.object({ id: Uuid, number: Ticket.shape.number, title: z.string() }).nullable().meta({ description: 'The ticket, as it is called now; null where it is about the organisation.' }),
  version: Ticket.shape.version.nullable().meta({ description: 'The version of the ticket that it is about.' }),
};
const ofKind = <K extends NoticeKind>(kind: K) => z.object({ ...told, kind: z.literal(kind), data: noticeData[kind] });

/** Something that somebody is told. */
export const Notice = z.discriminatedUnion('kind', [ofKind('assigned'), ofKind('mentioned'), ofKind('requester-replied'), ofKind('deadline'), ofKind('status'), ofKind('organisation')]);
export type Notice = z.infer<typeof Notice>;

/** Query of `GET /v1/notifications`. */
export const NoticesQuery = z.strictObject({
  after: single.pipe(z.string().max(200)).default('0').meta({ description: 'The `nextAfter` of the page before; `0` is the newest. Opaque.' }),
  limit: wholeNumber(100).default(25),
  unread: single.pipe(z.enum(['true', 'false'])).default('false').meta({ description: '`true`: only those not read yet.' }),
});
export type NoticesQuery = z.infer<typeof NoticesQuery>;

/** Answer of `GET /v1/notifications`, newest first. */
export const NoticePage = z.object({ items: z.array(Notice), nextAfter: z.string().nullable() });
export type NoticePage = z.infer<typeof NoticePage>;

/** Answer of `GET /v1/notifications/unread`. */
export const UnreadNotices = z.object({ count: z.number().int() });
export type UnreadNotices = z.infer<typeof UnreadNotices>;

/** Body of `POST /v1/notifications/read`, which may be left out. */
export const ReadNotices = z.strictObject({ upTo: Uuid.optional().meta({ description: 'This notice and all before it; all that there are without it.' }) }).prefault({});
export type ReadNotices = z.infer<typeof ReadNotices>;

/** When somebody is told: at once, at the next full hour of their clock with whatever else came, or never. */
export const NoticeTiming = z.enum(['at-once', 'hourly', 'never']);
export type NoticeTiming = z.infer<typeof NoticeTiming>;

/** How somebody is told of one kind. */
export const NoticeChoice = z.strictObject({ inApp: NoticeTiming, email: NoticeTiming });
export type NoticeChoice = z.infer<typeof NoticeChoice>;

const choice = (email: NoticeTiming) => NoticeChoice.default({ inApp: 'at-once', email });

/** Body of `PUT /v1/notification-preferences`, and what is answered. A kind that is left out is told as it is to who never chose. */
export const NoticePreferences = z.strictObject({
  assigned: choice('at-once'),
  mentioned: choice('at-once'),
  'requester-replied': choice('at-once'),
  deadline: choice('at-once'),
  status: choice('hourly'),
  organisation: choice('at-once'),
} satisfies Record<NoticeKind, z.ZodType>);
export type NoticePreferences = z.infer<typeof NoticePreferences>;

/** Who sees the ticket of a notice, as far as the service that tells it knows. */
export const NoticeSight = Ticket.pick({ assistantId: true }).extend({ assignee: Actor.pick({ type: true, id: true }).nullable(), createdBy: Actor.pick({ type: true, id: true }) });
export type NoticeSight = z.infer<typeof NoticeSight>;

/** Value of a record on `notices.v1`: a notice on its way to somebody who may be listening. Whoever passes it on judges once more whether they may hear it. */
export const NoticeTold = z.object({
  orgId: Slug,
  memberId: z.string(),
  sight: NoticeSight.nullable().meta({ description: 'What decides who sees the ticket; null where it is about the organisation, which administrators hear of.' }),
  isNote: z.boolean().meta({ description: 'It is about a note.' }),
  notice: Notice,
});
export type NoticeTold = z.infer<typeof NoticeTold>;

/** Values of the messages on `notices.v1`, by `ce_type`. */
export const noticeValue = { 'notice.told.v1': NoticeTold } as const;
export type NoticeMessageType = keyof typeof noticeValue;
