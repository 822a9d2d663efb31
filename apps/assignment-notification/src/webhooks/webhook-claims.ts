import { Injectable } from '@nestjs/common';
import { shortEventType, type TicketEvent } from '#contracts';
import type { Claimant } from '../deliveries/claims.consumer.js';
import type { Claim } from '../deliveries/delivery.js';
import { WebhookBook, type StoredWebhook } from './webhook-book.store.js';
import { isTold, messageOf, shownOf, type Shown } from './webhook.policy.js';

/** What webhooks' targets begin with. */
export const webhookChannel = 'webhook';

/** Whom deliveries for a webhook are for. */
export const targetOf = (orgId: string, id: string) => `${webhookChannel}:${orgId}/${id}`;

/** The webhook that a target is. */
export function webhookIn(target: string): { orgId: string; id: string } {
  const [orgId = '', id = ''] = target.slice(webhookChannel.length + 1).split('/');
  return { orgId, id };
}

/** What a webhook is to be sent of an event. @param replay by which it is sent again, beside what it was sent before */
export function claimOf({ id }: Pick<StoredWebhook, 'id'>, event: TicketEvent, { text, replay }: { text: string; replay?: string }): Claim {
  const { orgId, ticketId, version } = event;
  const target = targetOf(orgId, id);
  const messageId = `${ticketId}:${version}`;
  const { assistantId, isNote } = shownOf(event);
  const about = { type: shortEventType(event.type), ticketId, messageId, ...(assistantId !== null && { assistantId }), ...(isNote && { isNote: 'true' }) };
  return { id: `${target}/${messageId}${replay === undefined ? '' : `~${replay}`}`, orgId, target, queue: ticketId, seq: version, content: text, about };
}

/** What its claim says of an event. */
export const shownIn = ({ assistantId, isNote }: Claim['about']): Shown => ({ assistantId: assistantId ?? null, isNote: isNote === 'true' });

/** Finds the webhooks that are told of events. */
@Injectable()
export class WebhookClaims implements Claimant {
  constructor(private readonly book: WebhookBook) {}

  async claims(events: readonly TicketEvent[]): Promise<Claim[]> {
    const webhooks = await this.book.current([...new Set(events.map(({ orgId }) => orgId))]);
    return events.flatMap((event) => {
      const told = (webhooks.get(event.orgId) ?? []).filter((webhook) => isTold(webhook, event));
      if (told.length === 0) return [];
      const text = JSON.stringify(messageOf(event));
      return told.map((webhook) => claimOf(webhook, event, { text }));
    });
  }
}
