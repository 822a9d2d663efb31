import { partitionOf } from '../src/kafka.js';
import { FetchedRecord } from '../src/batch-reader.js';
import { packRecord } from '../src/batch-writer.js';
import type { IncomingRecord, OutgoingRecord } from '../src/record.js';
import { Settler, type RoundHandler } from '../src/settle.js';
import type { SubscribeOptions } from '../src/subscribe.js';

const plain = { producerId: '-1', inTransaction: false, isControlBatch: false };

/** A broker for unit tests: topics with partitions, groups with offsets, and the real rules of how a round ends. One member a group. */
export class InMemoryBroker {
  readonly #topics = new Map<string, IncomingRecord[][]>();
  readonly #offsets = new Map<string, number[]>();
  readonly #readers = new Set<() => void>();
  /** What the services' stores would say of themselves. */
  isStoreHealthy = true;
  #turn = 0;

  createTopic(name: string, partitions = 12): void {
    if (!this.#topics.has(name)) this.#topics.set(name, Array.from({ length: partitions }, () => []));
  }

  /** As `RecordProducer.send`, acknowledged at once. @throws when a topic does not exist, and then writes nothing. */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const targets = records.map(({ topic }) => this.partitions(topic));
    records.forEach((record, i) => this.append(record, targets[i]!));
    for (const read of this.#readers) read();
  }

  private append(record: OutgoingRecord, partitions: IncomingRecord[][]): void {
    const { key, value, headerBytes, topic } = packRecord(record);
    const partition = key === null ? this.#turn++ % partitions.length : partitionOf(key, partitions.length);
    const log = partitions[partition]!;
    const [offset, time] = [String(log.length), String(Date.now())];
    log.push(new FetchedRecord(topic, partition, offset, time, key, value, headerBytes, plain));
  }

  /** Everything a topic holds, partition by partition. */
  records(topic: string): IncomingRecord[] {
    return this.partitions(topic).flat();
  }

  /** Reads until stopped, as `Subscribe` would for a service of that name. */
  subscribe(service: string, options: SubscribeOptions, handle: RoundHandler): InMemorySubscription {
    const partitions = this.partitions(options.topic);
    const key = `${options.group}/${options.topic}`;
    const isFromEnd = (options.startFrom ?? (options.perInstance ? 'end' : 'beginning')) === 'end';
    const start = partitions.map((log) => (isFromEnd ? log.length : 0));
    const offsets = options.perInstance ? start : (this.#offsets.get(key) ?? start);
    if (!options.perInstance) this.#offsets.set(key, offsets);
    const subscription = new InMemorySubscription(partitions, offsets, options.maxRecords ?? 1_000, (onWait) => {
      const { group } = options;
      const isHealthy = async () => this.isStoreHealthy;
      const bury = (letters: OutgoingRecord[]) => this.send(letters);
      return new Settler({ service, group, handle, bury, isHealthy, onWait, backoff: { first: 5, longest: 20 } });
    });
    this.#readers.add(subscription.read);
    return subscription;
  }

  private partitions(topic: string): IncomingRecord[][] {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw new Error(`no topic ${topic}`);
    return partitions;
  }
}

class InMemorySubscription {
  readonly #settler: Settler;
  readonly #stop = new AbortController();
  #reading: Promise<void> | undefined;
  #isWaiting = false;

  constructor(
    private readonly partitions: readonly IncomingRecord[][],
    private readonly offsets: number[],
    private readonly maxRecords: number,
    settler: (onWait: (trouble: unknown) => void) => Settler,
  ) {
    this.#settler = settler((trouble) => (this.#isWaiting = trouble !== undefined));
    this.read();
  }

  health(): { live: boolean; ready: boolean } {
    return { live: true, ready: !this.#isWaiting };
  }

  /** Starts reading unless it is under way. */
  readonly read = (): void => {
    this.#reading ??= Promise.resolve()
      .then(() => this.rounds())
      .finally(() => (this.#reading = undefined));
  };

  private async rounds(): Promise<void> {
    for (let records = this.gather(); records.length > 0 && !this.#stop.signal.aborted; records = this.gather()) {
      const isDone = await this.#settler.settle(records, new AbortController().signal, this.#stop.signal);
      if (!isDone) return;
      for (const { partition, offset } of records) this.offsets[partition] = Number(offset) + 1;
    }
  }

  private gather(): IncomingRecord[] {
    return this.partitions.flatMap((log, partition) => log.slice(this.offsets[partition])).slice(0, this.maxRecords);
  }

  /** Resolves when the round in hand has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }
}
