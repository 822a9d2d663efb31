import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { otherProcess, scratchFolder, watchersOf } from '../testing/other-process.js';
import { look } from './identity.js';
import { type Command, leash } from './leash.js';

interface Orphan {
  trap: string;
  program: string;
  last?: string;
}

/** Starts a shell program on the leash of another process, and waits until the program has begun. */
async function ward({ trap, program, last = '' }: Orphan) {
  const begun = join(scratchFolder(), 'begun');
  const owner = otherProcess(`
    const { leash } = await from('leash.js');
    const { pid } = leash({ command: ['sh', '-c', ${JSON.stringify(`exec >/dev/null 2>&1; trap '${trap}' TERM; touch ${begun}; ${program}`)}], finally: ${JSON.stringify(last)} });
    console.log(pid);
    setInterval(() => undefined, 1000);`);
  await eventually(() => owner.said().length === 1 && existsSync(begun), 'the program has begun');
  return { owner: owner.process, pid: Number(owner.said()[0]) };
}

/** Such a program whose owner is killed. Returns its process id. */
async function orphan(what: Orphan): Promise<number> {
  const { owner, pid } = await ward(what);
  owner.kill('SIGKILL');
  return pid;
}

/** A program on a leash of this process, and what it has printed. */
function leashed(what: Command) {
  const program = leash(what);
  let printed = '';
  for (const output of program.outputs) output.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return { program, printed: () => printed };
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
    await eventually(() => isGone(pid), 'the orphan is gone');
    expect(readFileSync(end, 'utf8')).toBe('in good order\n');
  });

  it('is killed after its owner when it does not listen, with all that it started', async () => {
    const last = join(scratchFolder(), 'last');
    const pid = await orphan({ trap: '', program: `sleep 1000 & ${forEver}`, last: `touch ${last}` });
    await eventually(() => isGone(pid), 'the orphan is gone');
    await eventually(() => existsSync(last), 'the last word was said');
    await eventually(() => isEmpty(pid), 'nothing of its group is left');
  });

  it('is killed when it is frozen', async () => {
    const { owner, pid } = await ward({ trap: '', program: forEver });
    process.kill(pid, 'SIGSTOP');
    owner.kill('SIGKILL');
    await eventually(() => isGone(pid), 'the orphan is gone');
  });

  it('is watched again when its watcher is killed', async () => {
    const { owner, pid } = await ward({ trap: 'exit', program: forEver });
    for (const watcher of watchersOf([pid])) process.kill(watcher, 'SIGKILL');
    const isNew = (id: number) => look(id)?.parent === owner.pid && look(id)?.command.includes(` ${pid} `);
    await eventually(() => readdirSync('/proc').map(Number).some((id) => id !== pid && isNew(id)), 'there is a new watcher');
    expect(isGone(pid)).toBe(false);
    owner.kill('SIGKILL');
    await eventually(() => isGone(pid), 'the orphan is gone');
  });

  it('does not hear a Ctrl-C in the terminal of its owner: it has a group of its own', async () => {
    const program = leash({ command: ['sleep', '1000'] });
    expect(process.kill(-program.pid, 0)).toBe(true);
    await program.end();
  });

  it('ends by the kind signal when its owner ends it', async () => {
    const program = leash({ command: ['sh', '-c', 'sleep 1000'] });
    await program.end();
    expect((await program.ended).signal).toBe('SIGTERM');
  });

  it('is killed by its owner after the patience that it is given', async () => {
    const { program, printed } = leashed({ command: ['sh', '-c', `trap '' TERM; echo deaf; ${forEver}`], patienceMs: 100 });
    await eventually(() => printed() === 'deaf\n', 'it is deaf');
    await program.end();
    expect((await program.ended).text).toBe('was ended by SIGKILL');
  });

  it('is killed at once when there is a hurry', async () => {
    const { program, printed } = leashed({ command: ['sh', '-c', `trap '' TERM; echo deaf; ${forEver}`] });
    await eventually(() => printed() === 'deaf\n', 'it is deaf');
    await program.end(60_000, AbortSignal.timeout(100));
    expect((await program.ended).text).toBe('was ended by SIGKILL');
  });

  it('tells what it printed and how it ended', async () => {
    const { program, printed } = leashed({ command: ['sh', '-c', 'echo to stdout; echo to stderr >&2; exit 3'] });
    expect((await program.ended).text).toBe('exited with code 3');
    expect(printed().split('\n').sort()).toEqual(['', 'to stderr', 'to stdout']);
  });

  it('says so when there is no such program', async () => {
    expect((await leash({ command: ['no-such-program'] }).ended).code).toBe(127);
  });

  it('cannot be started in a folder that is not there, which ends nobody else', async () => {
    const other = otherProcess(`
      const { leash } = await from('leash.js');
      try { leash({ command: ['true'], cwd: '/no/such/folder' }); } catch (error) { setTimeout(() => console.log('lives: ' + error.message), 200); }`);
    await other.says('lives: cannot start true');
  });
});
