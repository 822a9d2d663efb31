import { z } from 'zod';
import { single, wholeNumber } from './parameters.js';
import { Actor } from './principal.js';
import { Time, Uuid } from './text.js';
import { Ticket } from './ticket.js';
import { eventData, shortEventType, type EventType } from './ticket.events.js';

const place = single.pipe(z.string().max(200));

/** Query of `GET /v1/events`. */
export const EventsQuery = z.strictObject({
  after: place.default('0').meta({ description: 'The `nextAfter` of the page before; `0` is the start. Opaque.' }),
  limit: wholeNumber(100).default(25),
});
export type EventsQuery = z.infer<typeof EventsQuery>;

/** Query of `GET /internal/feed`: as `EventsQuery`, and how long to wait for something, ms. Without a place, where the feed ends is all that is answered. */
export const FollowQuery = z.strictObject({
  after: place.optional(),
  limit: wholeNumber(500).default(100),
  /** Whether a place from more than a day ago is refused. */
  isRecent: z.literal('true').optional(),
  waitMs: single.regex(/^\d{1,5}$/).transform(Number).pipe(z.number().max(20_000)).default(0),
});
export type FollowQuery = z.infer<typeof FollowQuery>;

/** What everybody outside is told of an event, beside its type and data. */
export const eventTold = {
  id: z.string().meta({ description: '`<ticketId>:<version>`, the same for ever.' }),
  ticketId: Uuid,
  version: Ticket.shape.version,
  at: Time,
  actor: Actor,
  onBehalfOf: Actor.optional(),
};
const shownEvents = (Object.keys(eventData) as EventType[]).map((type) => z.object({ ...eventTold, type: z.literal(shortEventType(type)), data: eventData[type] }));

/** An event of an organisation. */
export const FeedItem = z.union(shownEvents);

/** What `GET /v1/events` answers. */
export const FeedPage = z.object({ items: z.array(FeedItem), nextAfter: z.string().meta({ description: 'Where to go on, now or later; never null.' }) });

const Who = Actor.pick({ type: true, id: true });
const SightFacts = z.object({ assistantId: z.string().nullable(), assignee: Who.nullable(), createdBy: Who });

/** What `GET /internal/feed` answers: events as JSON texts, the place behind each, and what decides who sees their tickets. */
export const Followed = z.object({
  items: z.array(
    z.object({
      place: z.string(),
      ticketId: z.string(),
      version: z.number(),
      sight: SightFacts,
      before: SightFacts.optional(),
      isNote: z.boolean(),
      text: z.string(),
    }),
  ),
  next: z.string(),
});
export type Followed = z.infer<typeof Followed>;
