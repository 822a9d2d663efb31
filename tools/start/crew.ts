import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, type Death } from '../processes/app-process.js';
import { BoundedLog } from '../processes/bounded-log.js';
import type { Leash, LeashedProgram } from '../processes/leash.js';
import { readLogLine } from '../processes/log-line.js';
import { Quota } from '../processes/quota.js';
import { untilReady } from '../processes/readiness.js';
import type { Terminal } from './terminal.js';

/** A program did not become ready; the message says which, why, and what it said last. */
export class NotReady extends Error {}

/** Dying this often before it was ever ready means that waiting longer is of no use. */
const hopelessDeaths = 5;

/** What a crew needs. */
export interface CrewParts {
  leash: Leash;
  logsDir: string;
  terminal: Terminal;
  /** A process id changed. */
  onChange: () => void;
}

/** The programs of a run: keeps them running, their logs in files, and tells of their troubles on the terminal. */
export class Crew {
  readonly #members = new Map<string, { app: AppProcess; log: BoundedLog }>();
  #isStopping = false;

  constructor(private readonly parts: CrewParts) {
    mkdirSync(parts.logsDir, { recursive: true });
  }

  /** Starts a program and keeps it running. */
  start(name: string, program: LeashedProgram): AppProcess {
    const log = new BoundedLog(join(this.parts.logsDir, `${name}.log`));
    const quota = new Quota();
    const app = new AppProcess({
      name,
      program,
      leash: this.parts.leash,
      log,
      restart: true,
      onStart: () => this.parts.onChange(),
      onDeath: (death) => this.#tellDeath(name, death),
      onLine: (line) => this.#tellTrouble(name, line, quota),
    });
    this.#members.set(name, { app, log });
    app.start();
    return app;
  }

  pidOf(name: string): number | undefined {
    return this.#members.get(name)?.app.pid;
  }

  /** Waits for a good answer from `url`. Throws `NotReady` after `timeoutMs`, or when the program keeps dying. */
  async untilReady(name: string, url: string, timeoutMs: number): Promise<void> {
    const { app } = this.#members.get(name)!;
    const isHopeless = () => app.deaths >= hopelessDeaths || this.#isStopping;
    const answer = await untilReady(url, timeoutMs, isHopeless);
    if (!answer) return this.parts.terminal.tell(name, 'ready');
    const why = isHopeless() ? `died ${app.deaths} times` : `is not ready after ${timeoutMs / 1_000} s: ${answer.text}`;
    throw new NotReady([`${name} ${why}`, ...readable(app.lastLines.slice(-10)), `All of it is in ${this.#logOf(name)}`].join('\n  '));
  }

  /** Stops one program and waits for its end; kills it after `graceMs`. Unknown names are fine. */
  async stop(name: string, graceMs: number, hurry?: AbortSignal): Promise<void> {
    this.#isStopping = true;
    const member = this.#members.get(name);
    if (!member) return;
    this.#members.delete(name);
    await member.app.stop(graceMs, hurry);
    member.log.close();
  }

  #tellDeath(name: string, { code, signal, lastLines, restartInMs = 0 }: Death) {
    const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
    this.parts.terminal.tell(name, `${how}; starting it again in ${restartInMs / 1_000} s`, 'error');
    this.parts.terminal.detail(readable(lastLines.slice(-5)));
  }

  #tellTrouble(name: string, line: string, quota: Quota) {
    const { severity, text } = readLogLine(line);
    if (severity === 'info' || this.#isStopping) return;
    const { show, missed } = quota.admit(Date.now());
    if (missed > 0) this.parts.terminal.detail([`${missed} more in ${this.#logOf(name)}`]);
    if (show) this.parts.terminal.tell(name, shorten(text), severity);
  }

  #logOf(name: string) {
    return join(this.parts.logsDir, `${name}.log`);
  }
}

const readable = (lines: readonly string[]) => lines.map((line) => shorten(readLogLine(line).text));

const shorten = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
