import { DeadLetterDecision, deadLetterDecisions } from '#contracts';
import type { RecordProducer } from '../producer.js';
import type { TopicReader } from '../topic-reader.js';
import { Decisions } from './decisions.js';
import { Trouble } from './trouble.js';

/** The decisions' topic, which all operators share. */
export class Ledger {
  readonly decisions = new Decisions();
  #next = 0;

  constructor(
    private readonly reader: TopicReader,
    private readonly producer: RecordProducer,
  ) {}

  /** Reads what came since the last time. */
  async refresh(): Promise<void> {
    const [part] = await this.reader.extent(deadLetterDecisions);
    if (part === undefined) throw new Trouble(`the topic ${deadLetterDecisions} has no partition`);
    const from = Math.max(this.#next, part.low);
    await this.reader.read({ topic: deadLetterDecisions, partition: part.partition, from, to: part.high }, ({ value }) => this.#take(value));
    this.#next = part.high;
  }

  /** Returns when they are on the topic and read back: which of them count is told by `decisions`. */
  async write(decisions: readonly DeadLetterDecision[]): Promise<void> {
    if (decisions.length === 0) return;
    await this.producer.send(decisions.map((decision) => ({ topic: deadLetterDecisions, key: decision.letter, value: JSON.stringify(decision) })));
    await this.refresh();
  }

  #take(value: Buffer | null): void {
    try {
      this.decisions.take(DeadLetterDecision.parse(JSON.parse(String(value))));
    } catch {
      return; // not written by this tool: no decision
    }
  }
}
