import { describe, expect, it } from '@jest/globals';
import { Arrivals } from './arrivals.js';

const never = 60_000;

describe('arrivals', () => {
  it('wake everybody who waits for the ticket, and nobody else', async () => {
    const arrivals = new Arrivals();
    let isOtherWoken = false;
    const other = arrivals.next('acme/2', 20).then(() => (isOtherWoken = true));
    const both = [arrivals.next('acme/1', never), arrivals.next('acme/1', never)];
    arrivals.announce(['acme/1']);
    await Promise.all(both);
    expect(isOtherWoken).toBe(false);
    await other;
  });

  it('end by time too, and leave nothing behind', async () => {
    const arrivals = new Arrivals();
    await arrivals.next('acme/1', 1);
    expect((arrivals as unknown as { waiting: Map<string, unknown> }).waiting.size).toBe(0);
  });
});
