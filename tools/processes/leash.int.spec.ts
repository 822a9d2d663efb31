import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { built } from '../places.js';
import { eventually } from '../testing/eventually.js';
import { Leash } from './leash.js';
import { markOf } from './process-mark.js';

jest.setTimeout(20_000);

const sleeper = ['sleep', '600'];
const deaf = ['sh', '-c', "trap '' TERM; while :; do sleep 1; done"];

const isGone = (pid: number) => !markOf(pid);
const strays: number[] = [];

afterEach(() => {
  for (const pid of strays.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it is gone, as it should be
    }
  }
});

/** A process that holds programs on its leash. */
async function holderOf(...programs: string[][]) {
  const holder: ChildProcess = spawn(process.execPath, [built('tools/testing/leash-holder.js'), ...programs.map((program) => JSON.stringify(program))]);
  const [line] = (await once(holder.stdout!, 'data')) as [Buffer];
  const { pids, watcher } = JSON.parse(line.toString()) as { pids: number[]; watcher: number };
  strays.push(holder.pid!, ...pids);
  return { holder, pids, watcher };
}

describe('leash', () => {
  it('ends what it holds when its holder is killed', async () => {
    const { holder, pids, watcher } = await holderOf(sleeper, sleeper);
    expect(pids.some(isGone)).toBe(false);
    holder.kill('SIGKILL');
    await eventually(() => pids.every(isGone) && isGone(watcher));
  });

  it('kills what does not stop, also when it is frozen', async () => {
    const { holder, pids } = await holderOf(deaf, sleeper);
    process.kill(pids[1]!, 'SIGSTOP');
    holder.kill('SIGKILL');
    await eventually(() => pids.every(isGone));
  });

  it('holds on when its watcher is killed', async () => {
    const { holder, pids, watcher } = await holderOf(sleeper);
    process.kill(watcher, 'SIGKILL');
    await once(holder.stdout!, 'data'); // it tells of the new one
    holder.kill('SIGKILL');
    await eventually(() => pids.every(isGone));
  });

  it('lets go of what ended, so that a later process with its id is safe', async () => {
    const leash = new Leash();
    const ended = leash.spawn({ command: 'true', args: [], env: process.env });
    await once(ended, 'exit');
    const child = leash.spawn({ command: 'sleep', args: ['600'], env: process.env });
    strays.push(child.pid!);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('keeps a Ctrl-C in the terminal away from what it holds', async () => {
    const { holder, pids } = await holderOf(sleeper);
    expect(() => process.kill(-pids[0]!, 0)).not.toThrow(); // a process group of its own
    expect(pids[0]).not.toBe(holder.pid);
  });
});
