import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { EachBatchPayload } from './kafka.js';
import { consumerLag, roundSeconds, roundSize, roundsWaiting } from './metrics.js';
import type { IncomingRecord } from './record.js';
import type { Settler } from './settle.js';

const logger = new Logger('messaging');

/** Partitions some lane of this process works on: a partition has one round in flight here, even when it has just moved between lanes. */
export type Holds = Map<number, Promise<void>>;

export interface LaneOptions {
  readonly topic: string;
  readonly group: string;
  readonly maxRecords: number;
  /** Rounds begin at least so far apart, ms (0). */
  readonly paceMs?: number | undefined;
  /** After this many ms without a heartbeat the group has given our partitions away. */
  readonly sessionTimeout: number;
  readonly settler: Settler;
  readonly holds: Holds;
  /** Next offsets by partition, kept here instead of in the group; with it nothing is committed. */
  readonly positions?: Map<number, string>;
  readonly onFatal: (error: unknown) => void;
}

/** What one fetch brought of one partition, and how far the rounds have come with it. */
export interface Delivery {
  readonly records: readonly IncomingRecord[];
  readonly payload: EachBatchPayload;
  readonly generation: number;
  readonly finish: () => void;
  next: number;
}

/** A delivery's part in a round. */
interface Share {
  readonly delivery: Delivery;
  readonly records: readonly IncomingRecord[];
}

const heartbeatEvery = 1_000;
/** Offsets are committed so often, ms: what a crash repeats is cheap, a commit of every round is not. */
const commitEvery = 250;
const commitAgainAfter = 1_000;

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
  readonly #toCommit = new Map<number, string>();
  #committing: Promise<void> | undefined;
  #commitTimer: NodeJS.Timeout | undefined;
  readonly #lag = new Map<number, number>();
  /** Aborted when deliveries must be let go: a rebalance is due, the partitions are lost, or the service stops. */
  #leave = new AbortController();
  /** Aborted when even the outcome of the round in hand is unwanted: the partitions are lost, or the stop is out of time. */
  #lost = new AbortController();
  #isStopping = false;
  #taken = 0;
  #beat: NodeJS.Timeout | undefined;
  #heardAt = Date.now();
  #movedAt = Date.now();
  #trouble: unknown;

  constructor(private readonly options: LaneOptions) {}

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
    this.#toCommit.clear();
    this.forgetLag();
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
    this.moved();
  }

  /** The round in hand ends, nothing else begins. Resolves when what earlier rounds finished is committed, too. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#leave.abort();
    await this.commitBeforeLeaving();
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
      if (this.#leave.signal.aborted) await this.commitBeforeLeaving();
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
    const endTimer = roundSeconds.startTimer({ topic, group });
    roundSize.observe({ topic, group }, records.length);
    try {
      const isDone = await settler.settle(records, lost, this.#leave.signal);
      if (isDone) await this.close(this.resolve(shares, lost), startedAt);
      return isDone;
    } catch (error) {
      onFatal(error); // the settler brings every failure of a handler to an end: this one is our own mistake
      return false;
    } finally {
      endTimer();
      this.waits(undefined);
    }
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
      const { payload } = delivery;
      const last = records[records.length - 1]!.offset;
      const isOurs = delivery.generation === this.#generation && !lost.aborted;
      if (isOurs) {
        payload.resolveOffset(last);
        const next = String(Number(last) + 1);
        (this.options.positions ?? this.#toCommit).set(payload.batch.partition, next);
        this.setLag(payload.batch.partition, Math.max(0, Number(payload.batch.highWatermark) - Number(next)));
      }
      delivery.next += records.length;
      if (delivery.next >= delivery.records.length || !isOurs) {
        this.#deliveries.splice(this.#deliveries.indexOf(delivery), 1);
        over.push(delivery);
      }
    }
    this.#commitTimer ??= setTimeout(() => void this.commit(), commitEvery);
    return over;
  }

  /** One commit in flight, of all partitions at once; what finishes meanwhile goes with the next one. No round waits for it. */
  commit(): Promise<void> {
    this.#commitTimer = void clearTimeout(this.#commitTimer);
    this.#committing ??= this.sendCommits().finally(() => (this.#committing = undefined));
    return this.#committing;
  }

  private async sendCommits(): Promise<void> {
    const { topic } = this.options;
    while (this.#toCommit.size > 0) {
      const generation = this.#generation;
      const offsets = [...this.#toCommit];
      this.#toCommit.clear();
      const partitions = offsets.map(([partition, offset]) => ({ partition, offset }));
      try {
        await this.#payload?.commitOffsetsIfNecessary({ topics: [{ topic, partitions }] });
      } catch (error) {
        this.refused(error);
        if (generation === this.#generation) this.commitAgain(offsets);
        return;
      }
    }
  }

  /** Does not wait for the partitions' next records, which may be long in coming. Newer offsets go before these. */
  private commitAgain(offsets: readonly [number, string][]): void {
    for (const [partition, offset] of offsets) if (!this.#toCommit.has(partition)) this.#toCommit.set(partition, offset);
    if (!this.#isStopping) this.#commitTimer ??= setTimeout(() => void this.commit(), commitAgainAfter);
  }

  /** The next owner starts where we end. Worth a few tries, not more: it would only repeat work. */
  private async commitBeforeLeaving(): Promise<void> {
    await this.commit();
    for (let tries = 0; tries < 3 && this.#toCommit.size > 0 && !this.#lost.signal.aborted; tries++) {
      await sleep(100);
      await this.commit();
    }
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
    this.#toCommit.clear();
    this.#leave.abort();
    this.#lost.abort();
  }

  private setLag(partition: number, lag: number): void {
    const { topic, group } = this.options;
    consumerLag.inc({ topic, group }, lag - (this.#lag.get(partition) ?? 0));
    this.#lag.set(partition, lag);
  }

  private forgetLag(): void {
    for (const partition of this.#lag.keys()) this.setLag(partition, 0);
    this.#lag.clear();
  }
}

/** Takes up to `room` records, dealt evenly: what a quiet partition leaves goes to the busy ones, and none starves another. */
export function share(deliveries: readonly Delivery[], room: number): Share[] {
  const remaining = (delivery: Delivery) => delivery.records.length - delivery.next;
  const shares: Share[] = [];
  [...deliveries]
    .sort((a, b) => remaining(a) - remaining(b))
    .forEach((delivery, i, { length }) => {
      const count = Math.min(remaining(delivery), Math.ceil(room / (length - i)));
      room -= count;
      if (count > 0) shares.push({ delivery, records: delivery.records.slice(delivery.next, delivery.next + count) });
    });
  return shares;
}
