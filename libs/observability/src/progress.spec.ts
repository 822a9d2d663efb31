import { describe, expect, it } from '@jest/globals';
import { duration, Progress } from './progress.js';

function printer(isTTY: boolean) {
  const printed: string[] = [];
  let now = 0;
  const progress = new Progress({ write: (text) => printed.push(text), isTTY, columns: 200 }, () => now);
  const tellAt = (ms: number, done: number) => {
    now = ms;
    progress.tell({ label: 'tickets', done, total: 1_000, unit: 'commands' }, done * 7);
  };
  return { printed, progress, tellAt };
}

describe('progress', () => {
  it('tells how far it is, how fast it goes and how long it takes', () => {
    const { printed, tellAt } = printer(false);
    tellAt(0, 0);
    tellAt(5_000, 250);
    expect(printed[1]).toBe('tickets █████░░░░░░░░░░░░░░░ 25 %  250 of 1,000  350 commands/s  15 s left\n');
  });

  it('is a line every five seconds where no terminal is', () => {
    const { printed, tellAt } = printer(false);
    for (let ms = 0; ms <= 20_000; ms += 100) tellAt(ms, ms / 100);
    expect(printed).toHaveLength(5);
  });

  it('is one line on a terminal, which a sentence ends', () => {
    const { printed, progress, tellAt } = printer(true);
    for (let ms = 0; ms <= 1_000; ms += 100) tellAt(ms, ms / 100);
    expect(printed).toHaveLength(6);
    expect(printed.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true);
    progress.say('Done.');
    expect(printed.slice(-2)).toEqual(['\n', 'Done.\n']);
  });

  it('always shows the end', () => {
    const { printed, tellAt } = printer(true);
    tellAt(0, 0);
    tellAt(1, 1_000);
    expect(printed.at(-1)).toContain('100 %');
  });

  it.each([[0.2, '1 s'], [59.4, '59 s'], [61, '1 min 1 s'], [7_500, '2 h 5 min']])('%s seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});
