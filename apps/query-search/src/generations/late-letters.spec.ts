import { describe, expect, it } from '@jest/globals';
import type { OutgoingRecord } from '#messaging';
import { LateLetters } from './late-letters.js';

/** A dead letter of a record. */
const letter = (partition: number, offset: number, topic = 'ticket.events.v1'): OutgoingRecord => ({
  topic: 'dead.query-search.ticket.events.v1',
  key: null,
  value: `${partition}/${offset}`,
  headers: Object.entries({ dead_topic: topic, dead_partition: partition, dead_offset: offset }).map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(String(value)) })),
});

/** @param failures times that the letterbox cannot be opened */
async function scene(failures = 0) {
  const sent: unknown[] = [];
  const seen = { opened: 0, closed: 0, groups: [] as string[] };
  const letters = await LateLetters.behind(3, {
    backlog: {
      committed: async (group, topic) => {
        seen.groups.push(group);
        return new Map([[0, topic === 'ticket.events.v1' ? 10 : 20]]);
      },
    },
    open: async () => {
      if (seen.opened++ < failures) throw new Error('the broker is away');
      return { send: async (records) => void sent.push(...records.map(({ value }) => value)), close: async () => void seen.closed++ };
    },
  });
  return { letters, sent, seen };
}

describe('dead letters of a replay', () => {
  it('are written for what the live generation has not read, and of partitions that it knows nothing of', async () => {
    const { letters, sent, seen } = await scene();
    await letters.send([letter(0, 9), letter(0, 10), letter(0, 11), letter(1, 0), letter(0, 19, 'ticket.deadlines.v1'), letter(0, 20, 'ticket.deadlines.v1')]);
    expect(sent).toEqual(['0/10', '0/11', '1/0', '0/20']);
    expect(seen.groups).toEqual(['query-search.ticket-view.g3', 'query-search.deadlines.g3']);
  });

  it('need no producer as long as all of them are there already', async () => {
    const { letters, seen } = await scene();
    await letters.send([letter(0, 9)]);
    await letters.close();
    expect(seen).toMatchObject({ opened: 0, closed: 0 });
  });

  it('open one producer, and another one after it could not be opened', async () => {
    const { letters, sent, seen } = await scene(1);
    await expect(letters.send([letter(0, 10)])).rejects.toThrow('away');
    await Promise.all([letters.send([letter(0, 10)]), letters.send([letter(0, 11)])]);
    await letters.close();
    expect([sent, seen.opened, seen.closed]).toEqual([['0/10', '0/11'], 2, 1]);
  });
});
