import { expect, it } from '@jest/globals';
import { keptLately } from './kept-lately.js';

it('keeps as many as it may, those used last', () => {
  const kept = keptLately<number>(300);
  for (let i = 0; i < 300; i += 1) kept.set(`${i}`, i);
  kept.get('0');
  kept.set('300', 300);
  expect([kept.size, kept.get('0'), kept.get('1'), kept.get('300')]).toEqual([300, 0, undefined, 300]);
});
