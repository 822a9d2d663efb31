import { deadLetterDecisions } from '#contracts';
import { RecordProducer, TopicReader, type IncomingRecord } from '#messaging';
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

/** Larger than any dead letter: their topics take 4 MiB. */
const maxRecordBytes = 5 << 20;

/** All dead letters, and what became of them. */
export class Desk {
  readonly ledger: Ledger;

  private constructor(
    readonly reader: TopicReader,
    readonly producer: RecordProducer,
    readonly topics: ReadonlySet<string>,
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
