/** What several consumers of one process may hold together of what they fetched and have not worked off. */
import { batchLimit, type Budget } from './batch-reader.js';
import { Supply, Unwanted } from './supply.js';

/** Bytes that all of them may hold, unpacked. */
const commonBytes = 16 << 20;
/** What a response holds until it is read: several greedy consumers have one each, and a greedy one never has all. */
const portion = { bytes: 4 << 20, records: 5_000 };
/** A response of so few bytes is read without waiting for anybody, and what it brings is not counted. */
const smallChange = { bytes: 64 << 10, records: 400 };
/** A batch that is larger than a portion is read when nobody else holds anything. */
const whole = { bytes: batchLimit, records: 20_000 };
/** So many consumers look at once what there is: each may be brought a batch as large as its topic takes, and lets it go where there is no room. */
const mostLooks = 4;
/** Bytes that a record takes in memory beside its own. */
const recordBytes = portion.bytes / portion.records;

/** What consumers of one process share. */
export class SharedMemory {
  readonly bytes: Supply;
  /** Consumers that look what is there before they know anything of it. */
  readonly looks = new Supply(mostLooks);

  constructor(bytes = commonBytes) {
    this.bytes = new Supply(bytes);
  }
}

/**
 * What a consumer knows when it fetches. `nothing`: it looks what is there, when it is its turn. `end`: it has read all there was, and waits for news as long as it likes.
 * Else how much room it needs, and has before it asks: what came sooner would lie here packed.
 */
export type Outlook = 'nothing' | 'end' | typeof portion;

/** What one response holds, from before it is asked for until its records are worked off. */
export class Holding {
  #held: { of: Supply; amount: number } | undefined;
  #isAnswered = false;
  readonly #over = new AbortController();

  /** Whether there was room for what came. Where there was none it was let go, and is asked for again. */
  isRead = false;

  /** @param outlook what the consumer knows now; once it was answered, what it knows then */
  constructor(
    private readonly memory: SharedMemory,
    public outlook: Outlook,
  ) {}

  /** Resolves when it may ask. A broker that does not answer keeps what it holds for as long as kafkajs waits for it, 5 s. @throws Unwanted */
  async begin(): Promise<void> {
    if (this.#over.signal.aborted) throw new Unwanted();
    [this.isRead, this.#isAnswered] = [true, false];
    if (this.outlook === 'end') return;
    const [of, amount] = this.outlook === 'nothing' ? [this.memory.looks, 1] : [this.memory.bytes, this.outlook.bytes];
    await of.take(amount, this.#over.signal);
    this.#held = { of, amount };
    if (!this.#over.signal.aborted) return;
    this.keep(0);
    throw new Unwanted();
  }

  /** How it asks: for much only with room for it, and for as long as it likes only while that keeps nobody waiting. */
  get question(): { maxBytes?: number; maxWaitTime?: number } {
    return { ...(this.#bytes === 0 && { maxBytes: smallChange.bytes }), ...(this.#held && { maxWaitTime: 0 }) };
  }

  /** What a response of so many bytes may be read with; undefined where there is no room for it. */
  open(packedBytes: number): Budget | undefined {
    this.#isAnswered = true;
    this.outlook = packedBytes > smallChange.bytes ? portion : 'end';
    if (this.#bytes === 0) this.keep(0);
    if (this.#bytes === 0 && this.outlook !== 'end' && !this.grow()) return undefined;
    const budget: Budget = { ...this.granted, more: () => this.grow(budget) };
    return budget;
  }

  /** Keeps what the records that were read take, and gives the rest back. */
  close({ bytes, records, readRecords }: Budget & { readRecords: number }): void {
    const { granted } = this;
    const used = readRecords === 0 ? 0 : Math.max(granted.bytes - Math.max(0, bytes), (granted.records - records) * recordBytes);
    this.keep(Math.min(used, this.#bytes));
  }

  /** The fetch is over. One that asked nobody, as it had no partitions to ask for, knows nothing and holds nothing. */
  answered(): void {
    if (this.#isAnswered) return;
    this.keep(0);
    this.outlook = 'end';
  }

  end(): void {
    this.#over.abort();
    this.keep(0);
  }

  get #bytes(): number {
    return this.#held?.of === this.memory.bytes ? this.#held.amount : 0;
  }

  private get granted(): typeof portion {
    return [portion, whole].find(({ bytes }) => bytes === this.#bytes) ?? smallChange;
  }

  /**
   * True when the first batch may take more now; where others hold or wait for what it needs, the response is let go. What it had is given back first: two that wait
   * for each other's would wait for ever.
   */
  private grow(budget?: Budget): boolean {
    if (this.#bytes === whole.bytes) return false;
    const needed = this.#bytes === 0 ? portion : whole;
    this.keep(0);
    this.isRead = !this.#over.signal.aborted && this.memory.bytes.takeNow(needed.bytes);
    if (this.isRead) this.#held = { of: this.memory.bytes, amount: needed.bytes };
    else this.outlook = needed;
    if (budget && this.isRead) Object.assign(budget, needed);
    return this.isRead;
  }

  private keep(amount: number): void {
    if (this.#held === undefined) return;
    const rest = this.#held.amount - amount;
    const { of } = this.#held;
    this.#held = amount === 0 ? undefined : { of, amount };
    if (rest > 0) of.giveBack(rest);
  }
}
