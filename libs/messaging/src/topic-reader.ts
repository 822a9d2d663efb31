import { setTimeout as sleep } from 'node:timers/promises';
import type { Extent } from './backlog.js';
import type { FetchedRecord } from './batch-reader.js';
import { clusterOf, connectKafka, type Admin, type Cluster } from './kafka.js';
import type { IncomingRecord } from './record.js';

/** Part of a partition: from one offset to before another. */
export interface Stretch {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

const tries = 5;

/** Reads what lies on topics, without being told of what comes: takes part in no group, leaves nothing behind at the brokers, and ends where it was told to. */
export class TopicReader {
  private constructor(
    private readonly admin: Admin,
    private readonly cluster: Cluster,
  ) {}

  /** @throws when no broker can be reached within seconds. */
  static async open(brokers: string[]): Promise<TopicReader> {
    const retry = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 };
    const client = connectKafka({ brokers, clientId: 'deskstream-reader', retry });
    const [admin, cluster] = [client.admin({ retry }), clusterOf(client)];
    await Promise.all([admin.connect(), cluster.connect()]);
    return new TopicReader(admin, cluster);
  }

  /** Names of all topics. */
  topics(): Promise<string[]> {
    return this.admin.listTopics();
  }

  /** What lies on a topic now. */
  async extent(topic: string): Promise<Extent> {
    return (await this.admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
  }

  /** Offset of the first record of each partition that was written then or later, ms since the epoch; where there is none, where the next one will be. */
  async since(topic: string, ms: number): Promise<Map<number, number>> {
    const found = await this.admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, ms));
    return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  /**
   * Shows every record of a stretch, in offset order, until `visit` answers false; what retention or compaction took away is passed over.
   * @throws when the brokers do not answer.
   */
  async read(stretch: Stretch, visit: (record: IncomingRecord) => unknown): Promise<void> {
    const { topic, to } = stretch;
    await this.cluster.addTargetTopic(topic);
    let from = stretch.from;
    // Below the end there is always something to bring, but where the last records were taken away.
    for (let empty = 0; from < to && empty < tries; ) {
      const records = await this.fetch({ ...stretch, from });
      empty = records.length === 0 ? empty + 1 : 0;
      if (isStopped(records, to, visit)) return;
      from = records.length === 0 ? Math.max(from, await this.low(stretch)) : Number(records.at(-1)!.offset) + 1;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.admin.disconnect(), this.cluster.disconnect()]);
  }

  /** Some records; none where the first of them is gone. */
  private async fetch(stretch: Stretch): Promise<FetchedRecord[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.ask(stretch);
      } catch (error) {
        const { type, retriable } = error as { type?: string; retriable?: boolean };
        if (type === 'OFFSET_OUT_OF_RANGE') return [];
        if (attempt === tries || retriable === false) throw error;
        await sleep(200 * attempt);
        await this.cluster.refreshMetadata(); // the partition may have another leader by now
      }
    }
  }

  private async ask({ topic, partition, from }: Stretch): Promise<FetchedRecord[]> {
    const [nodeId] = Object.keys(this.cluster.findLeaderForPartitions(topic, [partition]));
    if (nodeId === undefined) throw new Error(`${topic} has no partition ${partition}`);
    const broker = await this.cluster.findBroker({ nodeId });
    const maxBytes = 2 << 20;
    const topics = [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes }] }];
    const { responses } = await broker.fetch({ isolationLevel: 0, maxWaitTime: 100, minBytes: 1, maxBytes, topics });
    return responses.flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages));
  }

  private async low({ topic, partition, to }: Stretch): Promise<number> {
    return (await this.extent(topic)).find((part) => part.partition === partition)?.low ?? to;
  }
}

const isStopped = (records: readonly FetchedRecord[], to: number, visit: (record: IncomingRecord) => unknown): boolean =>
  records.some((record) => Number(record.offset) < to && !record.isControlRecord && visit(record) === false);
