import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import { eventsIn, Subscribe, type DeadLetter, type Round } from '#messaging';
import { unknownRecords } from '../metrics.js';
import { Agenda } from './agenda.store.js';
import { NeedsLog } from './needs-log.store.js';
import { TrackedTickets } from './tracked-tickets.store.js';

/** Follows tickets, and has their organisation's dealt out where somebody is needed or may be free again. No command is sent here: a slow broker holds up no partition. */
@Controller()
export class AssignmentConsumer {
  constructor(
    private readonly tickets: TrackedTickets,
    private readonly log: NeedsLog,
    private readonly agenda: Agenda,
  ) {}

  @Subscribe({ topic: topics.events, group: 'assignment-notification.assignment', maxRecords: 500 })
  async follow(@Payload() round: Round): Promise<DeadLetter[]> {
    const { events, dead, unknown } = eventsIn(round);
    if (unknown > 0) unknownRecords.inc({ topic: topics.events }, unknown);
    if (events.length === 0) return dead;
    await this.agenda.wake(await this.tickets.follow(events, (begun, ended) => this.log.note(begun, ended)));
    return dead;
  }
}
