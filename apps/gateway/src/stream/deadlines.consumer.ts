import { Controller } from '@nestjs/common';
import { topics } from '#contracts';
import { deadlinesIn, Subscribe, type DeadLetter, type Round } from '#messaging';
import { Streams } from './streams.js';

/** The deadlines topic: every instance reads all of it, from now on, and tells those who listen. Broken records are buried by query-search, which reads them all once. */
@Controller()
export class DeadlinesConsumer {
  constructor(private readonly streams: Streams) {}

  @Subscribe({ topic: topics.deadlines, group: 'gateway.deadlines', perInstance: true, startFrom: 'end' })
  async handle(round: Round): Promise<DeadLetter[]> {
    this.streams.tellDeadlines(deadlinesIn(round).news);
    return [];
  }
}
