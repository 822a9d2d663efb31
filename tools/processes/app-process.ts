import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from './backoff.js';
import type { BoundedLog } from './bounded-log.js';
import type { Leash, LeashedProcess, LeashedProgram } from './leash.js';

/** How a process ended. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines of output of this life, oldest first. */
  lastLines: string[];
  /** When it will be started again, in ms from now; undefined: not at all. */
  restartInMs?: number;
}

/** What to start and whom to tell. */
export interface AppPlan {
  name: string;
  program: LeashedProgram;
  leash: Leash;
  log: BoundedLog;
  /** Start it again whenever it dies without having been told to. */
  restart: boolean;
  onStart?: (pid: number) => void;
  onDeath?: (death: Death) => void;
  onLine?: (line: string) => void;
}

const linesKept = 50;
/** How long the outputs of an ended process may stay open (something it started may hold them). */
const outputGraceMs = 500;

/** A program that is kept running on a leash until it is stopped. */
export class AppProcess {
  readonly #plan: AppPlan;
  readonly #backoff = new Backoff();
  #lines: string[] = [];
  #child?: LeashedProcess;
  #ended: Promise<void> = Promise.resolve();
  #restartTimer?: NodeJS.Timeout;
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
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How often it died without having been told to. */
  get deaths() {
    return this.#deaths;
  }

  /** Last lines of output of its newest life, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Settles when the present life has ended and its output has been read. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Starts it; does nothing while it runs. */
  start() {
    if (this.isRunning) return;
    this.#isWanted = true;
    const bornAt = Date.now();
    const child = this.#plan.leash.spawn(this.#plan.program);
    this.#child = child;
    this.#lines = [];
    this.#ended = this.#watch(child).then(() => this.#onEnd(child, Date.now() - bornAt));
    if (child.pid !== undefined) this.#plan.onStart?.(child.pid);
  }

  /** Sends a signal to the present life. */
  kill(signal: NodeJS.Signals) {
    this.#child?.kill(signal);
  }

  /** Asks it to end and waits; kills it when it takes longer than `graceMs` or `hurry` is aborted. It is not started again. */
  async stop(graceMs: number, hurry?: AbortSignal): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#restartTimer);
    if (!this.isRunning) return this.#ended;
    const kill = () => this.kill('SIGKILL');
    const timer = setTimeout(kill, graceMs);
    hurry?.addEventListener('abort', kill, { once: true });
    this.kill(hurry?.aborted ? 'SIGKILL' : 'SIGTERM');
    await this.#ended;
    clearTimeout(timer);
    hurry?.removeEventListener('abort', kill);
  }

  async #watch(child: LeashedProcess) {
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (chunk: Buffer) => this.#plan.log.write(chunk));
      createInterface({ input: output }).on('line', (line) => this.#onLine(line));
    }
    const closed = once(child, 'close');
    closed.catch(() => {});
    try {
      await once(child, 'exit');
      await Promise.race([closed, delay(outputGraceMs)]);
    } catch (error) {
      this.#onLine(`could not be started: ${(error as Error).message}`);
    }
  }

  #onLine(line: string) {
    if (this.#lines.push(line) > 2 * linesKept) this.#lines = this.#lines.slice(-linesKept);
    this.#plan.onLine?.(line);
  }

  #onEnd(child: LeashedProcess, livedMs: number) {
    if (!this.#isWanted) return;
    this.#deaths++;
    const restartInMs = this.#plan.restart ? this.#backoff.after(livedMs) : undefined;
    if (restartInMs !== undefined) this.#restartTimer = setTimeout(() => this.start(), restartInMs);
    const { exitCode: code, signalCode: signal } = child;
    this.#plan.onDeath?.({ code, signal, lastLines: this.#lines.slice(-linesKept), ...(restartInMs !== undefined && { restartInMs }) });
  }
}
