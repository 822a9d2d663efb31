import { spawn, type StdioOptions } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * The program is started in a process group of its own with a watcher beside it. The watcher holds the other end of a pipe of ours: when
 * the pipe closes without a word, we are gone (even by SIGKILL), and it ends the group: kindly, and after `patience` seconds by SIGKILL.
 * The watcher is a member of the group, so the group's number cannot pass to strangers while it may still signal. It is nobody's child:
 * PostgreSQL takes fright when a child that it does not know dies.
 */
const script = `
signal=$1 patience=$2 finally=$3; shift 3
group=$$
( (
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
) </dev/null >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

/** What to run. */
export interface Command {
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** File descriptor for stdout and stderr; default: a pipe, read through `output`. */
  readonly log?: number;
  /** The signal that asks it to end in good order. */
  readonly gentle?: 'SIGTERM' | 'SIGINT';
  /** Time between that signal and SIGKILL, whoever ends it; default: 5,000. Servers take 8 s at most: no orphan lives for longer than 10 s. */
  readonly patienceMs?: number;
  /** Shell command that ends what a signal to the program's group does not reach (a container). */
  readonly finally?: string;
}

/** How a program ended, in words that fit after its name: "exited with code 1", "was ended by SIGKILL". */
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly text: string };

/** A running program that cannot outlive this process for longer than its patience and a second. */
export interface Leashed {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** What it printed, at most the last 64 KiB; empty when it prints to a log. */
  readonly output: () => string;
  /** Asks it to end and, after its patience, makes it. Resolves when it is gone. */
  end(): Promise<void>;
}

/** Starts a program on a leash. Throws when it cannot be started at all; a program that is not there ends with code 127. */
export function leash(what: Command): Leashed {
  const { gentle = 'SIGTERM', patienceMs = 5_000 } = what;
  const args = ['-c', script, 'leash', gentle.slice(3), `${Math.ceil(patienceMs / 1_000)}`, what.finally ?? '', ...what.command];
  const prints = what.log ?? 'pipe';
  const stdio: StdioOptions = ['ignore', prints, prints, 'pipe'];
  const child = spawn('/bin/sh', args, { cwd: what.cwd, env: what.env ?? process.env, stdio, detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${what.command[0]}`);

  const rope = child.stdio[3] as Writable;
  rope.on('error', () => undefined); // The watcher may be gone already.
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', () => rope.end('ended\n'));
    child.once('close', (code, signal) => {
      resolve({ code, signal, text: signal ? `was ended by ${signal}` : `exited with code ${code}` });
    });
  });
  const end = async () => {
    signal(-pid, gentle);
    if (await within(patienceMs, ended)) return;
    rope.write('kill\n');
    if (!(await within(5_000, ended))) signal(-pid, 'SIGKILL');
    await ended;
  };
  return { pid, ended, output: lastOf(child.stdout, child.stderr), end };
}

/** Whether the promise is kept in time. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const patience = new AbortController();
  const late = delay(ms, false, { signal: patience.signal }).catch(() => false);
  const kept = await Promise.race([promise.then(() => true), late]);
  patience.abort();
  return kept;
}

/** A negative id names a whole process group. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

function lastOf(...streams: (NodeJS.ReadableStream | null)[]): () => string {
  let text = '';
  for (const stream of streams) stream?.on('data', (chunk) => (text = (text + chunk).slice(-65_536)));
  return () => text;
}
