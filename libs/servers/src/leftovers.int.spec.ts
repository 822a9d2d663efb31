import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { scratchFolder } from '../testing/other-process.js';
import { look } from './identity.js';
import { endLeftovers, forgetProcess, noteProcess } from './leftovers.js';

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) if (look(pid)) process.kill(pid, 'SIGKILL');
});

/** A process that could be a server: `mark` is in its command line. */
async function server(mark: string, script = 'while :; do sleep 0.1; done'): Promise<number> {
  const { pid } = spawn('sh', ['-c', script, mark], { stdio: 'ignore', detached: true });
  if (pid === undefined) throw new Error('no process to be had');
  started.push(pid);
  await eventually(() => look(pid)?.command.includes(mark) === true, 'it runs');
  return pid;
}

async function endAll(folder: string): Promise<string[]> {
  const told: string[] = [];
  await endLeftovers(folder, (name, pid) => told.push(`${name} ${pid}`));
  return told;
}

describe('what a killed run left behind', () => {
  it('is ended by its note: process id, start time and command line', async () => {
    const folder = scratchFolder();
    const pid = await server('mark-a');
    noteProcess({ folder, name: 'kafka', mark: 'mark-a' }, { pid, gentle: 'SIGTERM' });
    expect(await endAll(folder)).toEqual([`kafka ${pid}`]);
    expect(look(pid)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is killed when it does not listen', async () => {
    const folder = scratchFolder();
    const pid = await server('mark-b', `trap '' TERM; while :; do sleep 0.1; done`);
    noteProcess({ folder, name: 'kafka', mark: 'mark-b' }, { pid, gentle: 'SIGTERM' });
    await endAll(folder);
    expect(look(pid)).toBeUndefined();
  });

  it('is not a stranger that was given the same process id later', async () => {
    const folder = scratchFolder();
    const pid = await server('mark-c');
    writeFileSync(join(folder, 'kafka.json'), JSON.stringify({ pid, started: 'long ago', gentle: 'SIGTERM', mark: 'mark-c' }));
    expect(await endAll(folder)).toEqual([]);
    expect(look(pid)).toBeDefined();
  });

  it('is not a process with another command line', async () => {
    const folder = scratchFolder();
    const pid = await server('mark-d');
    noteProcess({ folder, name: 'kafka', mark: 'mark-e' }, { pid, gentle: 'SIGTERM' });
    expect(await endAll(folder)).toEqual([]);
    expect(look(pid)).toBeDefined();
  });

  it('is nothing when the note is gone or half written', async () => {
    const folder = scratchFolder();
    const pid = await server('mark-f');
    noteProcess({ folder, name: 'kafka', mark: 'mark-f' }, { pid, gentle: 'SIGTERM' });
    forgetProcess({ folder, name: 'kafka' });
    writeFileSync(join(folder, 'mongodb.json'), '{"pid":');
    expect(await endAll(folder)).toEqual([]);
    expect(look(pid)).toBeDefined();
  });
});
