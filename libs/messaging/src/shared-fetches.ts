/** The fetches of consumers that share memory: each asks when there is room for what may come. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Budget } from './batch-reader.js';
import { Holding, type SharedMemory } from './shared-memory.js';

/** Who waits tells the group that often that it lives, ms. */
const beatEvery = 1_500;
/** How long a consumer rests that could not bring its records to their end, ms: longer each time. */
const rests = { first: 500, longest: 10_000 };

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

/** How a consumer that shares memory with others asks now, where it asks in another way than by itself. */
export const sharedQuestion = () => current.getStore()?.holding?.question;

/** What a response may be read with, where its consumer shares memory with others: nothing where there is no room for it. `close` says what became of it. */
export function sharedBudget(packedBytes: number): { budget: Budget | undefined; close: (readRecords: number) => void } | undefined {
  const holding = current.getStore()?.holding;
  if (holding === undefined) return undefined;
  const budget = holding.open(packedBytes);
  return { budget, close: (readRecords) => budget && holding.close({ ...budget, readRecords }) };
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
    const known = this.#holdings.get(nodeId);
    for (const [id, holding] of this.#holdings) if (id === nodeId || !nodeIds.includes(id)) this.forget(id, holding);
    const holding = new Holding(this.memory, known?.outlook ?? 'nothing');
    this.#holdings.set(nodeId, holding);
    const ready = this.pause().then(() => this.read(holding, fetch));
    const refusal = await this.beating(ready, group, holding);
    const fetched = await ready.catch((error: unknown) => {
      this.forget(nodeId, holding);
      throw refusal ?? error;
    });
    if (refusal !== undefined) throw refusal;
    return fetched;
  }

  /** Asks until there was room for what came. */
  private async read<T>(holding: Holding, fetch: () => Promise<T>): Promise<T> {
    for (;;) {
      await holding.begin();
      const fetched = await current.run({ fetches: this, holding }, fetch);
      holding.answered();
      if (holding.isRead) return fetched;
    }
  }

  private forget(nodeId: string | number, holding: Holding): void {
    holding.end();
    this.#holdings.delete(nodeId);
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
