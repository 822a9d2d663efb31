import { describe, expect, it } from '@jest/globals';
import { Quota } from './quota.js';

describe('quota of lines', () => {
  it('shows five lines in ten seconds and counts the others', () => {
    const quota = new Quota();
    const shown = Array.from({ length: 8 }, (_, second) => quota.admit(1_000 + second).show);
    expect(shown).toEqual([true, true, true, true, true, false, false, false]);
    expect(quota.admit(11_000)).toEqual({ show: true, missed: 3 });
    expect(quota.admit(11_001)).toEqual({ show: true, missed: 0 });
  });
});
