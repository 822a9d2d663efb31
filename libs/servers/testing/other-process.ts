import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll } from '@jest/globals';

const built = pathToFileURL(join(import.meta.dirname, '../../../dist/libs/servers/src/')).href;

/** Another process that runs a few lines with the built module: `await from('hold.js')` imports one of its files. */
export function otherProcess(lines: string): { process: ChildProcess; said: () => string[]; says: (line: string) => Promise<void> } {
  const script = `const from = (file) => import(${JSON.stringify(built)} + file);\n${lines}`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  other.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const said = () => text.split('\n').filter(Boolean);
  return { process: other, said, says: (line) => until(() => said().includes(line), `the other process says "${line}"`) };
}

/** Waits until it is so; fails after `withinMs`. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, withinMs = 20_000): Promise<void> {
  for (const end = Date.now() + withinMs; !(await isSo()); await delay(30)) {
    if (Date.now() > end) throw new Error(`waited ${withinMs / 1_000} s in vain until ${what}`);
  }
}

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })));

/** A folder of its own for a test, removed after the last test of the file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deskstream-servers-'));
  folders.push(folder);
  return folder;
}
