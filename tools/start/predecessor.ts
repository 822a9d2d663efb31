import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, markOf, type ProcessMark } from '../processes/process-mark.js';
import { recordedPids, replaceFile } from './run-file.js';

const watcherFile = (dataDir: string) => join(dataDir, 'watcher.json');

/** Remembers the process that ends ours should we be killed. */
export function noteWatcher(dataDir: string, pid: number | undefined) {
  const mark = pid === undefined ? undefined : markOf(pid);
  if (mark) replaceFile(watcherFile(dataDir), JSON.stringify(mark));
}

/** A killed run's services need some seconds to end; waits for that (at most 10 s), so that their ports can be kept. */
export async function awaitPredecessor(dataDir: string): Promise<void> {
  const mark = readMark(watcherFile(dataDir));
  await untilGone(() => mark !== undefined && isAlive(mark));
}

/** Waits, at most 10 s, also for the servers of a killed run: whoever removes their files must not have them written again. */
export async function awaitServersOfPredecessor(dataDir: string): Promise<void> {
  const pids = recordedPids(dataDir);
  await untilGone(() => pids.some((pid) => markOf(pid)));
}

async function untilGone(lives: () => boolean) {
  const deadline = Date.now() + 10_000;
  while (lives() && Date.now() < deadline) await delay(100);
}

function readMark(file: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessMark;
  } catch {
    return undefined; // the first run in this folder
  }
}
