import { describe, expect, it } from '@jest/globals';
import { goneMs, leaseMs, Presence } from './presence.js';

function watched() {
  let now = 0;
  const presence = new Presence(() => now);
  return (at: number, ...beats: number[]) => {
    now = at;
    return presence.of(beats.map((beat, i) => ({ _id: String(i), beat }))).map(({ _id }) => _id);
  };
}

describe('presence', () => {
  it('is granted to whoever is seen for the first time, and taken from whoever then says nothing', () => {
    const seen = watched();
    expect(seen(0, 1, 1)).toEqual(['0', '1']);
    expect(seen(2_000, 2, 1)).toEqual(['0', '1']);
    expect(seen(goneMs, 2, 1)).toEqual(['0']);
    expect(seen(2_000 + goneMs, 2, 1)).toEqual([]);
  });

  it('comes back with a sign', () => {
    const seen = watched();
    seen(0, 1);
    expect(seen(goneMs, 1)).toEqual([]);
    expect(seen(goneMs + 1, 2)).toEqual(['0']);
  });

  it('lasts longer than anybody trusts what was read with the last sign', () => expect(goneMs).toBeGreaterThan(leaseMs));
});
