import { BrokerProbe, type ClientOptions } from './kafka.js';

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, number>;

/** Where a topic ends, and up to where a group has come. */
export interface ProgressSource {
  /** 0 for a partition in which nothing is left: whoever has committed nothing there has nothing to do. */
  ends(): Promise<Offsets>;
  /** Where the topic ended at a time (epoch ms). */
  endsAt(time: number): Promise<Offsets>;
  committed(): Promise<Offsets>;
  close(): Promise<void>;
}

export interface GroupProgressOptions extends ClientOptions {
  readonly group: string;
  readonly topic: string;
}

const everyMs = 500;
const mostMarks = 1_000;
/** Ages that are tried, ms, when a group was behind before we began to look: from a second to three years, each three times the one before. */
const ages = Array.from({ length: 17 }, (_, i) => 1_000 * 3 ** i);

/**
 * How far a group is through its topic, all instances together: whoever serves what the group makes can say as of when it is. Looks
 * twice a second; while the cluster does not answer, what is known grows older.
 */
export class GroupProgress {
  #marks: { at: number; ends: Offsets }[] = [];
  #asOf: number | undefined;
  #isCaughtUp = false;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** @param clock epoch ms; while it tells no time nothing is looked at */
  constructor(
    private readonly source: ProgressSource,
    private readonly clock: () => number | undefined = Date.now,
  ) {}

  /** Of a group on a cluster. */
  static of(options: GroupProgressOptions, clock?: () => number | undefined): GroupProgress {
    return new GroupProgress(new ClusterProgress(options), clock);
  }

  start(): void {
    const again = () => {
      if (!this.#isStopped) this.#timer = setTimeout(() => void this.update().finally(again), everyMs).unref();
    };
    void this.update().finally(again);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.source.close();
  }

  /** Epoch ms: everything written by then is worked off. Undefined before the first look. */
  get asOf(): number | undefined {
    return this.#isCaughtUp ? this.clock() : this.#asOf;
  }

  /** Epoch ms: at some look everything written by then was worked off. Unlike `asOf` it counts on nothing about what has come since. Undefined before the first look. */
  get heardUpTo(): number | undefined {
    return this.#asOf;
  }

  /** How far behind it may be, ms, at most; 0 when nothing was left at the last look. Undefined before the first look. */
  get lagMs(): number | undefined {
    const [{ asOf }, now] = [this, this.clock()];
    return asOf === undefined || now === undefined ? undefined : Math.max(0, now - asOf);
  }

  /** Looks once; never throws. */
  async update(): Promise<void> {
    const at = this.clock();
    if (at === undefined) return;
    try {
      const [ends, committed] = await Promise.all([this.source.ends(), this.source.committed()]);
      this.mark(at, ends);
      const passed = this.#marks.findLast((mark) => isPassed(mark.ends, committed));
      this.#isCaughtUp = passed?.at === at;
      this.#lookedAt = at;
      this.#asOf = passed?.at ?? this.#asOf ?? (await this.estimate(at, committed));
      this.#marks = this.#marks.filter((mark) => mark.at > this.#asOf!);
    } catch {
      this.#asOf = this.#isCaughtUp ? this.#lookedAt : this.#asOf;
      this.#isCaughtUp = false;
    }
  }

  private mark(at: number, ends: Offsets) {
    if (this.#marks.length >= mostMarks) this.#marks = this.#marks.filter((_, i) => i % 2 === 0);
    this.#marks.push({ at, ends });
  }

  private async estimate(now: number, committed: Offsets): Promise<number> {
    for (const age of ages) if (isPassed(await this.source.endsAt(now - age), committed)) return now - age;
    return now - ages.at(-1)!;
  }
}

const isPassed = (ends: Offsets, committed: Offsets) => [...ends].every(([partition, end]) => (committed.get(partition) ?? 0) >= end);

/** Asks the cluster, which says -1 where a group has committed nothing: it is at the beginning there. */
class ClusterProgress implements ProgressSource {
  private readonly probe: BrokerProbe;

  constructor(private readonly options: GroupProgressOptions) {
    this.probe = new BrokerProbe(options);
  }

  async ends(): Promise<Offsets> {
    const all = await (await this.admin()).fetchTopicOffsets(this.options.topic);
    return offsets(all.map(({ partition, low, high }) => ({ partition, offset: low === high ? '0' : high })));
  }

  async endsAt(time: number): Promise<Offsets> {
    return offsets(await (await this.admin()).fetchTopicOffsetsByTimestamp(this.options.topic, time));
  }

  async committed(): Promise<Offsets> {
    const { group: groupId, topic } = this.options;
    const [group] = await (await this.admin()).fetchOffsets({ groupId, topics: [topic] });
    return offsets(group?.partitions ?? []);
  }

  close(): Promise<void> {
    return this.probe.close();
  }

  /** A connection that was lost is not used again: the probe sees to that when it finds the cluster silent. */
  private async admin() {
    if (!(await this.probe.isHealthy())) throw new Error('the cluster does not answer');
    return this.probe.admin();
  }
}

const offsets = (partitions: readonly { partition: number; offset: string }[]): Offsets => new Map(partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
