import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second of Linux's /proc (sysconf(_SC_CLK_TCK) is 100 on every supported machine). */
const ticks = 100;

interface ProcessStat {
  parent: number;
  cpuSeconds: number;
  residentMb: number;
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    return { parent: fields[1]!, cpuSeconds: (fields[11]! + fields[12]!) / ticks, residentMb: (fields[21]! * 4096) / 1024 ** 2 };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** CPU seconds so far and memory of processes and all their descendants, by name. A descendant that has ended is not counted; of processes named `alone` none is. */
export function usageOf(roots: Readonly<Record<string, readonly number[]>>, alone: readonly number[] = []): Record<string, { cpuSeconds: number; residentMb: number }> {
  const all = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const stat = statOf(Number(name));
        return stat ? [[Number(name), stat] as const] : [];
      }),
  );
  return Object.fromEntries(Object.entries(roots).map(([name, pids]) => [name, sum(pids.some((pid) => alone.includes(pid)) ? new Set(pids) : withDescendants(pids, all), all)]));
}

function withDescendants(pids: readonly number[], all: ReadonlyMap<number, ProcessStat>): Set<number> {
  const found = new Set(pids);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [pid, { parent }] of all) if (found.has(parent)) found.add(pid);
  }
  return found;
}

function sum(pids: ReadonlySet<number>, all: ReadonlyMap<number, ProcessStat>) {
  const stats = [...pids].flatMap((pid) => all.get(pid) ?? []);
  return {
    cpuSeconds: stats.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    residentMb: stats.reduce((total, { residentMb }) => total + residentMb, 0),
  };
}
