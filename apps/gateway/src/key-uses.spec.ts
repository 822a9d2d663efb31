import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { KeyUses } from './key-uses.js';

Logger.overrideLogger(false); // a store that is away is what a test is about

const clock = { ms: 0 };
let written: string[];
let isAway: boolean;
let uses: KeyUses;
beforeEach(() => {
  clock.ms = Date.parse('2026-01-01T00:00:00Z');
  written = [];
  isAway = false;
  const noteUses = async (all: readonly (readonly [string, string])[]) => {
    if (isAway) throw new Error('the store is away');
    written.push(...all.map(([id, at]) => `${id} ${at.slice(14, 19)}`));
  };
  uses = new KeyUses({ noteUses }, () => clock.ms);
});

/** Uses of keys, each so many seconds after the one before; what waits is written after each. */
async function used(...all: [id: string, afterSeconds: number][]) {
  for (const [id, after] of all) {
    clock.ms += after * 1_000;
    uses.note(id);
    await uses.stop();
  }
}

describe('uses of keys', () => {
  it('are written once a minute for each key', async () => {
    await used(['a', 0], ['b', 1], ['a', 58], ['a', 1], ['b', 1], ['a', 58]);
    expect(written).toEqual(['a 00:00', 'b 00:01', 'a 01:00', 'b 01:01']);
  });

  it('are written in the background', async () => {
    uses.start();
    uses.note('a');
    expect(written).toEqual([]);
    await eventually(() => written.length === 1, 'it is written');
    await uses.stop();
  });

  it('wait for a store that is away, the newest of each key', async () => {
    isAway = true;
    await used(['a', 0], ['a', 5]);
    isAway = false;
    await uses.stop();
    await uses.stop();
    expect(written).toEqual(['a 00:05']);
  });
});
