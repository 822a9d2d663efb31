import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics, type TicketEvent } from '#contracts';
import { eventsIn, Subscribe, type DeadLetter, type Round } from '#messaging';
import { unknownRecords } from '../metrics.js';
import { Beginning } from './beginning.store.js';
import { Deliveries } from './deliveries.store.js';
import type { Claim } from './delivery.js';
import { Judged } from './judged.store.js';

/** Somebody who knows whom an event is to be told. */
export interface Claimant {
  /** What is to be told of events, which come in order per ticket and perhaps again. Ids of claims derive from the event. @throws StoreFault */
  claims(events: readonly TicketEvent[]): Promise<Claim[]>;
  /** Told of all events, those that are told to nobody too, before it is asked. @throws StoreFault */
  follow?(events: readonly TicketEvent[]): Promise<void>;
}

/** All of them. */
export const CLAIMANTS = Symbol('claimants');

/** Finds out who must hear of what happened. Nothing is sent here: who does not answer holds up no partition. */
@Controller()
export class ClaimsConsumer {
  constructor(
    private readonly judged: Judged,
    private readonly beginning: Beginning,
    private readonly deliveries: Deliveries,
    @Inject(CLAIMANTS) private readonly claimants: readonly Claimant[],
  ) {}

  @Subscribe({ topic: topics.events, group: 'assignment-notification.claims', maxRecords: 500 })
  async claim(@Payload() round: Round): Promise<DeadLetter[]> {
    const unjudged = await this.judged.rest(topics.events, round);
    const { events, dead, unknown } = eventsIn(unjudged.round);
    if (unknown > 0) unknownRecords.inc({ topic: topics.events }, unknown);
    for (const claimant of this.claimants) await claimant.follow?.(events);
    const since = await this.beginning.at();
    await this.tell(events.filter(({ at }) => at >= since));
    await this.judged.note(unjudged, dead);
    return dead;
  }

  private async tell(events: readonly TicketEvent[]): Promise<void> {
    if (events.length === 0) return;
    const claims = await Promise.all(this.claimants.map((claimant) => claimant.claims(events)));
    await this.deliveries.claim(claims.flat());
  }
}
