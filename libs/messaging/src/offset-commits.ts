import { setTimeout as sleep } from 'node:timers/promises';

/** Offsets are committed so often, ms: what a crash repeats is cheap, a commit of every round is not. */
const commitEvery = 250;
/** The same while somebody waits for what was committed. */
const hurriedCommitEvery = 25;
const commitAgainAfter = 1_000;

/** Next offset by partition. */
export type Offsets = readonly (readonly [partition: number, offset: string])[];

/** Offsets on their way to the group: gathered, one commit in flight, of all partitions at once. No round waits for it. */
export class OffsetCommits {
  readonly #due = new Map<number, string>();
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Raised by `forget`: what an older one sent must not come back. */
  #era = 0;

  constructor(
    private readonly send: (offsets: Offsets) => Promise<void>,
    private readonly onRefused: (error: unknown) => void,
    private readonly hurries: () => boolean = () => false,
  ) {}

  add(partition: number, offset: string): void {
    this.#due.set(partition, offset);
    this.flushIn(this.hurries() ? hurriedCommitEvery : commitEvery);
  }

  /** The partitions are not ours any more. */
  forget(): void {
    this.#era++;
    this.#due.clear();
  }

  /** Resolves when all that is due was sent, or refused. */
  flush(): Promise<void> {
    this.#timer = void clearTimeout(this.#timer);
    this.#sending ??= this.sendAll().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  /** The next owner starts where we end. Worth a few tries, not more: it would only repeat work. */
  async flushForGood(): Promise<void> {
    await this.flush();
    for (let tries = 0; tries < 3 && this.#due.size > 0; tries++) {
      await sleep(100);
      await this.flush();
    }
  }

  private flushIn(ms: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), ms).unref();
  }

  private async sendAll(): Promise<void> {
    while (this.#due.size > 0) {
      const offsets = [...this.#due];
      const era = this.#era;
      this.#due.clear();
      try {
        await this.send(offsets);
      } catch (error) {
        this.onRefused(error);
        if (era === this.#era) this.putBack(offsets);
        return;
      }
    }
  }

  /** It does not wait for the partitions' next records: they may be long in coming. */
  private putBack(offsets: Offsets): void {
    for (const [partition, offset] of offsets) if (!this.#due.has(partition)) this.#due.set(partition, offset);
    this.flushIn(commitAgainAfter);
  }
}
