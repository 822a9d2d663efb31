import { readFileSync } from 'node:fs';
import type { Command } from '#servers';
import { AppProcess } from '../../tools/processes/app-process.js';
import { BoundedLog } from '../../tools/processes/bounded-log.js';
import { untilReady } from '../../tools/processes/readiness.js';

/** What may differ from one start of a process to the next. */
export interface AppChanges {
  env?: NodeJS.ProcessEnv;
  nodeOptions?: string[];
}

/** What a handle starts, and where its output goes. */
export interface AppHandleParts {
  name: string;
  /** Arguments of Node after its own options. */
  entry: string[];
  logFile: string;
}

const notEnding = new Set<NodeJS.Signals>(['SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGUSR2', 'SIGHUP']);

/** One service process in the hands of a test. It stays dead when it dies. */
export class AppHandle {
  readonly #log: BoundedLog;
  #app?: AppProcess;
  #last: Required<AppChanges> = { env: {}, nodeOptions: [] };
  #managementUrl = '';
  #url?: string;

  constructor(private readonly parts: AppHandleParts) {
    this.#log = new BoundedLog(parts.logFile, 50_000_000);
  }

  /** Such as `ticket-command-0`. */
  get name() {
    return this.parts.name;
  }

  /** Process id of the newest life. */
  get pid(): number {
    return this.#app!.pid!;
  }

  get isRunning(): boolean {
    return this.#app?.isRunning ?? false;
  }

  /** Where health and metrics are. */
  get managementUrl() {
    return this.#managementUrl;
  }

  /** Where requests are answered; ticket-command has no such place. */
  get url() {
    return this.#url;
  }

  listensAt(managementUrl: string, url?: string) {
    this.#managementUrl = managementUrl;
    if (url !== undefined) this.#url = url;
  }

  /** Starts it and does not wait. */
  start(changes: AppChanges = {}) {
    this.#last = { env: { ...this.#last.env, ...changes.env }, nodeOptions: changes.nodeOptions ?? this.#last.nodeOptions };
    const { name, entry } = this.parts;
    const program: Command = { command: [process.execPath, ...this.#last.nodeOptions, ...entry], env: this.#last.env };
    this.#app = new AppProcess({ name, program, log: this.#log, restart: false });
    this.#app.start();
  }

  /** Waits until it is ready. Throws what it said last when it dies or takes longer. */
  async untilReady(path = '/health/ready', timeoutMs = 180_000): Promise<void> {
    const answer = await untilReady(this.#managementUrl + path, timeoutMs, () => !this.isRunning);
    if (!answer) return;
    const why = this.isRunning ? `is not ready after ${timeoutMs / 1_000} s: ${answer.text}` : 'died before it was ready';
    throw new Error(`${this.name} ${why}\n${this.logs().split('\n').slice(-20).join('\n')}`);
  }

  /** Sends a signal and, when it ends processes, waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#app!.kill(signal);
    if (!notEnding.has(signal)) await this.#app!.ended;
  }

  /** Resolves when the present life has ended, however it does. */
  get ended(): Promise<void> {
    return this.#app!.ended;
  }

  /** Kills it if it runs, starts it again at the same addresses, and waits until it is ready. Changes stay for later restarts. */
  async restart(changes: AppChanges = {}): Promise<void> {
    await this.end(0);
    this.start(changes);
    await this.untilReady();
  }

  /** All that it has written, of all its lives. */
  logs(): string {
    return readFileSync(this.parts.logFile, 'utf8');
  }

  /** Asks it to end, and kills it after `graceMs`. */
  async end(graceMs = 10_000): Promise<void> {
    await this.#app?.stop(graceMs);
  }
}
