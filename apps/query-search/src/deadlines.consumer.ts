import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import { deadlinesIn, Subscribe, type DeadLetter, type Round } from '#messaging';
import { deadlinesAfter } from './deadlines.projection.js';
import { unknownEvents } from './metrics.js';
import { ProjectionStore } from './projection.store.js';

export const deadlinesGroup = 'query-search.deadlines';

/** Keeps what views say of deadlines up to date with the deadlines topic, whether it is before or behind the events that they are about. */
@Controller()
export class DeadlinesConsumer {
  constructor(private readonly store: ProjectionStore) {}

  @Subscribe({ topic: topics.deadlines, group: deadlinesGroup, maxRecords: 500, paceMs: 100 })
  async project(@Payload() round: Round): Promise<DeadLetter[]> {
    const { news, dead, unknown } = deadlinesIn(round);
    unknownEvents.inc(unknown);
    if (news.length === 0) return dead;
    await this.store.prepare();
    await this.store.putDeadlines(deadlinesAfter(news));
    return dead;
  }
}
