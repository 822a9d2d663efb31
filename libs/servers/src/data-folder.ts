import { mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tryHold } from './hold.js';
import { endLeftovers } from './leftovers.js';
import { ServersUnavailable } from './server.js';

/** The data folder while it is ours: no other run works in it. */
export interface DataFolder {
  readonly path: string;
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process and ends the servers that a killed run left in it. Throws `ServersUnavailable` when a living run
 * has it.
 */
export async function takeDataFolder(folder: string, say: (part: string, text: string) => void): Promise<DataFolder> {
  mkdirSync(resolve(folder), { recursive: true });
  const path = realpathSync(resolve(folder));
  const answer = await tryHold(`data ${path}`);
  if ('holder' in answer) throw inUse(path, answer.holder.pid);
  await endLeftovers(join(path, 'pids'), (name, pid) => say(name, `ends process ${pid}, left behind by a killed run`));
  return { path, release: () => answer.hold.release() };
}

function inUse(path: string, pid: number | undefined): Error {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new ServersUnavailable(`The data folder ${path} is in use by ${who}.`, ['stop that one first', 'choose another data folder']);
}
