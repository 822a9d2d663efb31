import { setTimeout as delay } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics, type TicketEvent } from '#contracts';
import { Subscribe, type Round } from '#messaging';
import { eventsIn, viewId } from '../events.js';
import { ProjectionStore } from '../projection.store.js';
import { dayOf } from './cell.projection.js';
import { LateViews, type LateView } from './late-views.store.js';
import { Marks } from './marks.store.js';

export const statsGroup = 'query-search.stats';

/** So long a round waits for views that lag, and so long between looks, ms. Those that take longer are counted when they come. */
const [longestWaitMs, lookMs] = [2_000, 100];

/**
 * Notes the days whose statistics events have changed; what they come to is counted from the views. So an event that comes twice, late or
 * again from the start is never counted twice. Broken records are buried by the views' consumer, which reads them all.
 */
@Controller()
export class StatsConsumer {
  constructor(
    private readonly views: ProjectionStore,
    private readonly marks: Marks,
    private readonly late: LateViews,
  ) {}

  /** A day is noted only when the views have what happened: whoever counts it from then on counts that. */
  @Subscribe({ topic: topics.events, group: statsGroup, maxRecords: 1_000, paceMs: 1_000, isBackground: true })
  async note(@Payload() round: Round): Promise<void> {
    const changed = changedIn(eventsIn(round).events, Math.min(...round.records.map(({ timestamp }) => Number(timestamp))));
    if (changed.length === 0) return;
    await this.views.prepare();
    const late = await this.lateOf(changed, round.signal);
    const isLate = new Set(late.map(({ id }) => id));
    await this.late.park(late);
    await this.marks.note(changed.filter(({ id }) => !isLate.has(id)));
  }

  /** Those that the views do not have, after some time. */
  private async lateOf(changed: readonly LateView[], signal: AbortSignal): Promise<LateView[]> {
    let missing = [...changed];
    for (const deadline = Date.now() + longestWaitMs; ; await delay(lookMs, undefined, { signal })) {
      const versions = await this.views.versions(missing.map(({ id }) => id));
      missing = missing.filter(({ id, version }) => (versions.get(id) ?? 0) < version);
      if (missing.length === 0 || Date.now() > deadline) return missing;
    }
  }
}

/** Tickets of which something changed that is counted, with their newest versions. @param at when the first of these events was published */
function changedIn(events: readonly TicketEvent[], at: number): LateView[] {
  const tickets = new Map<string, LateView>();
  for (const { orgId, ticket, version } of events.filter(matters)) {
    const id = viewId(orgId, ticket.id);
    if (version > (tickets.get(id)?.version ?? 0)) tickets.set(id, { id, orgId, version, day: dayOf(Date.parse(ticket.createdAt)), at });
  }
  return [...tickets.values()];
}

/** Whether an event changes anything that is counted. */
function matters(event: TicketEvent): boolean {
  switch (event.type) {
    case 'ticket.conversation-appended.v1':
    case 'ticket.tool-call-recorded.v1':
    case 'ticket.reply-delivery-reported.v1':
      return false;
    case 'ticket.comment-added.v1':
      return event.data.comment.kind === 'reply';
    default:
      return true;
  }
}
