import { randomUUID } from 'node:crypto';
import { type Admin, type Consumer, Kafka, logLevel } from 'kafkajs';
import type { IncomingRecord } from '#messaging';
import { eventually } from './eventually.js';

/**
 * Reads whatever comes to some topics from now on, and keeps it: what a test judges by. A client of its own, which takes part in nobody's group and
 * goes on by itself after the broker was away. (Its records are decoded by `#messaging`, whose import mends kafkajs for the whole process.)
 */
export class TopicTail {
  /** By topic and partition: records by offset, and the offset that is expected next. */
  readonly #partitions = new Map<string, { records: Map<number, IncomingRecord>; next: number }>();

  private constructor(
    private readonly admin: Admin,
    private readonly consumer: Consumer,
    private readonly topics: readonly string[],
  ) {}

  /** Begins at the present ends of the topics. */
  static async open(brokers: string, topics: readonly string[]): Promise<TopicTail> {
    const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'tail', logLevel: logLevel.NOTHING, retry: { retries: 1_000, maxRetryTime: 500 } });
    const admin = kafka.admin();
    const consumer = kafka.consumer({ groupId: `tail.${randomUUID()}`, maxWaitTimeInMs: 50, retry: { retries: 1_000, maxRetryTime: 500 } });
    await Promise.all([admin.connect(), consumer.connect()]);
    const tail = new TopicTail(admin, consumer, topics);
    await tail.#follow();
    return tail;
  }

  /** What has come to a topic, each partition in offset order. */
  records(topic: string): IncomingRecord[] {
    const partitions = [...this.#partitions].filter(([key]) => key.startsWith(`${topic}/`));
    return partitions.flatMap(([, { records }]) => [...records].sort(([one], [other]) => one - other).map(([, record]) => record));
  }

  /** Resolves when everything that is on the topics now has been read. */
  async readToEnd(): Promise<void> {
    for (const topic of this.topics) {
      const ends = await this.admin.fetchTopicOffsets(topic);
      await eventually(() => ends.every(({ partition, high }) => this.#at(topic, partition).next >= Number(high)));
    }
  }

  /** Records that a consumer group has not committed yet. */
  async lagOf(groupId: string, topic: string): Promise<number> {
    const [ends, [group]] = await Promise.all([this.admin.fetchTopicOffsets(topic), this.admin.fetchOffsets({ groupId, topics: [topic] })]);
    const committed = new Map(group!.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.reduce((sum, { partition, high, low }) => sum + Number(high) - Math.max(Number(low), committed.get(partition) ?? 0), 0);
  }

  async close(): Promise<void> {
    await Promise.all([this.consumer.disconnect(), this.admin.disconnect()]);
  }

  #at(topic: string, partition: number) {
    return this.#partitions.get(`${topic}/${partition}`)!;
  }

  async #follow(): Promise<void> {
    for (const topic of this.topics) {
      for (const { partition, high } of await this.admin.fetchTopicOffsets(topic)) {
        this.#partitions.set(`${topic}/${partition}`, { records: new Map(), next: Number(high) });
      }
    }
    await this.consumer.subscribe({ topics: [...this.topics], fromBeginning: true });
    const isPlaced = new Promise<void>((resolve) => this.consumer.on('consumer.group_join', () => resolve(this.#seek())));
    await this.consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => Promise.resolve(batch.messages.forEach((message) => this.#keep(message as unknown as IncomingRecord))),
    });
    await isPlaced;
  }

  /** Nothing is committed, so whenever the group is joined (again) it is told where to go on. */
  #seek(): void {
    for (const topic of this.topics) {
      for (const [key, { next }] of this.#partitions) {
        if (key.startsWith(`${topic}/`)) this.consumer.seek({ topic, partition: Number(key.slice(topic.length + 1)), offset: String(next) });
      }
    }
  }

  #keep(record: IncomingRecord): void {
    const at = this.#at(record.topic, record.partition);
    at.records.set(Number(record.offset), record);
    at.next = Math.max(at.next, Number(record.offset) + 1);
  }
}
