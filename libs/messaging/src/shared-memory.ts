/** What several consumers of one process may hold together of what they fetched and have not worked off. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchLimit, type Budget } from './batch-reader.js';

/** Bytes that all of them may hold, unpacked. */
const commonBytes = 16 << 20;
/** What a response holds until it is read: several greedy consumers have one each, and a greedy one never has all. */
const portion = { bytes: 4 << 20, records: 5_000 };
/** A response of so few bytes is read without waiting for anybody, and what it brings is not counted. */
const smallChange = { bytes: 64 << 10, records: 400 };
/** A batch that is larger than a portion is read when nobody else holds anything. */
const whole = { bytes: batchLimit, records: 20_000 };
/** Bytes that a record takes in memory beside its own. */
const recordBytes = portion.bytes / portion.records;

/** Who waits tells the group that often that it lives, ms. */
const beatEvery = 1_500;
/** How long a consumer rests that could not bring its records to their end, ms: longer each time. */
const rests = { first: 500, longest: 10_000 };

/** Nobody wants any more what was asked for. */
class Unwanted extends Error {}

interface Waiting {
  bytes: number;
  begin: () => void;
}

/** Memory that is given out first come, first served. */
export class SharedMemory {
  #taken = 0;
  #waiting: Waiting[] = [];

  constructor(private readonly bytes = commonBytes) {}

  /** Resolves when so much is free; where it is more than there is at all, when nobody has any. @throws Unwanted once the signal is aborted */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new Unwanted();
    await new Promise<void>((begin, fail) => {
      const waiting: Waiting = { bytes, begin };
      this.#waiting.push(waiting);
      signal.addEventListener('abort', () => this.leave(waiting, fail), { once: true });
      this.proceed();
    });
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes;
    this.proceed();
  }

  private leave(waiting: Waiting, fail: (error: Unwanted) => void): void {
    this.#waiting = this.#waiting.filter((one) => one !== waiting);
    fail(new Unwanted());
    this.proceed();
  }

  private proceed(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#taken += next.bytes;
      next.begin();
    }
  }

  private fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.bytes;
  }
}

/** What one response holds, from its reading until its records are worked off. */
class Holding {
  #bytes = 0;
  readonly #over = new AbortController();

  constructor(private readonly memory: SharedMemory) {}

  /** What a response of so many bytes may be read with. @throws Unwanted */
  async open(packedBytes: number): Promise<Budget> {
    const budget: Budget = { ...smallChange, more: () => this.more(budget) };
    if (packedBytes > smallChange.bytes) await this.take(budget, portion);
    return budget;
  }

