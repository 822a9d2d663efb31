import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { openLane, turn, until } from '../testing/held-lane.js';
import type { Traffic } from './traffic.js';

Logger.overrideLogger(false);

/** Traffic that asks for so much rest, and remembers what it was told and asked. */
function traffic(rest = 0) {
  const told: number[] = [];
  const asked: number[] = [];
  const counting = { rest: (writtenAt: number) => (asked.push(writtenAt), rest), seen: (fullness: number) => void told.push(fullness) };
  return { told, asked, traffic: counting as unknown as Traffic };
}

describe('a lane in the background', () => {
  it('begins no round while it rests, though what it has done counts; a stop ends the rest', async () => {
    const { traffic: restful, asked } = traffic(100_000);
    const { lane, held, group } = openLane({ isBackground: true, traffic: restful });
    const first = lane.take(group.delivery(0, [0]));
    await turn();
    await held.end();
    await first;
    expect(group.resolved.get(0)).toBe('0');
    expect(asked).toEqual([0]); // when the record was written
    const second = lane.take(group.delivery(1, [0]));
    for (let i = 0; i < 20; i++) await turn();
    expect(held.rounds).toHaveLength(1);
    await lane.stop();
    await second;
    expect(held.rounds).toHaveLength(1);
  });

  it.each([
    ['nobody else has work', { traffic: traffic(0).traffic }],
    ['it hurries', { traffic: traffic(10_000_000).traffic, hurries: () => true }],
  ])('goes on at once where %s', async (_, options) => {
    const { lane, held, group } = openLane({ isBackground: true, ...options });
    const taken = [lane.take(group.delivery(0, [0]))];
    await turn();
    await held.end();
    taken.push(lane.take(group.delivery(1, [0])));
    await until(() => held.rounds.length === 2);
    expect(held.rounds).toHaveLength(2);
    await held.end();
    await Promise.all(taken);
  });
});

it('a lane in the foreground says that it has work, and how full its rounds are', async () => {
  const seen = traffic(100_000);
  const { lane, held, group } = openLane({ maxRecords: 4, traffic: seen.traffic });
  for (const offsets of [[0, 1], [2, 3, 4]]) {
    const taken = lane.take(group.delivery(0, offsets));
    await turn();
    await held.end();
    await taken;
    await until(() => seen.told.length === (offsets[0] === 0 ? 1 : 2));
  }
  expect(seen.told).toEqual([0.5, 0.75]);
});
