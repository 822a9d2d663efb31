import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import { deadlinesIn, Subscribe, type DeadLetter, type Round } from '#messaging';
import { Beginning } from '../deliveries/beginning.store.js';
import { Judged } from '../deliveries/judged.store.js';
import { unknownRecords } from '../metrics.js';
import { Noticing } from './noticing.js';

/** Has people told of deadlines that are near or missed. */
@Controller()
export class DeadlineNoticesConsumer {
  constructor(
    private readonly judged: Judged,
    private readonly beginning: Beginning,
    private readonly noticing: Noticing,
  ) {}

  @Subscribe({ topic: topics.deadlines, group: 'assignment-notification.deadline-notices', maxRecords: 500 })
  async tell(@Payload() round: Round): Promise<DeadLetter[]> {
    const unjudged = await this.judged.rest(topics.deadlines, round);
    const { news, dead, unknown } = deadlinesIn(unjudged.round);
    if (unknown > 0) unknownRecords.inc({ topic: topics.deadlines }, unknown);
    const since = await this.beginning.at();
    await this.noticing.tellDeadlines(news.filter(({ at }) => at >= since));
    await this.judged.note(unjudged, dead);
    return dead;
  }
}
