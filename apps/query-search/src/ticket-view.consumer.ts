import { Controller, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics, type TicketEvent } from '#contracts';
import { Subscribe, type DeadLetter, type Round } from '#messaging';
import { readEvent } from './event-record.js';
import { missedVersions, projectionDelay, unknownEvents, viewsWritten } from './metrics.js';
import { ProjectionStore } from './projection.store.js';
import { fold, rowOf, viewId } from './ticket-view.projection.js';

/** Keeps the views of tickets up to date with the events topic. */
@Controller()
export class TicketViewConsumer {
  private readonly logger = new Logger('projection');

  constructor(private readonly store: ProjectionStore) {}

  /** Timeline rows first: whoever sees a version in the view finds its row. */
  @Subscribe({ topic: topics.events, group: 'query-search.ticket-view', lanes: 2, paceMs: 40 })
  async project(@Payload() { records }: Round): Promise<DeadLetter[]> {
    const { events, dead } = this.sort(records);
    if (events.length === 0) return dead;
    await this.store.prepare();
    const tickets = byTicket(events);
    const [known] = await Promise.all([this.store.known([...tickets.keys()]), this.store.append(distinctRows(events))]);
    const changes = [...tickets].flatMap(([_id, ofTicket]) => {
      const folded = fold(known.get(_id), ofTicket);
      return folded ? [{ _id, isNew: !known.has(_id), ...folded }] : [];
    });
    await this.store.put(changes);
    this.tell(changes);
    return dead;
  }

  private sort(records: Round['records']): { events: TicketEvent[]; dead: DeadLetter[] } {
    const [events, dead]: [TicketEvent[], DeadLetter[]] = [[], []];
    for (const record of records) {
      const read = readEvent(record);
      if ('event' in read) events.push(read.event);
      else if ('dead' in read) dead.push(read.dead);
      else unknownEvents.inc();
    }
    return { events, dead };
  }

  private tell(changes: readonly { missing: number; newest: TicketEvent }[]) {
    viewsWritten.inc(changes.length);
    const now = Date.now();
    for (const { missing, newest } of changes) {
      projectionDelay.observe(Math.max(0, now - Date.parse(newest.at)) / 1_000);
      if (missing === 0) continue;
      missedVersions.inc(missing);
      this.logger.error({ msg: 'versions are missing', orgId: newest.orgId, ticketId: newest.ticketId, version: newest.version, missing });
    }
  }
}

function byTicket(events: readonly TicketEvent[]): Map<string, TicketEvent[]> {
  const tickets = new Map<string, TicketEvent[]>();
  for (const event of events) {
    const id = viewId(event.orgId, event.ticketId);
    const ofTicket = tickets.get(id);
    if (ofTicket) ofTicket.push(event);
    else tickets.set(id, [event]);
  }
  return tickets;
}

/** An event that came twice in a round makes one row. */
const distinctRows = (events: readonly TicketEvent[]) => [...new Map(events.map(rowOf).map((row) => [row._id, row])).values()];
