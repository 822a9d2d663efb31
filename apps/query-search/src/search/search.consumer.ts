import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import { type DeadLetter, eventsIn, type Round, Subscribe } from '#messaging';
import { byTicket, continued } from '../events.js';
import { ProjectionStore } from '../projection.store.js';
import { entryAfter } from './search-entry.projection.js';

export const searchGroup = 'query-search.search';

/**
 * Keeps what tickets are found by up to date with the events topic, on its own time: a word that is found a moment later harms
 * nobody, a command that waits for the store does. Broken records are buried by the views' consumer, which reads them all.
 */
@Controller()
export class SearchConsumer {
  constructor(private readonly store: ProjectionStore) {}

  @Subscribe({ topic: topics.events, group: searchGroup, maxRecords: 500, paceMs: 100, isBackground: true })
  async index(@Payload() round: Round): Promise<DeadLetter[]> {
    const tickets = byTicket(eventsIn(round).events);
    if (tickets.size === 0) return [];
    await this.store.prepare();
    const known = await this.store.heard(continued(tickets));
    const entries = [...tickets].flatMap(([_id, events]) => {
      const document = entryAfter(known.get(_id), events);
      return document ? [{ document, isNew: !known.has(_id) }] : [];
    });
    await this.store.putEntries(entries);
    return [];
  }
}
