import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, type Ending, type Leashed, leash } from './leash.js';
import { forgetProcess, noteProcess } from './leftovers.js';
import type { Surroundings } from './server.js';

/** A server program: how to run it and how to see that it serves. */
export interface Program extends Omit<Command, 'log'> {
  readonly name: string;
  /** A part of its command line that no other server has. */
  readonly mark: string;
  /** Resolves when it answers, rejects when it does not (yet). Asked again and again until `readyWithinMs` have passed. */
  readonly answers: () => Promise<unknown>;
  readonly readyWithinMs: number;
  /** Other process ids than that of the command itself, where the server runs elsewhere (a container). */
  readonly pids?: () => Promise<number[]>;
}

const retryPauses = [0, 250, 500, 1_000, 2_000, 4_000, 8_000];
const healthyAfterMs = 30_000;
const startAttempts = 3;
const logLimitBytes = 16 * 1024 * 1024;

/** One server process that is kept running: when it dies it is told and started again, at once at first and then with growing pauses. */
export class ServerProcess {
  private running: Leashed | undefined;
  private shownPids: number[] = [];
  private readonly stopping = new AbortController();
  private keeper: Promise<void> = Promise.resolve();
  private readonly logFile: string;
  private readonly notes: string;

  constructor(
    private readonly program: Program,
    private readonly around: Surroundings,
  ) {
    this.logFile = join(around.dataDir, 'logs', `${program.name}.log`);
    this.notes = join(around.dataDir, 'pids');
  }

  /** The processes of this server that run now. */
  get pids(): number[] {
    return this.shownPids;
  }

  /** Starts it and waits until it answers. Throws, with the end of its log, when it does not; nothing runs then. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const running = this.launch();
      const failure = await this.untilItAnswers(running);
      if (!failure) return this.serve(running);
      const endedItself = this.running !== running;
      await running.end();
      // Processes of a killed run may take a moment to let go of the data.
      if (!endedItself || attempt === startAttempts || this.around.signal.aborted) throw failure;
      await delay(500 * attempt);
    }
  }

  private async serve(running: Leashed): Promise<void> {
    this.shownPids = (await this.program.pids?.()) ?? [running.pid];
    this.keeper = this.keep(running);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running?.end();
    await this.keeper;
  }

  private launch(): Leashed {
    const log = openLog(this.logFile);
    try {
      const running = leash({ ...this.program, log });
      noteProcess(this.notes, this.program.name, { pid: running.pid, gentle: this.program.gentle ?? 'SIGTERM', mark: this.program.mark });
      void running.ended.then(() => this.onEnded(running));
      return (this.running = running);
    } finally {
      closeSync(log);
    }
  }

  private onEnded(ended: Leashed): void {
    if (this.running !== ended) return;
    this.running = undefined;
    this.shownPids = [];
    forgetProcess(this.notes, this.program.name);
  }

  private async untilItAnswers(running: Leashed): Promise<Error | undefined> {
    const { name, readyWithinMs, answers } = this.program;
    let ending: Ending | undefined;
    void running.ended.then((how) => (ending = how));
    let last: unknown;
    for (const end = Date.now() + readyWithinMs; Date.now() < end; await delay(50)) {
      if (this.around.signal.aborted || this.stopping.signal.aborted) return new Error(`${name} was stopped while it started`);
      if (ending) return new Error(`${name} ${ending.text} while it started.\n${this.endOfLog()}`);
      try {
        await answers();
        if (!ending) return undefined;
      } catch (error) {
        last = error;
      }
    }
    return new Error(`${name} does not answer after ${readyWithinMs / 1000} s.\n${this.endOfLog()}`, { cause: last });
  }

  private async keep(first: Leashed): Promise<void> {
    let running: Leashed | undefined = first;
    for (let failures = 0; ; failures++) {
      const since = Date.now();
      const end = running ? `(process ${running.pid}) ${(await running.ended).text}` : 'could not be started';
      if (this.stopping.signal.aborted) return;
      if (Date.now() - since > healthyAfterMs) failures = 0;
      const pause = retryPauses[Math.min(failures, retryPauses.length - 1)] ?? 0;
      const when = pause === 0 ? 'now' : `in ${pause / 1_000} s`;
      this.around.onDeath(`${this.program.name} ${end}; it is started again ${when}. Its log: ${this.logFile}`);
      await delay(pause, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      if (this.stopping.signal.aborted) return;
      running = this.launchAgain();
    }
  }

  /** Undefined when the machine has no room for it now: a full disk, no process to be had. That may pass. */
  private launchAgain(): Leashed | undefined {
    try {
      const running = this.launch();
      void this.showPids(running);
      return running;
    } catch {
      return undefined;
    }
  }

  private async showPids(running: Leashed): Promise<void> {
    this.shownPids = this.program.pids ? [] : [running.pid];
    this.around.onChange();
    if (!this.program.pids || (await this.untilItAnswers(running))) return;
    this.shownPids = await this.program.pids();
    this.around.onChange();
  }

  private endOfLog(): string {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-12);
    return [`The end of ${this.logFile}:`, ...lines].join('\n');
  }
}

/** Appends, so that the reason of a death survives the restart; one older log is kept beside it. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logLimitBytes) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}
