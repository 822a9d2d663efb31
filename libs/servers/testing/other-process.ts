import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from '@jest/globals';
import { look } from '../src/identity.js';
import { temporaryFolder } from '../src/temporary-folder.js';
import { eventually } from './eventually.js';

const built = pathToFileURL(join(import.meta.dirname, '../../../dist/libs/servers/src/')).href;

/** Another process that runs a few lines with the built module: `await from('hold.js')` imports one of its files. */
export function otherProcess(lines: string): { process: ChildProcess; said: () => string[]; says: (line: string) => Promise<unknown> } {
  const script = `const from = (file) => import(${JSON.stringify(built)} + file);\n${lines}`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  other.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const said = () => text.split('\n').filter(Boolean);
  return { process: other, said, says: (line) => eventually(() => said().includes(line), `the other process says "${line}"`) };
}

/** The processes that would end these ones after the death of their owner: members of their groups. */
export function watchersOf(pids: readonly number[]): number[] {
  const others = readdirSync('/proc').filter((pid) => look(Number(pid))?.command.includes('leash') && !pids.includes(Number(pid)));
  return others.filter((pid) => pids.includes(groupOf(pid) ?? 0)).map(Number);
}

/** Undefined for one that has ended since it was found: those of other specs do so at any time. */
function groupOf(pid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2]);
  } catch {
    return undefined;
  }
}

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })));

/** A folder of its own for a test, removed after the last test of the file. */
export function scratchFolder(): string {
  const folder = temporaryFolder('servers');
  folders.push(folder);
  return folder;
}
