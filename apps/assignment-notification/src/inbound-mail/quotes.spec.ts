import { describe, expect, it } from '@jest/globals';
import { withoutQuotes } from './quotes.js';

describe('what somebody has written', () => {
  it.each([
    ['Yes.\n\nOn Mon, 3 Jan 2026 at 10:00, Acme <a@b.example> wrote:\n> Is it?\n> Really?', 'Yes.'],
    ['Yes.\n\nOn Mon, 3 Jan 2026 at 10:00, Acme\n<a@b.example> wrote:\n\n> Is it?', 'Yes.'],
    ['Ja.\n\nAm 03.01.26 um 10:00 schrieb Acme:\n> Ist es so?', 'Ja.'],
    ['Yes.\n\n-----Original Message-----\nFrom: Acme\nIs it?', 'Yes.'],
    ['Yes.\n________________________________\nFrom: Acme', 'Yes.'],
    ['Yes.\n> Is it?\n>> Was it?\n', 'Yes.'],
  ])('is kept without what it answers to: %j', (text, kept) => expect(withoutQuotes(text)).toBe(kept));

  it('stays whole where it stands between what was quoted, or nothing else would be left', () => {
    const between = 'On Mon, Acme wrote:\n> Is it blue?\nYes.\n> Is it big?\nNo.';
    for (const text of [between, '> only quoted', 'On the whole I wrote: nothing', 'On Monday you wrote that it works.']) expect(withoutQuotes(text)).toBe(text);
  });

  it('takes no longer for what was made to take long', () => {
    for (const text of [`on ${'a '.repeat(500_000)}`, `${'on '.repeat(100)}\n`.repeat(5_000), '>'.repeat(1_000_000)]) {
      const began = process.cpuUsage();
      withoutQuotes(text);
      const { user, system } = process.cpuUsage(began); // whatever else the machine does
      expect((user + system) / 1_000).toBeLessThan(3_000);
    }
  });
});