  /** Keeps what the records that were read take, and gives the rest back. */
  close({ bytes, records, readRecords = 0 }: Budget & { readRecords?: number }): void {
    if (this.#bytes === 0) return;
    const granted = this.#bytes === portion.bytes ? portion : whole;
    const used = readRecords === 0 ? 0 : Math.max(granted.bytes - Math.max(0, bytes), (granted.records - records) * recordBytes);
    this.keep(Math.min(used, this.#bytes));
  }

  end(): void {
    this.#over.abort();
    this.keep(0);
  }

  /** True when the first batch may take more now. What it had is given back first: two that wait for each other's would wait for ever. */
  private async more(budget: Budget): Promise<boolean> {
    if (this.#bytes === whole.bytes) return false;
    const next = this.#bytes === 0 ? portion : whole;
    this.keep(0);
    await this.take(budget, next);
    return true;
  }

  private async take(budget: Budget, { bytes, records }: typeof portion): Promise<void> {
    await this.memory.take(bytes, this.#over.signal);
    this.#bytes = bytes;
    Object.assign(budget, { bytes, records });
    if (!this.#over.signal.aborted) return;
    this.keep(0);
    throw new Unwanted();
  }

  private keep(bytes: number): void {
    const rest = this.#bytes - bytes;
    this.#bytes = bytes;
    if (rest > 0) this.memory.giveBack(rest);
  }
}

/** One fetch of a consumer as kafkajs makes it. */
export interface FetchCall<T> {
  nodeId: string | number;
  /** All brokers that the consumer fetches from now. */
  nodeIds: readonly (string | number)[];
  fetch: () => Promise<T>;
  /** @throws when the group does not know the consumer any more, or deals its partitions anew */
  beat: () => Promise<void>;
  /** Why the consumer has to begin its fetches anew, once its brokers are others: what waits then may wait for a fetch that is never made. */
  moved: () => Error | undefined;
}

const current = new AsyncLocalStorage<{ fetches: SharedFetches; holding?: Holding }>();

/** The budget for reading a response, where its consumer shares memory with others; `close` says what became of it. @throws Unwanted */
export async function sharedBudget(packedBytes: number): Promise<{ budget: Budget; close: (readRecords: number) => void } | undefined> {
  const holding = current.getStore()?.holding;
  if (holding === undefined) return undefined;
  const budget = await holding.open(packedBytes);
  return { budget, close: (readRecords) => holding.close({ ...budget, readRecords }) };
}

/** The fetches of one consumer that shares memory with others: while it waits for its turn, its group hears of it. */
export class SharedFetches {
  readonly #holdings = new Map<string | number, Holding>();
  #stopping = new AbortController();
  #rest = 0;
  #restUntil = 0;

  /** @param onTurn called again and again, also while the consumer waits for others */
  constructor(
    private readonly memory: SharedMemory,
    private readonly onTurn: () => void = () => undefined,
    private readonly clock: () => number = Date.now,
  ) {}

  /** Of the consumer that runs in here. */
  static get current(): SharedFetches | undefined {
    return current.getStore()?.fetches;
  }

  /** What is begun in there, and whatever comes of it, fetches with this. */
  run<T>(work: () => T): T {
    return current.run({ fetches: this }, work);
  }

  /** kafkajs fetches from a broker again when all that it brought before is worked off. */
  async fetch<T>({ nodeId, nodeIds, fetch, ...group }: FetchCall<T>): Promise<T> {
    for (const [id, holding] of this.#holdings) if (id === nodeId || !nodeIds.includes(id)) holding.end();
    const holding = new Holding(this.memory);
    this.#holdings.set(nodeId, holding);
    const ready = this.pause().then(() => current.run({ fetches: this, holding }, fetch));
    const refusal = await this.beating(ready, group, holding);
    const fetched = await ready.catch((error: unknown) => Promise.reject(refusal ?? error));
    if (refusal !== undefined) throw refusal;
    return fetched;
  }

  /** The records in hand were let go unfinished, and come again: not at once. */
  unfinished(): void {
    this.#rest = Math.min(rests.longest, Math.max(rests.first, this.#rest * 2));
    this.#restUntil = this.clock() + this.#rest;
  }

  /** Records were brought to their end. */
  finished(): void {
    this.#rest = 0;
  }

  /** The consumer is gone, and with it what it held. Another one may come in its place. */
  end(): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
    this.#restUntil = 0;
    for (const holding of this.#holdings.values()) holding.end();
    this.#holdings.clear();
  }

  /**
   * Tells the group that the consumer lives until the work ends. Answers what the group had against that, with which the work is no longer wanted; it ends before
   * anything else is done, as kafkajs may be joining the group anew in it.
   */
  private async beating(work: Promise<unknown>, { beat, moved }: Pick<FetchCall<unknown>, 'beat' | 'moved'>, holding: Holding): Promise<Error | undefined> {
    const ended = work.then(
      () => true,
      () => true,
    );
    for (;;) {
      const timer = new AbortController();
      const isOver = await Promise.race([ended, sleep(beatEvery, false, { signal: timer.signal }).catch(() => false)]);
      timer.abort();
      this.onTurn();
      if (isOver) return undefined;
      const refusal = moved() ?? (await beat().then(() => undefined, (error: unknown) => error as Error));
      if (refusal === undefined) continue;
      holding.end();
      await ended;
      return refusal;
    }
  }

  private async pause(): Promise<void> {
    const ms = this.#restUntil - this.clock();
    if (ms > 0) await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
