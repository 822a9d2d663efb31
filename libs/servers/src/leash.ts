import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { forgetProcess, type NotePlace, noteProcess } from './leftovers.js';

/**
 * Holds the other end of a pipe of ours: when the pipe closes without a word, we are gone (even by SIGKILL), and it ends the program's
 * process group: kindly, and after `patience` seconds by SIGKILL.
 */
const watch = `
trap '' HUP INT QUIT TERM
word=
read -r word <&3
if [ "$word" = ended ]; then exit; fi
if [ "$word" != kill ]; then
  kill -s "$signal" -- "-$group"
  while [ "$patience" -gt 0 ] && kill -0 "$group"; do sleep 1; patience=$((patience - 1)); done
fi
eval "$finally"
kill -s KILL -- "-$group"
`;

/**
 * The program is started in a process group of its own with a watcher beside it, which is there before the program: no death of ours comes
 * in between. The watcher is a member of the group, so the group's number cannot pass to strangers while it may still signal. It is nobody's
 * child: PostgreSQL takes fright when a child that it does not know dies.
 */
const startUnderWatch = `
signal=$1 patience=$2 finally=$3; shift 3
group=$$
( ( ${watch} ) </dev/null >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

/** A watcher that was killed is replaced by one outside the group. */
const watchAgain = `signal=$1 patience=$2 finally=$3 group=$4\n${watch}`;

/** What to run. */
export interface Command {
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** File descriptor for stdout and stderr; default: two pipes, read through `outputs`. */
  readonly log?: number;
  /** The signal that asks it to end in good order. */
  readonly gentle?: 'SIGTERM' | 'SIGINT';
  /** Time between that signal and SIGKILL, whoever ends it; default: 5,000. Servers take 8 s at most: no orphan lives for longer than 10 s. */
  readonly patienceMs?: number;
  /** Shell command that ends what a signal to the program's group does not reach (a container). */
  readonly finally?: string;
  /** Where the program is written down while it runs, for `endLeftovers` of the next run. */
  readonly note?: NotePlace;
}

/** How a program ended, in words that fit after its name: "exited with code 1", "was ended by SIGKILL". */
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly text: string };

/** A running program that cannot outlive this process for longer than its patience and a second. */
export interface Leashed {
  readonly pid: number;
  readonly isRunning: boolean;
  /** stdout and stderr; none when it prints to a log. */
  readonly outputs: readonly Readable[];
  /** Kept when it has ended and its outputs are read; never rejected. */
  readonly ended: Promise<Ending>;
  /** Sends a signal to the program alone; does nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
  /** Asks it to end and makes it when `patienceMs` (default: that of the command) have passed or `hurry` is aborted. Resolves when it is gone. */
  end(patienceMs?: number, hurry?: AbortSignal): Promise<void>;
}

/** How long the outputs of an ended program may stay open: something that it started may hold them. */
const outputGraceMs = 500;

/** Starts a program on a leash. Throws when it cannot be started at all; a program that is not there ends with code 127. */
export function leash(what: Command): Leashed {
  const { child, pid } = start(what);
  const rope = new Rope(what, pid, child.stdio[3] as Socket);
  const ended = endingOf(child);
  let isRunning = true;
  child.once('exit', () => {
    isRunning = false;
    rope.letGo();
    if (what.note) attempt(() => forgetProcess(what.note!));
  });
  const end = async (patienceMs = what.patienceMs ?? 5_000, hurry?: AbortSignal) => {
    if (isRunning) signal(-pid, what.gentle ?? 'SIGTERM');
    if (await within(patienceMs, ended, hurry)) return;
    rope.kill();
    if (!(await within(5_000, ended))) signal(-pid, 'SIGKILL');
    await ended;
  };
  return {
    pid,
    get isRunning() {
      return isRunning;
    },
    outputs: what.log === undefined ? [child.stdout!, child.stderr!] : [],
    ended,
    signal: (name) => void (isRunning && signal(pid, name)),
    end,
  };
}

function start(what: Command): { child: ChildProcess; pid: number } {
  const { gentle = 'SIGTERM', note } = what;
  const prints = what.log ?? 'pipe';
  const stdio: StdioOptions = ['ignore', prints, prints, 'pipe'];
  const args = ['-c', startUnderWatch, 'leash', ...orders(what), ...what.command];
  const child = spawn('/bin/sh', args, { cwd: what.cwd, env: what.env ?? process.env, stdio, detached: true });
  let reason: Error | undefined;
  child.on('error', (error) => (reason = error)); // Comes after this function has thrown, and would end this process.
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${what.command[0]}`, { cause: reason });
  // Without a note there is still the watcher.
  if (note) attempt(() => noteProcess(note, { pid, gentle }));
  return { child, pid };
}

/** What a watcher is told, in words of the shell. */
function orders({ gentle = 'SIGTERM', patienceMs = 5_000, finally: last = '' }: Command): string[] {
  return [gentle.slice(3), `${Math.ceil(patienceMs / 1_000)}`, last];
}

/** Our end of the pipe to the watcher. */
class Rope {
  private isOver = false;

  constructor(
    private readonly what: Command,
    private readonly group: number,
    private socket: Socket,
  ) {
    this.hold(socket);
  }

  letGo(): void {
    this.isOver = true;
    this.socket.end('ended\n');
  }

  kill(): void {
    this.socket.write('kill\n');
  }

  private hold(socket: Socket): void {
    this.socket = socket;
    socket.on('error', () => undefined); // The watcher may be gone already.
    socket.once('close', () => this.watchAgain());
    socket.resume().unref();
  }

  private watchAgain(): void {
    if (this.isOver) return;
    const args = ['-c', watchAgain, 'leash', ...orders(this.what), String(this.group)];
    const watcher = spawn('/bin/sh', args, { cwd: '/', stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true });
    watcher.on('error', () => undefined);
    if (watcher.pid === undefined) setTimeout(() => this.watchAgain(), 1_000).unref(); // No process to be had now.
    else this.hold(watcher.stdio[3] as Socket);
    watcher.unref();
  }
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const late = setTimeout(done, outputGraceMs);
      child.once('close', done);
      function done() {
        clearTimeout(late);
        resolve({ code, signal, text: signal ? `was ended by ${signal}` : `exited with code ${code}` });
      }
    });
  });
}

/** Whether the promise is kept in time. */
async function within(ms: number, promise: Promise<unknown>, hurry?: AbortSignal): Promise<boolean> {
  const patience = new AbortController();
  const signals = hurry ? [patience.signal, hurry] : [patience.signal];
  const late = delay(ms, false, { signal: AbortSignal.any(signals) }).catch(() => false);
  const kept = await Promise.race([promise.then(() => true), late]);
  patience.abort();
  return kept;
}

/** A negative id names a whole process group. */
function signal(pid: number, name: NodeJS.Signals): void {
  attempt(() => process.kill(pid, name)); // It may be gone already.
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The caller says why that is no harm.
  }
}
