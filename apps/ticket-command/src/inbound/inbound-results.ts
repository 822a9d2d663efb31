import { Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { inboundResultsTopic, topics } from '#contracts';
import { NotAcknowledged, type RecordProducer } from '#messaging';

const dropped = new Counter({
  name: 'deskstream_inbound_results_dropped_total',
  help: 'Results that no topic of their outside system took',
  labelNames: ['system'] as const,
});
const logger = new Logger('inbound');

/** What a topic answers that will take nothing from us, however often it is sent. */
const refusalsOfAll = new Set(['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION']);
/** What it answers that will not take these records together, and perhaps each of them. */
const refusalsOfSome = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** For so long after a topic took nothing it is not tried, ms: each try takes a second, and other systems' commands are in the same round. */
const restMs = 5_000;
/** A topic that refuses so many records of one call takes hardly any, and rests like one that takes nothing. */
const mostRefused = 8;

/** What an outside system is told: value, headers, and the `ce_id` of its record as the key. */
export interface Told {
  system: string;
  key: string;
  value: string | Buffer;
  headers: Record<string, string>;
}

/** What one system is told in one call, or a part of it. */
interface Telling {
  system: string;
  told: readonly Told[];
  /** How many records of the call its topic has refused one by one. */
  tally: { refused: number };
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
    await Promise.all([...Map.groupBy(all, ({ system }) => system)].map(([system, told]) => this.tell({ system, told, tally: { refused: 0 } })));
  }

  private async tell(telling: Telling): Promise<void> {
    const { system, told } = telling;
    if (this.now() < (this.refusedUntil.get(system) ?? 0)) return this.drop(telling);
    const topic = inboundResultsTopic(system);
    const producer = await this.producers.of(system);
    try {
      await producer.send(told.map(({ key, value, headers }) => ({ topic, key, value, headers })));
    } catch (error) {
      if (isRefusalOfSome(error)) return this.refusedSome(telling, error);
      if (!(await isRefusalOfAll(error, producer, topic))) throw error;
      this.refusedAll(telling, error);
    }
  }

  /** Halves go one after the other: the producer would put them into one request again. What arrived already is told twice, which readers know. */
  private async refusedSome(telling: Telling, error: unknown): Promise<void> {
    const { system, told, tally } = telling;
    const middle = told.length >> 1;
    if (middle > 0) {
      for (const half of [told.slice(0, middle), told.slice(middle)]) await this.tell({ system, told: half, tally });
      return;
    }
    tally.refused += 1;
    if (tally.refused >= mostRefused) return this.refusedAll(telling, error);
    logger.error({ msg: 'a result cannot be told', system, key: told[0]?.key, err: error });
    this.drop(telling);
  }

  private refusedAll(telling: Telling, error: unknown): void {
    const { system } = telling;
    this.refusedUntil.set(system, this.now() + restMs);
    logger.error({ msg: 'results cannot be told', system, err: error });
    this.drop(telling);
  }

  private drop({ system, told }: Telling): void {
    dropped.inc({ system }, told.length);
  }
}

const isRefusalOfSome = (error: unknown) => error instanceof RangeError || (error instanceof NotAcknowledged && refusalsOfSome.has(error.refusal ?? ''));

/** A broker that just started may not know of any topic yet: one is missing only where others are known. */
async function isRefusalOfAll(error: unknown, producer: Pick<RecordProducer, 'topics'>, topic: string): Promise<boolean> {
  if (!(error instanceof NotAcknowledged) || error.refusal === undefined) return false;
  if (refusalsOfAll.has(error.refusal)) return true;
  if (error.refusal !== 'UNKNOWN_TOPIC_OR_PARTITION') return false;
  const present = await producer.topics().catch((): string[] => []);
  return present.includes(topics.events) && !present.includes(topic);
}
