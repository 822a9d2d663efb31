import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { share, type Delivery, type Share } from './delivery.js';
import { OwnersTrouble } from './fault.js';
import type { EachBatchPayload } from './kafka.js';
import { Lag, roundSeconds, roundSize, roundsWaiting } from './metrics.js';
import { OffsetCommits, type Offsets } from './offset-commits.js';
import type { IncomingRecord } from './record.js';
import type { Settler } from './settle.js';
import type { SharedFetches } from './shared-memory.js';
import type { Traffic } from './traffic.js';

const logger = new Logger('messaging');

/** Partitions some lane of this process works on: a partition has one round in flight here, even when it has just moved between lanes. */
export type Holds = Map<number, Promise<void>>;

export interface LaneOptions {
  readonly topic: string;
  readonly group: string;
  readonly maxRecords: number;
  /** Rounds begin at least so far apart, ms (0). */
  readonly paceMs?: number | undefined;
  /** Tells the subscriptions that give way when the others have work. */
  readonly traffic?: Traffic | undefined;
  readonly isBackground?: boolean | undefined;
  /** Whether somebody waits for what is committed. */
  readonly hurries?: (() => boolean) | undefined;
  /** After this many ms without a heartbeat the group has given our partitions away. */
  readonly sessionTimeout: number;
  readonly settler: Settler;
  readonly holds: Holds;
  /** Next offsets by partition, kept here instead of in the group; with it nothing is committed. */
  readonly positions?: Map<number, string>;
  readonly onFatal: (error: unknown) => void;
  /** Where it shares memory with others: what waits for its owner's trouble to end is let go meanwhile, and fetched again. */
  readonly fetches?: SharedFetches | undefined;
}

const heartbeatEvery = 1_000;

/**
 * The work of one member of a consumer group: gathers what a fetch brought on all its partitions into rounds, keeps the membership
 * alive meanwhile, and commits what they finished. kafkajs hears that a delivery is over only when its rounds are, whatever
 * happens to the group, and never sees an error.
 */
export class Lane {
  #deliveries: Delivery[] = [];
  #working: Promise<void> | undefined;
  #payload: EachBatchPayload | undefined;
  #generation = 0;
  readonly #commits: OffsetCommits;
  readonly #lag: Lag;
  /** Aborted when deliveries must be let go: a rebalance is due, the partitions are lost, or the service stops. */
  #leave = new AbortController();
  /** Aborted when even the outcome of the round in hand is unwanted: the partitions are lost, or the stop is out of time. */
  #lost = new AbortController();
  /** Aborted when the round in hand waits for what only others can mend, and somebody else could use its memory. */
  #yields = new AbortController();
  #isStopping = false;
  #taken = 0;
  #beat: NodeJS.Timeout | undefined;
  #heardAt = Date.now();
  #movedAt = Date.now();
  #trouble: unknown;

