import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import { eventsIn, Subscribe, type Round } from '#messaging';
import { deadlinesGroup } from './hearing.js';
import { Timekeeper } from './timekeeper.js';

/** Has the deadlines of tickets follow their events. Broken records are buried by the consumer of assignment, which reads them all. */
@Controller()
export class DeadlinesConsumer {
  constructor(private readonly timekeeper: Timekeeper) {}

  @Subscribe({ topic: topics.events, group: deadlinesGroup, maxRecords: 500, paceMs: 100 })
  async follow(@Payload() round: Round): Promise<void> {
    await this.timekeeper.follow(eventsIn(round).events);
  }
}
