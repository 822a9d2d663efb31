import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { OwnersTrouble } from './fault.js';
import { placeGroup } from './group-start.js';
import { patience, type BrokerProbe, type Consumer, type Kafka } from './kafka.js';
import { Lane, type LaneOptions } from './lane.js';
import { SharedFetches, type SharedMemory } from './shared-memory.js';

const logger = new Logger('messaging');

export interface MemberOptions extends Omit<LaneOptions, 'sessionTimeout' | 'fetches'> {
  readonly client: Kafka;
  readonly probe: BrokerProbe;
  /** The group as the broker knows it. */
  readonly groupId: string;
  readonly fromBeginning: boolean;
  /** Where a group begins that has committed nothing: at what was written then or later, ms since the epoch. */
  readonly since?: number | undefined;
  /** Topics without which it does not begin: it waits until all of them are there, and that is no trouble of the service. */
  readonly waitsFor?: readonly string[] | undefined;
  /** Memory that it shares with others for what it fetched. */
  readonly memory?: SharedMemory | undefined;
  readonly onConsumer: (consumer: Consumer) => void;
}

/** The shortest that brokers grant unless told otherwise: for so long nobody reads the partitions of a process that was killed. */
const sessionTimeout = 6_000;

/** So long a fetch waits when there is nothing, and a stop for it, ms. What comes is brought at once; asking ten times a second took a tenth of a core from a broker that had nothing to say. */
const longestFetch = 400;

/** What a fetch may bring: more would lie in memory before its round comes. A larger batch is brought all the same, alone. */
const maxBytes = 2 << 20;
const maxBytesPerPartition = 1 << 20;
/** The same where others share the memory: so much lies packed while it waits for its turn. */
const maxSharedBytes = 1 << 20;

/** How often a member looks for topics that it waits for, ms. */
const topicsEvery = 1_000;

/** A consumer that crashed begins anew, and one that crashes again within this long ends the process, ms. */
const crashesApart = 60_000;

/** Topics that a member waits for are not there. */
class TopicsMissing extends Error {}

/** One kafkajs consumer and its life: starts it until it stands, watches it, starts it again when only the broker was to blame. */
export class Member {
  readonly lane: Lane;
  readonly #fetches: SharedFetches | undefined;
  #consumer: Consumer | undefined;
  #opening: Promise<void> | undefined;
  #isRunning = false;
  #isJoined = false;
  readonly #isStopping = new AbortController();
  #fetchedAt = 0;
  #crash: Error | undefined;
  /** When it crashed last although the broker answered. */
  #crashedAt = -Infinity;
  /** The topics it waits for are not there. */
  #isEarly = false;

