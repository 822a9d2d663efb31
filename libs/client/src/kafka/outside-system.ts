import type { Consumer, Kafka, Producer } from 'kafkajs';
import { DeskstreamNoAnswer } from '../errors.js';
import { Awaited, type Outcome } from './awaited.js';
import { Outbox } from './outbox.js';
import { messageOf, topicsOf, type InboundRecord } from './record.js';

/** Which system, and how it reaches the broker. */
export interface OutsideSystemOptions {
  /** A client of kafkajs, with the brokers and the sign-in of your system. */
  kafka: Kafka;
  /** The id under which the system is registered: the one in its topics' names. */
  system: string;
  /** How long an outcome is awaited, ms (60,000). */
  timeoutMs?: number | undefined;
  /** Group that reads the results; the system has the right to those whose names begin with its own and a colon. Each process needs a group of its own: `<system>:results.<random>`. */
  groupId?: string | undefined;
}

export interface SendOptions {
  /**
   * What tells this record from all others of the system, 1–255 characters: sent again under the same id it changes nothing, and its first outcome comes
   * again. A random one where none is given.
   */
  id?: string | undefined;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * An outside system's two topics: it publishes what it wants, and is told what became of each record. Records sent at once travel together, in
 * the order of the calls.
 */
export class OutsideSystem {
  private constructor(
    private readonly options: OutsideSystemOptions,
    private readonly parts: { producer: Producer; consumer: Consumer; outbox: Outbox; awaited: Awaited },
  ) {}

  /** Resolves when results are heard: none that comes later is missed. @throws what kafkajs throws when there is no broker; an error that says so, with that as its cause, when there are no such topics for this sign-in */
  static async connect(options: OutsideSystemOptions): Promise<OutsideSystem> {
    const { kafka, system, groupId = `${system}:results.${crypto.randomUUID()}` } = options;
    const topics = topicsOf(system);
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false });
    const awaited = new Awaited();
    try {
      await producer.connect();
      await consumer.connect();
      await listen(kafka, consumer, { topic: topics.results, awaited });
    } catch (error) {
      await Promise.allSettled([producer.disconnect(), consumer.disconnect()]);
      throw lacksTopics(error) ? new Error(`${topics.results} is not there for us: the system ${system} is not registered, or its sign-in has no right to its topics`, { cause: error }) : error;
    }
    return new OutsideSystem(options, { producer, consumer, awaited, outbox: new Outbox((messages) => producer.send({ topic: topics.inbound, messages, acks: -1 })) });
  }

  /**
   * Publishes a record and waits for what becomes of it.
   * @throws DeskstreamNoAnswer when no outcome came in time or the record could not be published: whether it was taken is not known, and its
   *   `idempotencyKey` is the id under which it may be sent again. The signal's reason when that ended the wait.
   */
  async send(record: InboundRecord, { id = crypto.randomUUID(), timeoutMs = this.options.timeoutMs ?? 60_000, signal }: SendOptions = {}): Promise<Outcome> {
    signal?.throwIfAborted();
    const { outbox, awaited } = this.parts;
    const outcome = awaited.one(id, { timeoutMs, signal });
    const published = outbox.put(messageOf(this.options.system, record, id)).catch((cause: unknown) => {
      throw new DeskstreamNoAnswer(`The record ${id} could not be published`, { cause, idempotencyKey: id });
    });
    try {
      return await Promise.race([outcome.result, published.then(() => outcome.result)]);
    } finally {
      outcome.forget();
    }
  }

  /** Sends what is on its way, then hears no more: what is still awaited ends with `DeskstreamNoAnswer`. */
  async close(): Promise<void> {
    const { producer, consumer, outbox, awaited } = this.parts;
    await outbox.settled();
    awaited.fail('The system was closed');
    await Promise.allSettled([producer.disconnect(), consumer.disconnect()]);
  }
}

const missing = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED']);

/** kafkajs gives up with what the broker said as the cause of the cause. */
function lacksTopics(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (missing.has((cause as { type?: string }).type ?? '')) return true;
  return false;
}

/** From the ends that the topic has now: an outcome of what is sent later lies behind them. */
async function listen(kafka: Kafka, consumer: Consumer, { topic, awaited }: { topic: string; awaited: Awaited }): Promise<void> {
  const ends = await endsOf(kafka, topic);
  const joined = new Promise<void>((resolve, reject) => {
    const off = consumer.on(consumer.events.GROUP_JOIN, () => {
      off();
      for (const { partition, high } of ends) consumer.seek({ topic, partition, offset: high }); // not before: a group that is still being made cannot be sought in
      resolve();
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (restart) return;
      awaited.fail('Results are not heard any more', error);
      reject(error);
    });
  });
  await consumer.subscribe({ topic, fromBeginning: true }); // after a rebalance without a committed place nothing is missed
  await consumer.run({ eachMessage: async ({ message }) => awaited.told(message) });
  await joined;
}

async function endsOf(kafka: Kafka, topic: string) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await admin.fetchTopicOffsets(topic);
  } finally {
    await admin.disconnect();
  }
}
