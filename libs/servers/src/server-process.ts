import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from './backoff.js';
import { lastWords, momentsMs, readServerLog } from './last-words.js';
import { type Command, type Ending, type Leashed, leash } from './leash.js';
import type { Surroundings } from './server.js';

/** A server program: how to run it and how to see that it serves. */
export interface Program extends Omit<Command, 'log' | 'note'> {
  readonly name: string;
  /** A part of its command line that no other server has. */
  readonly mark: string;
  /** Resolves when it answers, rejects when it does not (yet). Asked again and again until `readyWithinMs` have passed. */
  readonly answers: () => Promise<unknown>;
  readonly readyWithinMs: number;
  /** Other process ids than that of the command itself, where the server runs elsewhere (a container). */
  readonly pids?: () => Promise<number[]>;
}

const startAttempts = 3;
const logLimitBytes = 16 * 1024 * 1024;

/** One server process that is kept running: when it dies it is told and started again, after pauses that grow. */
export class ServerProcess {
  private running: Leashed | undefined;
  private shownPids: number[] = [];
  private readonly stopping = new AbortController();
  private keeper: Promise<void> = Promise.resolve();
  private readonly logFile: string;
  /** Where in the log its present life begins. */
  private logFrom = 0;
  private readonly backoff = new Backoff();
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
    const { name, mark } = this.program;
    const log = openLog(this.logFile);
    this.logFrom = fstatSync(log).size;
    try {
      const running = leash({ ...this.program, log, note: { folder: this.notes, name, mark } });
      this.running = running;
      void running.ended.then(() => this.onEnded(running));
      return running;
    } finally {
      closeSync(log);
    }
  }

  private onEnded(ended: Leashed): void {
    if (this.running !== ended) return;
    this.running = undefined;
    this.shownPids = [];
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
    for (;;) {
      const since = Date.now();
      const end = running ? `(process ${running.pid}) ${(await running.ended).text}` : 'could not be started';
      if (this.stopping.signal.aborted) return;
      const died = Date.now();
      const pauseMs = this.backoff.after(died - since);
      const text = `${this.program.name} ${end}; it is started again in ${pauseMs / 1_000} s. Its log: ${this.logFile}`;
      this.around.onDeath(text, lastWords(readServerLog(this.logOfThisLife(), since), died - momentsMs));
      await delay(pauseMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      if (this.stopping.signal.aborted) return;
      running = this.launchAgain();
    }
  }

  /** Undefined when the machine has no room for it now: a full disk, no process to be had. That may pass. */
  private launchAgain(): Leashed | undefined {
    try {
      const running = this.launch();
      void this.showPids(running).catch(() => undefined); // Shown at the next change; a server runs whether it is shown or not.
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
    return [`The end of ${this.logFile}:`, ...this.logOfThisLife().trimEnd().split('\n').slice(-12)].join('\n');
  }

  private logOfThisLife(): string {
    try {
      return readFileSync(this.logFile).subarray(this.logFrom).toString();
    } catch {
      return ''; // Somebody has removed it.
    }
  }
}

/** Appends, so that the reason of a death survives the restart; one older log is kept beside it. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logLimitBytes) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}