  constructor(private readonly options: MemberOptions) {
    this.#fetches = options.memory && new SharedFetches(options.memory, () => this.lane.moved());
    this.lane = new Lane({ ...options, sessionTimeout, fetches: this.#fetches });
  }

  /**
   * Joined, positioned, fetching, and not waiting; else why not. Where an outsider's topics are read, only crashes and what the service itself lacks count: such a
   * member comes while the service runs, or loses its topics, and the service can do no less for that. Whether the broker answers, the service's own members tell.
   */
  get trouble(): string | undefined {
    const { topic, groupId, waitsFor } = this.options;
    const name = `${groupId} on ${topic}`;
    if (this.#crash) return `${name} crashed: ${this.#crash.message}`;
    if (this.isWaitingForUs) return `${name} waits: ${text(this.lane.trouble)}`;
    if (waitsFor !== undefined) return undefined;
    if (!this.#isJoined) return `${name} is not in its group`;
    if (!this.isPositioned) return `${name} is not positioned`;
    return this.isFetching ? undefined : `${name} gets no answer from the broker`;
  }

  private get isWaitingForUs(): boolean {
    return this.lane.trouble !== undefined && !(this.lane.trouble instanceof OwnersTrouble);
  }

  private get isPositioned(): boolean {
    return this.options.positions !== undefined || this.#fetchedAt > 0;
  }

  private get isFetching(): boolean {
    return this.lane.isBusy || Date.now() - this.#fetchedAt < 5_000;
  }

  /** When something last moved; Infinity while it waits for something known, or has never stood. */
  get movedAt(): number {
    return !this.#isRunning || this.lane.trouble !== undefined ? Infinity : this.lane.movedAt;
  }

  /** Returns when the consumer stands (or the stop came first), however long the broker or the topic is missing. */
  async start(): Promise<void> {
    for (let wait = 200; !this.#isStopping.signal.aborted; wait = Math.min(wait * 2, 5_000)) {
      try {
        this.#opening = this.open();
        return await this.#opening;
      } catch (error) {
        this.#isEarly = error instanceof TopicsMissing;
        await this.disconnect();
        const pause = this.#isEarly ? topicsEvery : wait;
        this.tellOfDelay(error, pause);
        await sleep(pause, undefined, { signal: this.#isStopping.signal }).catch(() => undefined);
      }
    }
  }

  private tellOfDelay(error: unknown, ms: number): void {
    const { topic, groupId: group } = this.options;
    const line = { msg: 'cannot subscribe yet', topic, group, ms, error: text(error) };
    if (this.#isEarly) logger.debug(line);
    else logger.warn(line);
  }

  private async open(): Promise<void> {
    const { client, groupId, topic, fromBeginning, positions, memory, since, probe, onConsumer } = this.options;
    if (await this.isEarly()) throw new TopicsMissing('its topics are not there');
    this.#isEarly = false;
    if (since !== undefined) await placeGroup(client, await probe.admin(), { groupId, topic, since });
    const consumer = client.consumer({
      groupId,
      sessionTimeout,
      heartbeatInterval: 1_500,
      rebalanceTimeout: 30_000,
      maxWaitTimeInMs: longestFetch,
      maxBytes: memory ? maxSharedBytes : maxBytes,
      maxBytesPerPartition,
      allowAutoTopicCreation: false,
      // Without this, kafkajs answers a stop in the middle of joining with a restart, and a consumer nobody knows keeps partitions.
      retry: { ...patience, restartOnFailure: async () => !this.#isStopping.signal.aborted && !(await this.isEarly()) },
    });
    this.#consumer = consumer;
    this.listen(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning });
    if (positions?.size === 0) await this.position(positions);
    onConsumer(consumer);
    this.lane.moved();
    this.#isRunning = true;
    const run = () =>
      consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 64, // above the partitions of any topic: gathering is the point
        eachBatch: (payload) => this.lane.take(payload),
      });
    await (this.#fetches?.run(run) ?? run());
  }

  /** Whether topics that it waits for are missing. @throws when the broker does not answer */
  private async isEarly(): Promise<boolean> {
    const { waitsFor = [], probe } = this.options;
    if (waitsFor.length === 0) return false;
    const present = new Set(await (await probe.admin()).listTopics());
    return waitsFor.some((topic) => !present.has(topic));
  }

  /** Where to start, fixed before anybody may rely on hearing what comes next. */
  private async position(positions: Map<number, string>): Promise<void> {
    const { probe, topic, fromBeginning } = this.options;
    const admin = await probe.admin();
    for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
      positions.set(partition, fromBeginning ? low : high);
    }
  }

  private listen(consumer: Consumer): void {
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#isJoined = true;
      this.#fetchedAt = 0;
      this.lane.joined();
      this.seek(consumer, payload.memberAssignment[this.options.topic] ?? []);
    });
    consumer.on(events.REBALANCING, () => void this.lane.commit());
    consumer.on(events.HEARTBEAT, () => this.lane.heard());
    consumer.on(events.FETCH, () => {
      this.#fetchedAt = Date.now();
      if (!this.lane.isBusy) this.lane.moved();
    });
    consumer.on(events.CRASH, ({ payload }) => {
      this.#isJoined = false;
      if (!payload.restart) void this.crashed(payload.error);
    });
  }

  /** Without commits, a rejoin would start at the end again and lose what came in between; a new partition has no position yet. */
  private seek(consumer: Consumer, partitions: readonly number[]): void {
    const { positions, topic } = this.options;
    if (positions === undefined) return;
    for (const partition of partitions) consumer.seek({ topic, partition, offset: positions.get(partition) ?? '0' });
  }

  /**
   * kafkajs has given up. While the broker is away, or a topic that is waited for, that means nothing; nor does it once: a broker that comes back has answers that kafkajs knows no
   * way out of, and answers us by the time we ask. What comes again at once is ours and stays.
   */
  private async crashed(error: Error): Promise<void> {
    if (this.#isStopping.signal.aborted) return;
    const { topic, groupId, onFatal } = this.options;
    logger.error({ msg: 'consumer crashed', topic, group: groupId, err: error });
    if ((await this.isToBlame()) && this.crashesAgain()) {
      this.#crash = error;
      onFatal(error);
      return;
    }
    this.#isRunning = false;
    await this.disconnect();
    await this.start();
  }

  /** Whether neither the broker nor a missing topic explains a crash. */
  private async isToBlame(): Promise<boolean> {
    return (await this.options.probe.isHealthy()) && !(await this.isEarly().catch(() => false));
  }

  private crashesAgain(): boolean {
    const before = this.#crashedAt;
    this.#crashedAt = performance.now();
    return this.#crashedAt - before < crashesApart;
  }

  /** Records that the group has not been brought to. @throws when the broker does not answer. */
  async lag(): Promise<number> {
    const { probe, topic, groupId } = this.options;
    const admin = await probe.admin();
    const [ends, [group]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.reduce((sum, { partition, high, low }) => {
      const at = Math.max(committed.get(partition) ?? 0, Number(low));
      return sum + Math.max(0, Number(high) - at);
    }, 0);
  }

  /** Ends the round in hand, commits and leaves the group. */
  async stop(): Promise<void> {
    this.#isStopping.abort();
    await this.lane.stop();
    // A member in the middle of joining cannot leave: the group would wait for it until its session ends.
    await Promise.race([this.#opening?.catch(() => undefined), sleep(5_000, undefined, { ref: false })]);
    await this.disconnect();
    this.#isJoined = false;
  }

  private async disconnect(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#fetches?.end();
    await consumer?.disconnect().catch((error: unknown) => logger.warn({ msg: 'consumer left uncleanly', error: text(error) }));
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
