import { deadLetterDecisions } from '#contracts';
import { RecordProducer } from '../producer.js';
import type { IncomingRecord } from '../record.js';
import { TopicReader, type Stretch } from '../topic-reader.js';
import type { LetterState } from './decisions.js';
import { Ledger } from './ledger.js';
import { readLetter, sourceTopic, type Letter, type LetterPlace } from './letter.js';
import { Trouble } from './trouble.js';

export interface Filter {
  /** A dead-letter topic, or the topic its letters came from. */
  topic?: string;
  reason?: string;
  org?: string;
  /** ms since the epoch. */
  since?: number;
  state?: LetterState;
}

interface Scanning {
  visit: (record: IncomingRecord) => boolean;
  patience: Patience;
}

/** How much somebody who waits for an answer lets be read for it. */
export class Patience {
  readonly #until: number;

  /** @param ms time, @param bytes of values and headers */
  constructor(
    ms: number,
    private bytes: number,
  ) {
    this.#until = Date.now() + ms;
  }

  get isOver(): boolean {
    return this.bytes <= 0 || Date.now() >= this.#until;
  }

  spend({ value, rawHeaders }: Pick<IncomingRecord, 'value' | 'rawHeaders'>): void {
    this.bytes -= (value?.length ?? 0) + rawHeaders.reduce((sum, header) => sum + header.key.length + (header.value?.length ?? 0), 100);
  }
}

/** What the largest of the topics of dead letters takes. */
const maxRecordBytes = 8 << 20;

/** All dead letters, and what became of them. */
export class Desk {
  readonly ledger: Ledger;

  private constructor(
    readonly reader: TopicReader,
    readonly producer: RecordProducer,
    public topics: ReadonlySet<string>,
  ) {
    this.ledger = new Ledger(reader, producer);
  }

  /** @throws Trouble when no broker answers, or the topics were not made. */
  static async open(brokers: string[]): Promise<Desk> {
    const reader = await TopicReader.open(brokers).catch((error: Error) => {
      throw new Trouble(`Kafka at ${brokers.join(',')} does not answer (${error.message}). Is it running, and is this its address?`);
    });
    const producer = new RecordProducer({ brokers, clientId: 'dead-letters', maxRecordBytes });
    const topics = new Set(await reader.topics());
    const desk = new Desk(reader, producer, topics);
    try {
      if (!topics.has(deadLetterDecisions)) throw new Trouble(`There is no topic ${deadLetterDecisions}: make the topics with "node dist/tools/topics.js" first.`);
      await Promise.all([producer.connect(), desk.ledger.refresh()]);
      return desk;
    } catch (error) {
      await desk.close();
      throw error;
    }
  }

  /** Hears what came since the last time: decisions of others, and topics. @throws what the brokers say, or that they do not answer */
  async refresh(): Promise<void> {
    const [topics] = await Promise.all([this.reader.topics(), this.ledger.refresh()]);
    this.topics = new Set(topics);
  }

  /** Shows every letter that fits, topic by topic, each partition in offset order. */
  async visit(filter: Filter, visit: (letter: Letter, state: LetterState) => void): Promise<void> {
    for (const topic of this.topicsOf(filter)) {
      for (const { partition, low, high } of await this.reader.extent(topic)) {
        await this.reader.read({ topic, partition, from: low, to: high }, (record) => {
          const letter = readLetter(record);
          const state = this.ledger.decisions.stateOf(letter);
          if (fits(filter, letter) && (filter.state ?? state) === state) visit(letter, state);
        });
      }
    }
  }

  /**
   * Shows the letters of some topics from a place on, topic by topic, each partition in offset order, until `visit` answers false or the patience
   * has run out. Answers where to go on, which is the letter that was answered so; null at the end.
   */
  async scan(topics: readonly string[], from: LetterPlace | null, { visit, patience }: Scanning): Promise<LetterPlace | null> {
    for await (const stretch of this.stretches(topics, from)) {
      const { topic, partition } = stretch;
      if (patience.isOver) return { topic, partition, offset: stretch.from };
      let end: LetterPlace | null = null;
      await this.reader.read(stretch, (record) => {
        patience.spend(record);
        const offset = Number(record.offset);
        if (!visit(record)) end = { topic, partition, offset };
        else if (patience.isOver) end = { topic, partition, offset: offset + 1 };
        return end === null;
      });
      if (end !== null) return end;
    }
    return null;
  }

  /** The record of a letter; undefined when there is none (any more). */
  async find({ topic, partition, offset }: LetterPlace): Promise<IncomingRecord | undefined> {
    if (!this.topics.has(topic)) return undefined;
    const part = (await this.reader.extent(topic)).find((one) => one.partition === partition);
    if (part === undefined || offset < part.low || offset >= part.high) return undefined;
    let found: IncomingRecord | undefined;
    await this.reader.read({ topic, partition, from: offset, to: offset + 1 }, (record) => (found = record));
    return found;
  }

  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.producer.close()]);
  }

  /** What lies on the topics now, from a place on; the place may be gone. */
  private async *stretches(topics: readonly string[], from: LetterPlace | null): AsyncGenerator<Stretch> {
    for (const topic of [...topics].sort()) {
      if (from !== null && topic < from.topic) continue;
      const begin = topic === from?.topic ? from : { partition: 0, offset: 0 };
      const parts = [...(await this.reader.extent(topic))].sort((one, other) => one.partition - other.partition);
      for (const { partition, low, high } of parts.filter((part) => part.partition >= begin.partition)) {
        yield { topic, partition, from: partition === begin.partition ? Math.max(low, begin.offset) : low, to: high };
      }
    }
  }

  private topicsOf({ topic }: Filter): string[] {
    const all = [...this.topics].filter((name) => sourceTopic(name) !== undefined).sort();
    if (topic === undefined) return all;
    const chosen = all.filter((name) => name === topic || sourceTopic(name) === topic);
    if (chosen.length === 0) throw new Trouble(`No dead letters are kept of ${topic}. Their topics: ${all.join(', ') || 'none'}`);
    return chosen;
  }
}

function fits({ reason, org, since }: Filter, letter: Letter): boolean {
  if (reason !== undefined && letter.reason !== reason) return false;
  if (org !== undefined && letter.orgId !== org) return false;
  return since === undefined || Date.parse(letter.time) >= since;
}