  constructor(private readonly options: LaneOptions) {
    const { topic, group } = options;
    this.#lag = new Lag({ topic, group });
    this.#commits = new OffsetCommits(
      (offsets) => this.sendCommit(offsets),
      (error) => this.refused(error),
      options.hurries,
    );
  }

  /** What the round in hand waits for, if it waits. */
  get trouble(): unknown {
    return this.#trouble;
  }

  /** Whether records are in hand. */
  get isBusy(): boolean {
    return this.#taken > 0;
  }

  /** When (epoch ms) something last moved: a fetch came back, a round ended, waited or went on. */
  get movedAt(): number {
    return this.#movedAt;
  }

  moved(): void {
    this.#movedAt = Date.now();
  }

  /** The group has dealt the partitions anew. */
  joined(): void {
    this.#generation++;
    this.#commits.forget();
    this.#lag.forget();
    this.heard();
    this.moved();
  }

  /** The coordinator knows us. What was being let go for want of a heartbeat is ours after all. */
  heard(): void {
    this.#heardAt = Date.now();
    if (this.#isStopping) return;
    if (this.#leave.signal.aborted) this.#leave = new AbortController();
    if (this.#lost.signal.aborted) this.#lost = new AbortController();
  }

  waits(trouble: unknown): void {
    const { topic, group } = this.options;
    const change = Number(trouble !== undefined) - Number(this.#trouble !== undefined);
    roundsWaiting.inc({ topic, group }, change);
    this.#trouble = trouble;
    if (this.options.fetches && trouble instanceof OwnersTrouble) this.#yields.abort();
    this.moved();
  }

  /** The round in hand ends, nothing else begins. Resolves when what earlier rounds finished is committed, too. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#leave.abort();
    await this.#commits.flushForGood();
    this.#lag.forget();
  }

  /** Not even the round in hand matters any more. */
  giveUp(): void {
    this.#lost.abort();
  }

  /** kafkajs's eachBatch: resolves when the delivery is worked off or let go. */
  async take(payload: EachBatchPayload): Promise<void> {
    this.#payload = payload;
    this.#taken++;
    this.#beat ??= setInterval(() => void this.beat(), heartbeatEvery).unref();
    const { holds } = this.options;
    const { partition } = payload.batch;
    const generation = this.#generation;
    try {
      for (let held = holds.get(partition); held !== undefined; held = holds.get(partition)) await held;
      const over = new Promise<void>((finish) => this.enqueue(payload, generation, finish));
      holds.set(partition, over);
      await over;
      holds.delete(partition);
      if (this.#leave.signal.aborted) await this.#commits.flushForGood();
    } finally {
      if (--this.#taken === 0) this.#beat = void clearInterval(this.#beat);
    }
  }

  private enqueue(payload: EachBatchPayload, generation: number, finish: () => void): void {
    const records = payload.batch.messages as unknown as readonly IncomingRecord[];
    this.#deliveries.push({ records, payload, generation, finish, next: 0 });
    // One fetch hands over its partitions one by one within this turn: the round starts after all of them.
    this.#working ??= Promise.resolve().then(() => this.work());
  }

  private async work(): Promise<void> {
    while (this.#deliveries.length > 0) {
      const isOver = this.#leave.signal.aborted || !(await this.round());
      if (!isOver) continue;
      for (const { finish } of this.#deliveries.splice(0)) finish();
    }
    this.#working = undefined;
  }

  /** True when its records ended and more may follow. */
  private async round(): Promise<boolean> {
    const { topic, group, settler, onFatal } = this.options;
    const shares = share(this.#deliveries, this.options.maxRecords);
    const records = shares.flatMap((part) => part.records);
    const lost = this.#lost.signal;
    const startedAt = performance.now();
    roundSize.observe({ topic, group }, records.length);
    try {
      const isDone = await settler.settle(records, lost, AbortSignal.any([this.#leave.signal, this.#yields.signal]));
      this.tellFetches(isDone);
      const ms = performance.now() - startedAt;
      roundSeconds.observe({ topic, group }, ms / 1_000);
      if (isDone) await this.close(this.resolve(shares, lost), startedAt);
      await this.giveWay(ms, records);
      return isDone;
    } catch (error) {
      onFatal(error); // the settler brings every failure of a handler to an end: this one is our own mistake
      return false;
    } finally {
      this.waits(undefined);
    }
  }

  private tellFetches(isDone: boolean): void {
    const { fetches } = this.options;
    if (isDone) return fetches?.finished();
    if (!this.#yields.signal.aborted) return;
    this.#yields = new AbortController();
    fetches?.unfinished();
  }

  private async giveWay(ms: number, records: readonly IncomingRecord[]): Promise<void> {
    const { traffic, isBackground, maxRecords, hurries } = this.options;
    if (!traffic) return;
    if (!isBackground) return traffic.seen(records.length / maxRecords);
    const rest = hurries?.() ? 0 : traffic.rest(Number(records.at(-1)!.timestamp)) * ms;
    if (rest > 0) await sleep(rest, undefined, { signal: this.#leave.signal }).catch(() => undefined);
  }

  /** Tells kafkajs that these deliveries are over, at the lane's pace: until then it does not fetch, and what arrives meanwhile comes in one piece. */
  private async close(over: readonly Delivery[], startedAt: number): Promise<void> {
    const rest = startedAt + (this.options.paceMs ?? 0) - performance.now();
    if (rest > 0 && over.length > 0) await sleep(rest, undefined, { signal: this.#leave.signal }).catch(() => undefined);
    for (const { finish } of over) finish();
  }

  /** Moves the offsets past what a round has finished. Returns the deliveries that are worked off. */
  private resolve(shares: readonly Share[], lost: AbortSignal): Delivery[] {
    const over: Delivery[] = [];
    for (const { delivery, records } of shares) {
      const isOurs = delivery.generation === this.#generation && !lost.aborted;
      if (isOurs) this.moveOn(delivery.payload, records[records.length - 1]!.offset);
      delivery.next += records.length;
      if (delivery.next < delivery.records.length && isOurs) continue;
      this.#deliveries.splice(this.#deliveries.indexOf(delivery), 1);
      over.push(delivery);
    }
    return over;
  }

  private moveOn({ batch, resolveOffset }: EachBatchPayload, last: string): void {
    const next = Number(last) + 1;
    resolveOffset(last);
    if (this.options.positions) this.options.positions.set(batch.partition, String(next));
    else this.#commits.add(batch.partition, String(next));
    this.#lag.set(batch.partition, Math.max(0, Number(batch.highWatermark) - next));
  }

  /** Sends what is finished to the group without waiting for its time. */
  async commit(): Promise<void> {
    await this.#commits.flush();
  }

  private async sendCommit(offsets: Offsets): Promise<void> {
    const partitions = offsets.map(([partition, offset]) => ({ partition, offset }));
    await this.#payload?.commitOffsetsIfNecessary({ topics: [{ topic: this.options.topic, partitions }] });
  }

  private async beat(): Promise<void> {
    try {
      await this.#payload?.heartbeat();
    } catch (error) {
      this.refused(error);
    }
    if (Date.now() - this.#heardAt > this.options.sessionTimeout) this.lose('no heartbeat reached the group in time');
  }

  /** What the coordinator's refusal means for the work in hand; kafkajs meets the same error later and joins again. */
  private refused(error: unknown): void {
    const { type, message } = error as { type?: string; message?: string };
    if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION' || type === 'FENCED_INSTANCE_ID') this.lose(type);
    else if (type === 'REBALANCE_IN_PROGRESS' || type === 'NOT_COORDINATOR_FOR_GROUP') this.#leave.abort();
    else logger.warn({ msg: 'heartbeat or commit failed', group: this.options.group, error: message ?? String(error) });
  }

  private lose(why: string): void {
    if (this.#lost.signal.aborted) return;
    logger.warn({ msg: 'partitions lost', topic: this.options.topic, group: this.options.group, why });
    this.#commits.forget();
    this.#leave.abort();
    this.#lost.abort();
  }
}
