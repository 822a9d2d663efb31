import { describe, expect, it } from '@jest/globals';
import { FairLine } from './fair-line.js';

/** Questions that end when they are told to. */
function questions(line: FairLine) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (orgId: string, name: string) =>
    line.enter(orgId, async () => {
      begun.push(name);
      await new Promise<void>((end) => ends.push(end));
      return name;
    });
  const end = async () => {
    ends.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, ask, end };
}

describe('a line of questions', () => {
  it('answers one at a time, in turn for organisations, in order for each', async () => {
    const { begun, ask, end } = questions(new FairLine(10));
    const asked = ['a1', 'a2', 'a3'].map((name) => ask('acme', name));
    asked.push(ask('globex', 'g1'), ask('initech', 'i1'), ask('globex', 'g2'));
    expect(begun).toEqual(['a1']);
    for (let n = 0; n < asked.length; n++) await end();
    expect(begun).toEqual(['a1', 'a2', 'g1', 'i1', 'a3', 'g2']);
    expect(await Promise.all(asked)).toEqual(['a1', 'a2', 'a3', 'g1', 'i1', 'g2']);
  });

  it('is full for whoever crowds it, and for nobody else', async () => {
    const { begun, ask, end } = questions(new FairLine(2));
    const asked = ['a1', 'a2', 'a3'].map((name) => ask('acme', name));
    await expect(ask('acme', 'a4')).rejects.toMatchObject({ name: 'ProblemError' });
    asked.push(ask('globex', 'g1'));
    for (let n = 0; n < asked.length; n++) await end();
    expect(begun).toEqual(['a1', 'a2', 'g1', 'a3']);
    asked.push(ask('acme', 'a5'));
    await end();
    await Promise.all(asked);
  });

  it('goes on after a question that failed', async () => {
    const line = new FairLine(2);
    const failed = line.enter('acme', () => Promise.reject(new Error('no broker')));
    const next = line.enter('acme', async () => 'answer');
    await expect(failed).rejects.toThrow('no broker');
    expect(await next).toBe('answer');
  });
});
