import { expect, it } from '@jest/globals';
import { Traffic } from './traffic.js';

it('those in the background rest while others have work, longer while that is heavy or those are behind, and not at all in a lull', () => {
  let now = 0;
  const traffic = new Traffic(() => now);
  expect(traffic.rest(0)).toBe(0);
  traffic.seen(0.1);
  expect(traffic.rest(0)).toBe(2);
  traffic.seen(0.11);
  expect(traffic.rest(0)).toBe(10);
  traffic.seen(0.51);
  expect(traffic.rest(0)).toBe(30);
  now = 299;
  expect(traffic.rest(0)).toBe(30);
  now = 300;
  expect(traffic.rest(0)).toBe(0);
});

it('what has waited for 5 s is not put off for heavy work of others, unless those are behind', () => {
  const traffic = new Traffic(() => 10_000);
  traffic.seen(0.5);
  expect([traffic.rest(5_001), traffic.rest(5_000)]).toEqual([10, 2]);
  traffic.seen(0.51);
  expect(traffic.rest(0)).toBe(30);
});
