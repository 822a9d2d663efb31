import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Command, lastWords, momentsMs, type Said } from '#servers';
import { AppProcess, type Death, type Line } from '../processes/app-process.js';
import { BoundedLog } from '../processes/bounded-log.js';
import { readLogLine } from '../processes/log-line.js';
import { Quota } from '../processes/quota.js';
import { untilReady } from '../processes/readiness.js';
import type { Terminal } from './terminal.js';

/** A program did not become ready; the message says which, why, and what it said last. */
export class NotReady extends Error {}

/** Dying this often before it was ever ready means that waiting longer is of no use. */
const hopelessDeaths = 5;

/** How long a program may need until it is ready. */
const readyWithinMs = 120_000;

/** What a crew needs. */
export interface CrewParts {
  logsDir: string;
  terminal: Terminal;
  /** A process id changed. */
  onChange: () => void;
}

interface Member {
  name: string;
  app: AppProcess;
  log: BoundedLog;
  /** Answers well when the program is ready. */
  readyUrl: string;
  /** What it complains of while it is not `up` is shown only if it does not come up. */
  phase: 'starting' | 'up' | 'down';
  lastDeath: string;
}

/** The programs of a run: keeps them running, their logs in files, and tells of their troubles on the terminal. */
export class Crew {
  readonly #members = new Map<string, Member>();
  #isStopping = false;

  constructor(private readonly parts: CrewParts) {
    mkdirSync(parts.logsDir, { recursive: true });
  }

  /** Starts a program, keeps it running, and waits for a good answer from `readyUrl`. Throws `NotReady` after two minutes, or when it keeps dying. */
  async start(name: string, program: Command, readyUrl: string): Promise<void> {
    const log = new BoundedLog(join(this.parts.logsDir, `${name}.log`));
    const quota = new Quota();
    const app = new AppProcess({
      name,
      program,
      log,
      restart: true,
      onStart: () => this.#onStart(member),
      onDeath: (death) => this.#onDeath(member, death),
      onLine: (line) => this.#tellTrouble(member, line, quota),
    });
    const member: Member = { name, app, log, readyUrl, phase: 'starting', lastDeath: '' };
    this.#members.set(name, member);
    app.start();
    await this.#untilUp(member);
  }

  /** Ends a program in good order (kills it after `graceMs`) and starts it again: what it is made of has changed. */
  async restart(name: string, graceMs: number): Promise<void> {
    const member = this.#members.get(name);
    if (!member || this.#isStopping) return;
    this.parts.terminal.tell(name, 'has changed and is started again');
    member.phase = 'down';
    await member.app.stop(graceMs);
    if (!this.#isStopping) member.app.start();
  }

  /** Process id of a program's newest life. */
  pidOf(name: string): number | undefined {
    return this.#members.get(name)?.app.pid;
  }

  /** Stops one program and waits for its end; kills it after `graceMs`. Unknown names are fine. */
  async stop(name: string, graceMs: number, hurry?: AbortSignal): Promise<void> {
    this.#isStopping = true;
    const member = this.#members.get(name);
    if (!member) return;
    await member.app.stop(graceMs, hurry);
    member.log.close();
  }

  async #untilUp(member: Member): Promise<void> {
    const { app, name, readyUrl } = member;
    const isHopeless = () => app.deaths >= hopelessDeaths || this.#isStopping;
    const answer = await untilReady(readyUrl, readyWithinMs, isHopeless);
    if (!answer) {
      member.phase = 'up';
      return this.parts.terminal.tell(name, 'ready');
    }
    const why = isHopeless() ? `died ${app.deaths} times` : `is not ready after ${readyWithinMs / 1_000} s: ${answer.text}`;
    throw new NotReady([`${name} ${why}`, ...lastWords(said(app.lastLines), 0), `All that it said is in ${this.#logOf(name)}`].join('\n  '));
  }

  #onStart(member: Member) {
    this.parts.onChange();
    if (member.phase === 'down') void this.#tellReturn(member, Date.now());
  }

  async #tellReturn(member: Member, bornAt: number) {
    const { app } = member;
    const { pid } = app;
    const answer = await untilReady(member.readyUrl, readyWithinMs, () => app.pid !== pid || this.#isStopping);
    if (answer || app.pid !== pid) return;
    member.phase = 'up';
    member.lastDeath = '';
    this.parts.terminal.tell(member.name, `ready again after ${((Date.now() - bornAt) / 1_000).toFixed(1)} s`);
  }

  #onDeath(member: Member, { text, bornAt, diedAt, lastLines, restartInMs = 0 }: Death) {
    this.parts.terminal.tell(member.name, `${text}; it is started again in ${restartInMs / 1_000} s`, 'error');
    // What kept it from getting ready may be a while ago.
    const words = lastWords(said(lastLines), member.phase === 'up' ? diedAt - momentsMs : bornAt);
    if (words.join() !== member.lastDeath) this.parts.terminal.detail(words);
    member.lastDeath = words.join();
    if (member.phase === 'up') member.phase = 'down';
  }

  #tellTrouble({ name, phase }: Member, line: string, quota: Quota) {
    const { severity, text } = readLogLine(line);
    if (severity === 'info' || phase !== 'up' || this.#isStopping) return;
    const { show, missed } = quota.admit(Date.now());
    if (missed > 0) this.parts.terminal.detail([`${missed} more in ${this.#logOf(name)}`]);
    if (show) this.parts.terminal.tell(name, shorten(text), severity);
  }

  #logOf(name: string) {
    const file = join(this.parts.logsDir, `${name}.log`);
    const near = relative(process.cwd(), file);
    return near.startsWith('..') ? file : near;
  }
}

/** Lines as they are told. What is not structured a dying runtime has said itself: the error that nobody caught, memory that ran out. */
function said(lines: readonly Line[]): Said[] {
  return lines.map(({ at, text }) => {
    const line = readLogLine(text);
    return { at, text: line.text, severity: line.text === text && /\b(error|fatal)\b/i.test(text) ? 'error' : line.severity };
  });
}

function shorten(text: string): string {
  const line = text.replace(/\s*\n\s*/g, ' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
