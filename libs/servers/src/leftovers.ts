import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Names one process for good: a process id alone is given again to a stranger. */
export interface Identity {
  readonly pid: number;
  /** When it was started, in the system's own words; on Linux with the boot that it belongs to. */
  readonly started: string;
}

/** What is written down about a server process, so that the next run can end it when this one is killed. */
interface Note extends Identity {
  readonly gentle: NodeJS.Signals;
  /** A part of its command line. */
  readonly mark: string;
}

/** Writes down a server process that was started just now. */
export function noteProcess(folder: string, name: string, process: { pid: number; gentle: NodeJS.Signals; mark: string }): void {
  const seen = look(process.pid);
  if (!seen) return;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ ...process, started: seen.started } satisfies Note));
  renameSync(`${file}.new`, file);
}

/** Crosses a process out that has ended. */
export function forgetProcess(folder: string, name: string): void {
  rmSync(join(folder, `${name}.json`), { force: true });
}

/**
 * Ends the server processes that a killed run left behind; `tell` hears of each. A process counts as left behind only when process id,
 * start time and command line agree with the note.
 */
export async function endLeftovers(folder: string, tell: (name: string, pid: number) => void): Promise<void> {
  const names = notesIn(folder);
  await Promise.all(
    names.map(async (name) => {
      const note = readNote(join(folder, `${name}.json`));
      if (note && isLeftover(note)) {
        tell(name, note.pid);
        await endProcess(note);
      }
      forgetProcess(folder, name);
    }),
  );
}

/** Whether this very process still runs. */
function isAlive({ pid, started }: Identity): boolean {
  return look(pid)?.started === started;
}

function isLeftover(note: Note): boolean {
  const seen = look(note.pid);
  return seen?.started === note.started && seen.command.includes(note.mark);
}

async function endProcess(note: Note): Promise<void> {
  process.kill(note.pid, note.gentle);
  if (!(await soon(() => !isAlive(note), 8_000))) process.kill(-note.pid, 'SIGKILL'); // With the group that it leads.
  // PostgreSQL takes the remains of a process for a living one, until its parent has cleared them away.
  await soon(() => !existsSync(`/proc/${note.pid}`), 5_000);
}

async function soon(isSo: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; !isSo(); await delay(50)) if (Date.now() > end) return false;
  return true;
}

function notesIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
  } catch {
    return [];
  }
}

function readNote(file: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Note;
  } catch {
    return undefined; // Half written by a killed run: then there was no time for the server to start either.
  }
}

/** The process with this id as it is now; undefined when there is none, or only its remains. */
export function look(pid: number): (Identity & { command: string }) | undefined {
  try {
    return process.platform === 'linux' ? lookInProc(pid) : lookWithPs(pid);
  } catch {
    return undefined;
  }
}

function lookInProc(pid: number): (Identity & { command: string }) | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // The name before it may hold blanks and brackets.
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  return { pid, started: `${boot} ${fields[19]}`, command };
}

function lookWithPs(pid: number): Identity & { command: string } {
  const read = (column: string) => execFileSync('ps', ['-p', String(pid), '-o', `${column}=`], { encoding: 'utf8' }).trim();
  return { pid, started: read('lstart'), command: read('command') };
}
