import { describe, expect, it } from '@jest/globals';
import { Backoff } from './backoff.js';

describe('wait before a restart', () => {
  it('begins with 0.2 s and doubles up to 5 s', () => {
    const backoff = new Backoff();
    expect(Array.from({ length: 7 }, () => backoff.after(100))).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it('begins anew after ten stable seconds', () => {
    const backoff = new Backoff();
    for (const livedMs of [0, 0, 9_999]) backoff.after(livedMs);
    expect(backoff.after(10_000)).toBe(200);
    expect(backoff.after(0)).toBe(400);
  });
});
