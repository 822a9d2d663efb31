import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { otherProcess, scratchFolder, until } from '../testing/other-process.js';
import { leash } from './leash.js';
import { look } from './leftovers.js';

/** Starts a shell program on the leash of another process and kills that process when the program has begun. Returns the program's id. */
async function orphan({ trap, program, last = '' }: { trap: string; program: string; last?: string }): Promise<number> {
  const begun = join(scratchFolder(), 'begun');
  const owner = otherProcess(`
    const { leash } = await from('leash.js');
    const { pid } = leash({ command: ['sh', '-c', ${JSON.stringify(`exec >/dev/null 2>&1; trap '${trap}' TERM; touch ${begun}; ${program}`)}], finally: ${JSON.stringify(last)} });
    console.log(pid);
    setInterval(() => undefined, 1000);`);
  await until(() => owner.said().length === 1 && existsSync(begun), 'the program has begun');
  owner.process.kill('SIGKILL');
  return Number(owner.said()[0]);
}

const forEver = 'while :; do sleep 0.1; done';
const isGone = (pid: number) => look(pid) === undefined;
const isEmpty = (group: number) => {
  try {
    return !process.kill(-group, 0);
  } catch {
    return true;
  }
};

describe('a program on a leash', () => {
  it('is asked to end when its owner is killed', async () => {
    const end = join(scratchFolder(), 'end');
    const pid = await orphan({ trap: `echo in good order > ${end}; exit`, program: forEver });
    await until(() => isGone(pid), 'the orphan is gone', 5_000);
    expect(readFileSync(end, 'utf8')).toBe('in good order\n');
  });

  it('is killed within 10 s of its owner when it does not listen, with all that it started', async () => {
    const last = join(scratchFolder(), 'last');
    const pid = await orphan({ trap: '', program: `sleep 1000 & ${forEver}`, last: `touch ${last}` });
    await until(() => isGone(pid), 'the orphan is gone', 10_000);
    await until(() => existsSync(last), 'the last word was said');
    await until(() => isEmpty(pid), 'nothing of its group is left', 5_000);
  }, 20_000);

  it('ends by the kind signal when its owner ends it', async () => {
    const program = leash({ command: ['sh', '-c', 'sleep 1000'] });
    await program.end();
    expect((await program.ended).signal).toBe('SIGTERM');
  });

  it('is killed by its owner after the patience that it is given', async () => {
    const program = leash({ command: ['sh', '-c', `trap '' TERM; echo deaf; ${forEver}`], patienceMs: 100 });
    await until(() => program.output() === 'deaf\n', 'it is deaf');
    await program.end();
    expect((await program.ended).text).toBe('was ended by SIGKILL');
  });

  it('tells what it printed and how it ended', async () => {
    const program = leash({ command: ['sh', '-c', 'echo to stdout; echo to stderr >&2; exit 3'] });
    expect((await program.ended).text).toBe('exited with code 3');
    expect(program.output().split('\n').sort()).toEqual(['', 'to stderr', 'to stdout']);
  });

  it('says so when there is no such program', async () => {
    expect((await leash({ command: ['no-such-program'] }).ended).code).toBe(127);
  });
});
