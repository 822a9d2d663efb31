import { z } from 'zod';
import { eventTold } from './feed.views.js';
import { Slug } from './text.js';
import { Ticket } from './ticket.js';
import { eventData, shortEventType, type EventType } from './ticket.events.js';
import type { WebhookEvent } from './webhook.js';

/** What an outside system is told of an event: what webhooks are sent, and whose it is, since several organisations may let a system know. */
export interface OutboundEvent extends WebhookEvent {
  orgId: string;
}

const told = <T extends EventType>(type: T) => z.object({ orgId: Slug, ...eventTold, type: z.literal(shortEventType(type)), data: eventData[type], ticket: Ticket });

/** Value of a record on `ticket.outbound.<system>.v1`, by its `ce_type`. Its key is the ticket id, its `ce_id` that of the event. */
export const outboundValue = Object.fromEntries((Object.keys(eventData) as EventType[]).map((type) => [type, told(type)])) as unknown as Record<EventType, z.ZodType<OutboundEvent>>;
