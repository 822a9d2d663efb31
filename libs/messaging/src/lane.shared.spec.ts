import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { openLane, turn } from '../testing/held-lane.js';
import { Fault, OwnersTrouble } from './fault.js';
import { Settler } from './settle.js';
import { SharedFetches, SharedMemory } from './shared-memory.js';

Logger.overrideLogger(false);

/** A lane that shares memory, whose every record is a dead letter that meets this trouble. */
function open(trouble: Error) {
  let now = 0;
  const fetches = new SharedFetches(new SharedMemory(), undefined, () => now);
  const troubles = [trouble];
  const settler = new Settler({
    service: 's',
    group: 'g',
    handle: async ({ records }) => records.map((record) => ({ record, reason: 'not-json', detail: '' })),
    bury: async () => {
      const met = troubles.shift();
      if (met) throw met;
    },
    isHealthy: async () => true,
    onWait: (met) => lane.waits(met),
    backoff: { first: 1, longest: 1 },
  });
  const { lane, group } = openLane({ fetches, settler });
  const fetched: number[] = [];
  const fetch = () => fetches.fetch({ nodeId: 0, nodeIds: [0], fetch: async () => fetched.push(now), beat: async () => undefined, moved: () => undefined });
  return { lane, group, fetched, fetch, at: (ms: number) => (now = ms) };
}

describe('a lane that shares memory', () => {
  it('lets go of records that wait for what only their owner can mend; they come again, though not at once', async () => {
    const { lane, group, fetched, fetch, at } = open(new OwnersTrouble('the dead-letter topic is gone'));
    await lane.take(group.delivery(0, [0]));
    expect([group.resolved.size, lane.isBusy, lane.trouble]).toEqual([0, false, undefined]);
    const fetching = fetch();
    await turn();
    expect(fetched).toEqual([]);
    await fetching;
    expect(fetched).toEqual([0]);
    await lane.take(group.delivery(0, [0]));
    expect(group.resolved.get(0)).toBe('0');
    at(1);
    await fetch();
    expect(fetched).toEqual([0, 1]);
  });

  it('keeps its records through trouble that everybody has', async () => {
    const { lane, group } = open(new Fault('the broker is down'));
    await lane.take(group.delivery(0, [0]));
    expect(group.resolved.get(0)).toBe('0');
  });
});
