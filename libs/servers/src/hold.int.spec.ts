import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { otherProcess } from '../testing/other-process.js';
import { holdWhenFree, tryHold } from './hold.js';

const others: ReturnType<typeof otherProcess>[] = [];
afterEach(() => others.splice(0).forEach((other) => other.process.kill('SIGKILL')));

const holder = (name: string) => {
  const other = otherProcess(`
    const { tryHold } = await from('hold.js');
    console.log('hold' in (await tryHold('${name}')) ? 'has it' : 'has it not');
    setInterval(() => undefined, 1000);`);
  others.push(other);
  return other;
};

describe('a name that one process holds', () => {
  it('is not given to another one, which hears whose it is', async () => {
    const name = randomUUID();
    const other = holder(name);
    await other.says('has it');
    // Who has not said it within a second is taken for one that is stopped.
    await eventually(async () => {
      const answer = await tryHold(name);
      expect('holder' in answer && answer.holder.pid).toBe(other.process.pid);
    }, 'it hears whose it is');
  });

  it('is not given twice in one process either', async () => {
    const name = randomUUID();
    const first = await tryHold(name);
    expect('hold' in first).toBe(true);
    expect('holder' in (await tryHold(name))).toBe(true);
    if ('hold' in first) await first.hold.release();
    const again = await tryHold(name);
    expect('hold' in again).toBe(true);
    if ('hold' in again) await again.hold.release();
  });

  it('goes to who waits as soon as the holder is killed', async () => {
    const name = randomUUID();
    const other = holder(name);
    await other.says('has it');
    const waitedFor: (number | undefined)[] = [];
    const mine = holdWhenFree(name, ({ pid }) => void waitedFor.push(pid));
    await eventually(() => waitedFor.length > 0, 'it is told whom it waits for');
    expect([other.process.pid, undefined]).toContain(waitedFor[0]);
    other.process.kill('SIGKILL');
    await (await mine).release();
  });

  it('goes to exactly one of many who want it at once', async () => {
    const name = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => tryHold(name)));
    const holds = answers.flatMap((answer) => ('hold' in answer ? [answer.hold] : []));
    expect(holds).toHaveLength(1);
    await holds[0]?.release();
  });

  it('is no longer waited for when the wait is given up', async () => {
    const name = randomUUID();
    await holder(name).says('has it');
    const stop = new AbortController();
    const mine = holdWhenFree(name, () => stop.abort(new Error('given up')), stop.signal);
    await expect(mine).rejects.toThrow('given up');
  });
});
