import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Names one process for good: a process id alone is given again to a stranger. */
export interface Identity {
  readonly pid: number;
  /** When it was started, in the system's own words; on Linux with the boot that it belongs to. */
  readonly started: string;
}

/** A living process as the system shows it. */
export interface Seen extends Identity {
  readonly parent: number;
  /** The program's name without its folder. */
  readonly name: string;
  /** The whole command line. */
  readonly command: string;
}

/** The process with this id as it is now; undefined when there is none, or only its remains. */
export function look(pid: number): Seen | undefined {
  try {
    return process.platform === 'linux' ? lookInProc(pid) : lookWithPs(pid);
  } catch {
    return undefined;
  }
}

/** Whether this very process still runs. */
export function isAlive({ pid, started }: Identity): boolean {
  return look(pid)?.started === started;
}

function lookInProc(pid: number): Seen | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const end = stat.lastIndexOf(')'); // The name may hold blanks and brackets itself.
  const fields = stat.slice(end + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  return { pid, started: `${boot} ${fields[19]}`, parent: Number(fields[1]), name: stat.slice(stat.indexOf('(') + 1, end), command };
}

function lookWithPs(pid: number): Seen | undefined {
  const read = (column: string) => execFileSync('ps', ['-p', String(pid), '-o', `${column}=`], { encoding: 'utf8' }).trim();
  if (read('state').startsWith('Z')) return undefined;
  const name = read('comm').split('/').at(-1) ?? '';
  return { pid, started: read('lstart'), parent: Number(read('ppid')), name, command: read('command') };
}
