import { Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { inboundResultsTopic, topics } from '#contracts';
import { NotAcknowledged, type OutgoingRecord, type RecordProducer } from '#messaging';

const dropped = new Counter({
  name: 'deskstream_inbound_results_dropped_total',
  help: 'Results that no topic of their outside system took',
  labelNames: ['system'] as const,
});
const logger = new Logger('inbound');

/** What a topic answers that will not take a record, however often it is sent. */
const finalRefusals = new Set(['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION', 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** For so long after a refusal nothing is tried, ms: each try takes a second, and other systems' commands are in the same round. */
const restMs = 5_000;

/** What an outside system is told: value, headers, and the `ce_id` of its record as the key. */
export interface Told {
  system: string;
  key: string;
  value: string | Buffer;
  headers: Record<string, string>;
}

/**
 * Tells outside systems what became of their records. A system whose results topic is missing, or takes nothing from us, must not stop the commands of
 * everybody else: what it would be told is dropped, counted, and told again when the system sends its record again. Trouble that passes is waited out.
 */
export class InboundResults {
  private readonly refusedUntil = new Map<string, number>();

  constructor(
    private readonly producers: { of(system: string): Promise<Pick<RecordProducer, 'send' | 'topics'>> },
    private readonly now: () => number = Date.now,
  ) {}

  /** Resolves when everything is acknowledged that can be told. @throws Fault */
  async send(all: readonly Told[]): Promise<void> {
    await Promise.all([...Map.groupBy(all, ({ system }) => system)].map(([system, told]) => this.tell(system, told)));
  }

  private async tell(system: string, told: readonly Told[]): Promise<void> {
    if (this.now() < (this.refusedUntil.get(system) ?? 0)) return this.drop(system, told.length);
    const records: OutgoingRecord[] = told.map(({ key, value, headers }) => ({ topic: inboundResultsTopic(system), key, value, headers }));
    const producer = await this.producers.of(system);
    try {
      await producer.send(records);
    } catch (error) {
      if (!(await isFinal(error, producer, inboundResultsTopic(system)))) throw error;
      this.refusedUntil.set(system, this.now() + restMs);
      logger.error({ msg: 'results cannot be told', system, err: error });
      this.drop(system, told.length);
    }
  }

  private drop(system: string, count: number): void {
    dropped.inc({ system }, count);
  }
}

/** A broker that just started may not know of any topic yet: one is missing only where others are known. */
async function isFinal(error: unknown, producer: Pick<RecordProducer, 'topics'>, topic: string): Promise<boolean> {
  if (error instanceof RangeError) return true;
  if (!(error instanceof NotAcknowledged) || error.refusal === undefined) return false;
  if (finalRefusals.has(error.refusal)) return true;
  if (error.refusal !== 'UNKNOWN_TOPIC_OR_PARTITION') return false;
  const present = await producer.topics().catch((): string[] => []);
  return present.includes(topics.events) && !present.includes(topic);
}
