import { Controller, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics, type TicketEvent } from '#contracts';
import { type DeadLetter, eventsIn, type Round, Subscribe } from '#messaging';
import { byTicket, continued, viewId } from './events.js';
import { candidates, type Before } from './feed/feed-entry.projection.js';
import { FeedNews } from './feed/feed-news.js';
import { FeedStore } from './feed/feed.store.js';
import { missedVersions, projectionDelay, unknownEvents, viewsWritten } from './metrics.js';
import { ProjectionStore } from './projection.store.js';
import { changedDays } from './stats/changed-days.projection.js';
import { Marks } from './stats/marks.store.js';
import { fold, rowOf, viewOf, type Folded } from './ticket-view.projection.js';

/** Whoever says how old the views are asks about this group. */
export const viewGroup = 'query-search.ticket-view';

/** Keeps the views of tickets up to date with the events topic. */
@Controller()
export class TicketViewConsumer {
  private readonly logger = new Logger('projection');

  constructor(
    private readonly store: ProjectionStore,
    private readonly feed: FeedStore,
    private readonly news: FeedNews,
    private readonly marks: Marks,
  ) {}

  /**
   * Timeline rows first: whoever sees a version in the feed or the view finds its row. The feed before the views: what has a row and a view is in it. Who
   * waits for the feed hears of it when reads have it, too. Days whose statistics have changed are noted last, again when the events
   * came before: whoever counts a day from then on counts them, and a round that died in the middle loses none.
   */
  @Subscribe({ topic: topics.events, group: viewGroup, maxRecords: 500, lanes: 2, paceMs: 100 })
  async project(@Payload() round: Round): Promise<DeadLetter[]> {
    const { events, placed, dead, unknown } = eventsIn(round);
    unknownEvents.inc(unknown);
    if (events.length === 0) return dead;
    await this.store.prepare();
    const tickets = byTicket(events);
    const before = await this.before(tickets, events);
    const { known } = before;
    await this.feed.append(candidates(placed, before));
    const changes = [...tickets].flatMap(([id, ofTicket]) => fold(known.get(id) ?? 0, ofTicket) ?? []);
    await this.store.putViews(changes.map(({ newest }) => ({ document: viewOf(newest), isNew: !known.has(viewId(newest.orgId, newest.ticketId)) })));
    this.news.announce(new Set(events.map(({ orgId }) => orgId)));
    await this.marks.note(changedDays(events, Math.min(...round.records.map(({ timestamp }) => Number(timestamp)))));
    this.tell(round, changes);
    return dead;
  }

  /** Adds the rows. Which were there before; and versions of the views that events go on from, or that may have some of these events already. */
  private async before(tickets: ReadonlyMap<string, TicketEvent[]>, events: readonly TicketEvent[]): Promise<Before> {
    const [known, again] = await Promise.all([this.store.versions(continued(tickets)), this.store.append(distinctRows(events))]);
    const rows = new Set(again.map(({ _id }) => _id));
    const repeated = new Set([...rows].map((id) => id.slice(0, id.lastIndexOf('/'))).filter((id) => !known.has(id)));
    return { rows, known: repeated.size === 0 ? known : new Map([...known, ...(await this.store.versions([...repeated]))]) };
  }

  private tell({ records }: Round, changes: readonly Folded[]) {
    viewsWritten.inc(changes.length);
    const now = Date.now();
    for (const { timestamp } of records) projectionDelay.observe(Math.max(0, now - Number(timestamp)) / 1_000);
    for (const { missing, newest } of changes.filter((change) => change.missing > 0)) {
      missedVersions.inc(missing);
      this.logger.error({ msg: 'versions are missing', orgId: newest.orgId, ticketId: newest.ticketId, version: newest.version, missing });
    }
  }
}

/** An event that came twice in a round makes one row. */
const distinctRows = (events: readonly TicketEvent[]) => [...new Map(events.map(rowOf).map((row) => [row._id, row])).values()];
