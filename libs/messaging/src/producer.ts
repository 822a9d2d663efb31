import { BrokerProbe, connectKafka, createPartitioner, type Producer } from './kafka.js';
import { produceQueue, produceSeconds, produceSize } from './metrics.js';
import type { PackedRecord } from './batch-writer.js';
import type { OutgoingRecord } from './record.js';
import { SendQueue } from './send-queue.js';

export interface ProducerOptions {
  readonly brokers: string[];
  readonly clientId: string;
  /** Records that may wait for acknowledgement (20,000); beyond it `send` rejects with `Overloaded`. */
  readonly maxQueued?: number;
  /** The same in bytes (64 MiB). */
  readonly maxQueuedBytes?: number;
  /** Largest record, key and headers included (1 MiB less a batch's frame, what the topics take). */
  readonly maxRecordBytes?: number;
}

const probeEvery = 2_000;

/**
 * Writes records with acks=all, gathering what is sent while a request is in flight. Not kafkajs's idempotent mode, which was
 * seen losing acknowledged records after cut answers: a repeat on the wire is legal here, a loss is not.
 */
export class RecordProducer {
  readonly #producer: Producer;
  readonly #probe: BrokerProbe;
  readonly #queue: SendQueue;
  #isHealthy = false;
  #heardAt = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(private readonly options: ProducerOptions) {
    const { brokers, clientId, maxQueued = 20_000, maxQueuedBytes = 64 << 20, maxRecordBytes = (1 << 20) - 100 } = options;
    // A few tries of the same bytes within seconds; whoever called decides what comes after that.
    const retry = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 };
    const client = connectKafka({ brokers, clientId, requestTimeout: 5_000, retry });
    this.#producer = client.producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      createPartitioner,
      retry,
    });
    this.#probe = new BrokerProbe({ brokers, clientId: `${clientId}-probe` });
    const limits = { maxQueued, maxQueuedBytes, maxRecordBytes, maxRequest: 500, maxRequestBytes: 512 << 10 };
    this.#queue = new SendQueue(limits, (records) => this.transmit(records));
    produceQueue.labels(clientId).set(0);
  }

  /** Whether the broker answered the last time it was asked, which is never more than some seconds ago. */
  get healthy(): boolean {
    return this.#isHealthy;
  }

  /** @throws when no broker can be reached. */
  async connect(): Promise<void> {
    await this.#producer.connect();
    this.heard(true);
    this.#watch = setInterval(() => void this.watch(), probeEvery);
    this.#watch.unref();
  }

  /** Sends what is queued (10 s at most) and disconnects. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#queue.close(Date.now() + 10_000);
    this.#isHealthy = false;
    await Promise.all([this.#producer.disconnect(), this.#probe.close()]);
  }

  /**
   * Resolves when all records are acknowledged by all in-sync replicas. Records of a partition are written in the order of the
   * calls. After a rejection some may have arrived: send all of them again, from the first.
   * @throws Overloaded, NotAcknowledged; RangeError for a record that no topic would take.
   */
  async send(records: readonly OutgoingRecord[], options: { readonly deadline?: number } = {}): Promise<void> {
    try {
      await this.#queue.send(records, options.deadline);
    } finally {
      produceQueue.labels(this.options.clientId).set(this.#queue.records);
    }
  }

  /** Names of the topics that there are. @throws when the broker does not answer */
  async topics(): Promise<string[]> {
    return (await this.#probe.admin()).listTopics();
  }

  private async transmit(records: PackedRecord[]): Promise<void> {
    const { clientId } = this.options;
    const end = produceSeconds.startTimer({ client: clientId });
    produceSize.labels(clientId).observe(records.length);
    try {
      await this.#producer.sendBatch({ acks: -1, timeout: 4_000, topicMessages: byTopic(records) });
      this.heard(true);
      end({ end: 'acknowledged' });
    } catch (error) {
      this.heard(false);
      end({ end: 'failed' });
      throw error;
    }
  }

  private heard(isHealthy: boolean): void {
    this.#isHealthy = isHealthy;
    this.#heardAt = Date.now();
  }

  private async watch(): Promise<void> {
    const asked = Date.now();
    if (asked - this.#heardAt < probeEvery && this.#isHealthy) return;
    const isHealthy = await this.#probe.isHealthy();
    if (this.#heardAt < asked) this.heard(isHealthy);
  }
}

function byTopic(records: readonly PackedRecord[]): { topic: string; messages: PackedRecord[] }[] {
  const topics = new Map<string, PackedRecord[]>();
  for (const record of records) {
    const messages = topics.get(record.topic);
    if (messages) messages.push(record);
    else topics.set(record.topic, [record]);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}
