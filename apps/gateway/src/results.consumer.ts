import { Controller } from '@nestjs/common';
import { topics } from '#contracts';
import { Subscribe, type DeadLetter, type Round } from '#messaging';
import { ResultWaiters, Unreadable } from './result-waiters.js';

/** The results topic: every instance reads all of it, from now on, and answers those who wait. */
@Controller()
export class ResultsConsumer {
  constructor(private readonly waiters: ResultWaiters) {}

  @Subscribe({ topic: topics.results, group: 'gateway.results', perInstance: true, startFrom: 'end' })
  async handle({ records }: Round): Promise<DeadLetter[]> {
    const dead: DeadLetter[] = [];
    for (const record of records) {
      try {
        this.waiters.tell(record.key?.toString() ?? '', record.value, record.headers['attempt']);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        dead.push({ record, reason: error.reason, detail: error.message });
      }
    }
    return dead;
  }
}
