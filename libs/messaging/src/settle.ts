import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { asUndecodable, toDeadLetterRecord } from './dead-letter.js';
import { passes } from './fault.js';
import type { DeadLetter, IncomingRecord, OutgoingRecord, Round } from './record.js';

/** What a subscription's method is to this library. */
export type RoundHandler = (round: Round) => Promise<readonly DeadLetter[] | void>;

export interface SettlerOptions {
  readonly service: string;
  readonly group: string;
  readonly handle: RoundHandler;
  /** Resolves when the dead letters are acknowledged. */
  readonly bury: (letters: OutgoingRecord[]) => Promise<void>;
  /** Whether store and broker answer right now: a failure while one of them is down says nothing about the record. */
  readonly isHealthy: () => Promise<boolean>;
  /** Told when a round starts to wait (with the trouble) and when it goes on (without). */
  readonly onWait?: (trouble: unknown) => void;
  readonly onDead?: (letter: DeadLetter) => void;
  /** First and longest pause of a waiting round, in ms. */
  readonly backoff?: { readonly first: number; readonly longest: number };
}

/** The round was left before its end: its partitions are wanted elsewhere, or the service stops. Its records come again. */
class Left extends Error {}

const tries = 3;
const logger = new Logger('messaging');

/**
 * Brings every record of a round to its end: done, or dead letter. Trouble that passes is waited out in place, without limit; any
 * other failure is narrowed down by halves to the record that causes it, which becomes a dead letter after three tries of its own.
 */
export class Settler {
  readonly #backoff: { readonly first: number; readonly longest: number };

  constructor(private readonly options: SettlerOptions) {
    this.#backoff = options.backoff ?? { first: 100, longest: 5_000 };
  }

  /**
   * True when every record ended, dead letters acknowledged. False when the round was left while it waited, because `leave` was
   * aborted: nothing of it may then be committed. `signal` goes to the handler.
   */
  async settle(records: readonly IncomingRecord[], signal: AbortSignal, leave: AbortSignal): Promise<boolean> {
    try {
      const undecodable = records.map(asUndecodable).filter((letter) => letter !== undefined);
      const readable = undecodable.length === 0 ? records : records.filter((record) => asUndecodable(record) === undefined);
      const dead = readable.length === 0 ? [] : await this.handle(readable, { signal, leave });
      const sentenced = [...undecodable.map((letter) => ({ letter, attempts: 1 })), ...dead];
      if (sentenced.length > 0) await this.bury(sentenced, leave);
      return true;
    } catch (error) {
      if (error instanceof Left) return false;
      throw error;
    }
  }

  private async handle(records: readonly IncomingRecord[], signals: Signals): Promise<Sentenced[]> {
    try {
      return await this.attempt(records, signals, 1);
    } catch (error) {
      if (error instanceof Left) throw error;
      if (records.length === 1) return this.tryAgain(records[0]!, error, signals);
      logger.warn({ msg: 'a round failed and is searched for the cause', group: this.options.group, records: records.length, err: error });
      return this.handleHalves(records, signals);
    }
  }

  /** The first half ends before the second begins, so each partition keeps its order. */
  private async handleHalves(records: readonly IncomingRecord[], signals: Signals): Promise<Sentenced[]> {
    const middle = records.length >> 1;
    const sentenced: Sentenced[] = [];
    for (const half of [records.slice(0, middle), records.slice(middle)]) {
      try {
        sentenced.push(...(await this.attempt(half, signals, 1)));
      } catch (error) {
        if (error instanceof Left) throw error;
        const found = half.length === 1 ? this.tryAgain(half[0]!, error, signals) : this.handleHalves(half, signals);
        sentenced.push(...(await found));
      }
    }
    return sentenced;
  }

  private async tryAgain(record: IncomingRecord, error: unknown, signals: Signals): Promise<Sentenced[]> {
    for (let attempts = 2; attempts <= tries; attempts++) {
      await pause(this.#backoff.first * attempts, signals.leave);
      try {
        return await this.attempt([record], signals, attempts);
      } catch (again) {
        if (again instanceof Left) throw again;
        error = again;
      }
    }
    return [{ letter: { record, reason: 'handler-failed', detail: describe(error) }, attempts: tries }];
  }

  private async attempt(records: readonly IncomingRecord[], { signal, leave }: Signals, attempts: number): Promise<Sentenced[]> {
    const letters = await this.patiently(() => this.options.handle({ records, signal }), leave);
    return (letters ?? []).map((letter) => ({ letter, attempts }));
  }

  private async bury(sentenced: readonly Sentenced[], leave: AbortSignal): Promise<void> {
    const { service, group, bury, onDead } = this.options;
    const time = new Date();
    const records = sentenced.map(({ letter, attempts }) => toDeadLetterRecord(letter, { service, consumer: group, attempts, time }));
    await this.patiently(() => bury(records), leave, () => true);
    for (const { letter } of sentenced) {
      const { record, reason, detail } = letter;
      const { topic, partition, offset } = record;
      logger.warn({ msg: 'dead letter', group, topic, partition, offset, reason, detail: detail.slice(0, 1_000) });
      onDead?.(letter);
    }
  }

  /** Works until it succeeds or fails for a reason that stays; in between it waits, longer each time. */
  private async patiently<T>(work: () => Promise<T>, leave: AbortSignal, isPassing = passes): Promise<T> {
    const { first, longest } = this.#backoff;
    let hasWaited = false;
    try {
      for (let wait = first; ; wait = Math.min(wait * 2, longest)) {
        const result = await work().catch((error: unknown) => this.passing(error, isPassing));
        if (!(result instanceof Trouble)) return result;
        hasWaited = true;
        this.options.onWait?.(result.error);
        logger.warn({ msg: 'a round waits', group: this.options.group, ms: wait, error: describe(result.error) });
        await pause(wait * (0.75 + Math.random() / 2), leave);
      }
    } finally {
      if (hasWaited) this.options.onWait?.(undefined);
    }
  }

  /** @throws the error when it will not pass. */
  private async passing(error: unknown, isPassing: (error: unknown) => boolean): Promise<Trouble> {
    if (isPassing(error) || !(await this.options.isHealthy())) return new Trouble(error);
    throw error;
  }
}

/** What a round waits for the end of. */
class Trouble {
  constructor(readonly error: unknown) {}
}

interface Signals {
  readonly signal: AbortSignal;
  readonly leave: AbortSignal;
}

interface Sentenced {
  readonly letter: DeadLetter;
  readonly attempts: number;
}

async function pause(ms: number, leave: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: leave });
  } catch {
    throw new Left();
  }
}

const describe = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
