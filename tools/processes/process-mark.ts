import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that can be recognised later: the time of its birth tells it from a later process with the same id. */
export interface ProcessMark {
  pid: number;
  born: string;
}

/** The mark of a living process; undefined when there is none (a zombie counts as dead). */
export function markOf(pid: number): ProcessMark | undefined {
  const born = process.platform === 'linux' ? bornOnLinux(pid) : bornElsewhere(pid);
  return born === undefined ? undefined : { pid, born };
}

/** Whether the process that was marked still lives. */
export function isAlive(mark: ProcessMark): boolean {
  return markOf(mark.pid)?.born === mark.born;
}

/** Parent of a process, undefined when it cannot be told. */
export function parentOf(pid: number): number | undefined {
  const fields = statOf(pid);
  return fields ? Number(fields[1]) : undefined;
}

/** Name of a process as the kernel knows it, undefined when it cannot be told. */
export function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function bornOnLinux(pid: number): string | undefined {
  const fields = statOf(pid);
  const isDead = !fields || fields[0] === 'Z' || fields[0] === 'X';
  return isDead ? undefined : fields[19];
}

/** Fields of `/proc/<pid>/stat` from the state on; the name before them may hold blanks and brackets. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function bornElsewhere(pid: number): string | undefined {
  try {
    const [state, ...born] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim().split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : born.join(' ');
  } catch {
    return undefined;
  }
}
