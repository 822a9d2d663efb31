import { describe, expect, it } from '@jest/globals';
import { turn } from '../testing/held-lane.js';
import { Supply } from './supply.js';

const never = new AbortController().signal;

describe('a supply', () => {
  it('is given out first come, first served: what is small does not overtake, and a greedy one that comes again stands at the end', async () => {
    const supply = new Supply(10);
    const order: string[] = [];
    const take = (name: string, bytes: number) => supply.take(bytes, never).then(() => order.push(name));
    void take('greedy', 8);
    void take('large', 8);
    void take('small', 1);
    await turn();
    expect(order).toEqual(['greedy']);
    supply.giveBack(8);
    void take('greedy again', 8);
    await turn();
    expect(order).toEqual(['greedy', 'large', 'small']);
    supply.giveBack(8);
    await turn();
    expect(order).toEqual(['greedy', 'large', 'small', 'greedy again']);
  });

  it('gives more than there is to whoever is alone, and forgets who left', async () => {
    const supply = new Supply(10);
    const leaving = new AbortController();
    await supply.take(1, never);
    const large = supply.take(50, leaving.signal);
    const small = supply.take(2, never);
    leaving.abort();
    await expect(large).rejects.toThrow();
    await small;
    const whole = supply.take(50, never);
    supply.giveBack(3);
    await whole;
  });

  it('gives at once only what is free, and only where nobody waits', async () => {
    const supply = new Supply(10);
    expect([supply.takeNow(8), supply.takeNow(3), supply.takeNow(2)]).toEqual([true, false, true]);
    const waiting = supply.take(9, never);
    supply.giveBack(2);
    expect(supply.takeNow(1)).toBe(false);
    supply.giveBack(8);
    await waiting;
    expect(supply.takeNow(1)).toBe(true);
  });
});
