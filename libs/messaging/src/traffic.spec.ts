import { expect, it } from '@jest/globals';
import { Traffic } from './traffic.js';

it('those in the background rest while others have work, longer while those are behind, and not at all in a lull', () => {
  let now = 0;
  const traffic = new Traffic(() => now);
  expect(traffic.rest).toBe(0);
  traffic.seen(false);
  expect(traffic.rest).toBe(2);
  traffic.seen(true);
  expect(traffic.rest).toBe(30);
  now = 299;
  expect(traffic.rest).toBe(30);
  now = 300;
  expect(traffic.rest).toBe(0);
});
