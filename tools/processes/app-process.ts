import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff, type Command, type Ending, leash, type Leashed } from '#servers';
import type { BoundedLog } from './bounded-log.js';

/** A line that a program printed, and when (ms since 1970). */
export interface Line {
  at: number;
  text: string;
}

/** How a process ended. */
export interface Death extends Ending {
  /** When this life began and ended, in ms since 1970. */
  bornAt: number;
  diedAt: number;
  /** The last lines of output of this life, oldest first. */
  lastLines: readonly Line[];
  /** When it will be started again, in ms from now; undefined: not at all. */
  restartInMs?: number;
}

/** What to start and whom to tell. */
export interface AppPlan {
  name: string;
  program: Command;
  log: BoundedLog;
  /** Start it again whenever it dies without having been told to. */
  restart: boolean;
  onStart?: (pid: number) => void;
  onDeath?: (death: Death) => void;
  onLine?: (line: string) => void;
}

const linesKept = 50;

/** A program that is kept running on a leash until it is stopped. */
export class AppProcess {
  readonly #plan: AppPlan;
  readonly #backoff = new Backoff();
  #lines: Line[] = [];
  #child?: Leashed;
  #ended: Promise<void> = Promise.resolve();
  #waiting = new AbortController();
  #isWanted = false;
  #deaths = 0;

  constructor(plan: AppPlan) {
    this.#plan = plan;
  }

  get name() {
    return this.#plan.name;
  }

  /** Process id of the newest life, also after it ended. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child?.isRunning ?? false;
  }

  /** How often it died without having been told to. */
  get deaths() {
    return this.#deaths;
  }

  /** Last lines of output of its newest life, oldest first. */
  get lastLines(): readonly Line[] {
    return this.#lines.slice(-linesKept);
  }

  /** Settles when the present life has ended and its output has been read. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Starts it; does nothing while it runs. */
  start() {
    if (this.isRunning) return;
    this.#isWanted = true;
    this.#lines = [];
    const bornAt = Date.now();
    this.#ended = this.#live().then((ending) => this.#onEnd(ending, bornAt));
  }

  /** Sends a signal to the present life. */
  kill(signal: NodeJS.Signals) {
    this.#child?.signal(signal);
  }

  /** Asks it to end and waits; kills it when it takes longer than `graceMs` or `hurry` is aborted. It is not started again. */
  async stop(graceMs: number, hurry?: AbortSignal): Promise<void> {
    this.#isWanted = false;
    this.#waiting.abort();
    if (this.isRunning) await this.#child?.end(graceMs, hurry);
    await this.#ended;
  }

  /** One life. Resolves with its end when its output has been read. */
  async #live(): Promise<Ending> {
    try {
      this.#child = leash(this.#plan.program);
    } catch (error) {
      this.#onLine(`could not be started: ${(error as Error).message}`);
      return { code: null, signal: null, text: 'could not be started' };
    }
    for (const output of this.#child.outputs) {
      output.on('data', (chunk: Buffer) => this.#plan.log.write(chunk));
      createInterface({ input: output }).on('line', (line) => this.#onLine(line));
    }
    this.#plan.onStart?.(this.#child.pid);
    return this.#child.ended;
  }

  #onLine(text: string) {
    if (this.#lines.push({ at: Date.now(), text }) > 2 * linesKept) this.#lines = this.lastLines.slice();
    this.#plan.onLine?.(text);
  }

  #onEnd(ending: Ending, bornAt: number) {
    if (!this.#isWanted) return;
    this.#deaths++;
    const diedAt = Date.now();
    const restartInMs = this.#plan.restart ? this.#backoff.after(diedAt - bornAt) : undefined;
    if (restartInMs !== undefined) this.#startIn(restartInMs);
    const { lastLines } = this;
    this.#plan.onDeath?.({ ...ending, bornAt, diedAt, lastLines, ...(restartInMs !== undefined && { restartInMs }) });
  }

  #startIn(ms: number) {
    this.#waiting = new AbortController();
    delay(ms, undefined, { signal: this.#waiting.signal }).then(
      () => this.start(),
      () => undefined, // stopped meanwhile
    );
  }
}
