import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Identity, isAlive, look } from './identity.js';

/** Where and how a process is written down, so that the next run can end it when this one is killed. */
export interface NotePlace {
  readonly folder: string;
  readonly name: string;
  /** A part of its command line. */
  readonly mark: string;
}

interface Note extends Identity {
  readonly gentle: NodeJS.Signals;
  readonly mark: string;
}

/** Writes down a process that was started just now. */
export function noteProcess({ folder, name, mark }: NotePlace, { pid, gentle }: { pid: number; gentle: NodeJS.Signals }): void {
  const seen = look(pid);
  if (!seen) return;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ pid, gentle, mark, started: seen.started } satisfies Note));
  renameSync(`${file}.new`, file);
}

/** Crosses a process out that has ended. */
export function forgetProcess({ folder, name }: Pick<NotePlace, 'folder' | 'name'>): void {
  rmSync(join(folder, `${name}.json`), { force: true });
}

/**
 * Ends the processes that a killed run left behind; `tell` hears of each. A process counts as left behind only when process id,
 * start time and command line agree with the note.
 */
export async function endLeftovers(folder: string, tell: (name: string, pid: number) => void): Promise<void> {
  const names = namesIn(folder);
  await Promise.all(
    names.map(async (name) => {
      const note = readNote(join(folder, `${name}.json`));
      if (note && isLeftover(note)) {
        tell(name, note.pid);
        await endProcess(note);
      }
      forgetProcess({ folder, name });
    }),
  );
}

function isLeftover(note: Note): boolean {
  const seen = look(note.pid);
  return seen?.started === note.started && seen.command.includes(note.mark);
}

async function endProcess(note: Note): Promise<void> {
  send(note.pid, note.gentle);
  if (!(await soon(() => !isAlive(note), 8_000))) send(-note.pid, 'SIGKILL'); // With the group that it leads.
  // PostgreSQL takes the remains of a process for a living one, until its parent has cleared them away.
  await soon(() => !existsSync(`/proc/${note.pid}`), 5_000);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended by itself: its watcher is at work too.
  }
}

async function soon(isSo: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; !isSo(); await delay(50)) if (Date.now() > end) return false;
  return true;
}

function namesIn(folder: string): string[] {
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
