import { describe, expect, it } from '@jest/globals';
import { DeskstreamNoAnswer, DeskstreamProblem } from './errors.js';
import { pause, pauseAfter } from './patience.js';

const among = (error: unknown, failures: number) => {
  const pauses = Array.from({ length: 200 }, () => pauseAfter(error, failures));
  return { least: Math.min(...pauses), most: Math.max(...pauses) };
};

describe('pauses', () => {
  it.each([[0, 200], [1, 400], [4, 3_200], [6, 10_000], [5_000, 10_000]])('after %i failures last up to %i ms, at random', (failures, longest) => {
    const { least, most } = among(new DeskstreamNoAnswer('x'), failures);
    expect(most).toBeLessThanOrEqual(longest);
    expect(most).toBeGreaterThan(0.9 * longest);
    expect(least).toBeGreaterThanOrEqual(longest / 2);
    expect(least).toBeLessThan(0.6 * longest);
  });

  it('never end before what was asked for, nor all at once', () => {
    const { least, most } = among(new DeskstreamProblem({}, { status: 503, retryAfterMs: 3_000 }), 0);
    expect(least).toBeGreaterThan(3_000);
    expect(most - least).toBeGreaterThan(50);
  });

  it('end at once for who does not want to wait', async () => {
    const reason = new Error('enough');
    await expect(pause(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
