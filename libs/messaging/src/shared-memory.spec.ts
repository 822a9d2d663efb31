import { describe, expect, it } from '@jest/globals';
import { turn } from '../testing/held-lane.js';
import { SharedFetches, sharedBudget, SharedMemory } from './shared-memory.js';

const MiB = 1 << 20;
const never = new AbortController().signal;

/** A consumer that fetches: what a response brings takes all that it may, and is held until the next fetch. */
function consumer(memory: SharedMemory, name = 'c') {
  const fetches = new SharedFetches(memory);
  const log: string[] = [];
  const beats: (Error | undefined)[] = [];
  const fetch = (packed: number, read = 1) =>
    fetches.run(() =>
      fetches.fetch({
        nodeId: 0,
        nodeIds: [0],
        fetch: async () => {
          const shared = await sharedBudget(packed);
          shared!.budget.bytes = 0;
          shared!.close(read);
          log.push(name);
          return name;
        },
        moved: () => undefined,
        beat: async () => {
          log.push('beat');
          const error = beats.shift();
          if (error) throw error;
        },
      }),
    );
  return { fetches, fetch, log, beats };
}

describe('memory that consumers share', () => {
  it('is given out first come, first served: what is small does not overtake, and a greedy one that comes again stands at the end', async () => {
    const memory = new SharedMemory(10);
    const order: string[] = [];
    const take = (name: string, bytes: number) => memory.take(bytes, never).then(() => order.push(name));
    void take('greedy', 8);
    void take('large', 8);
    void take('small', 1);
    await turn();
    expect(order).toEqual(['greedy']);
    memory.giveBack(8);
    void take('greedy again', 8);
    await turn();
    expect(order).toEqual(['greedy', 'large', 'small']);
    memory.giveBack(8);
    await turn();
    expect(order).toEqual(['greedy', 'large', 'small', 'greedy again']);
  });

  it('gives more than there is to whoever is alone, and forgets who left', async () => {
    const memory = new SharedMemory(10);
    const leaving = new AbortController();
    await memory.take(1, never);
    const large = memory.take(50, leaving.signal);
    const small = memory.take(2, never);
    leaving.abort();
    await expect(large).rejects.toThrow();
    await small;
    const whole = memory.take(50, never);
    memory.giveBack(3);
    await whole;
  });

  it('is held by what was read until the next fetch, and by nothing that was not', async () => {
    const memory = new SharedMemory(4 * MiB);
    const [greedy, idle, small] = [consumer(memory), consumer(memory), consumer(memory)];
    await idle.fetch(MiB, 0);
    await greedy.fetch(MiB);
    await small.fetch(1_000); // small change waits for nobody
    const waiting = idle.fetch(MiB);
    await turn();
    expect(idle.log).toEqual(['c']);
    await greedy.fetch(1_000);
    await waiting;
  });

  it('lets the first batch of a response grow: to a portion, then, alone, to the largest there may be; giving back what it had meanwhile', async () => {
    const memory = new SharedMemory(8 * MiB);
    const order: string[] = [];
    const grown = (name: string) => {
      const fetches = new SharedFetches(memory);
      const fetch = async () => {
        const { budget, close } = (await sharedBudget(1_000))!;
        const sizes = [budget.bytes];
        while (await budget.more!()) sizes.push(budget.bytes);
        order.push(name);
        budget.bytes = 0;
        close(1);
        return sizes;
      };
      return { fetches, sizes: fetches.run(() => fetches.fetch({ nodeId: 0, nodeIds: [0], fetch, beat: async () => undefined, moved: () => undefined })) };
    };
    const [one, other] = [grown('one'), grown('other')];
    expect((await one.sizes).map((bytes) => bytes / MiB)).toEqual([1 / 16, 4, 32]);
    await turn();
    expect(order).toEqual(['one']);
    one.fetches.end();
    await other.sizes;
    expect(order).toEqual(['one', 'other']);
  });

  it('is not waited for in silence, and no longer once the group deals its partitions anew', async () => {
    const memory = new SharedMemory(4 * MiB);
    const [greedy, waiting] = [consumer(memory), consumer(memory)];
    await greedy.fetch(MiB);
    waiting.beats.push(undefined, new Error('the group is dealt anew'));
    await expect(waiting.fetch(MiB)).rejects.toThrow('the group is dealt anew');
    expect(waiting.log).toEqual(['beat', 'beat']);
    await greedy.fetch(1_000); // gives its memory back; nobody stands before us
    await consumer(memory).fetch(MiB);
  });

  it('is free again when a consumer is gone', async () => {
    const memory = new SharedMemory(4 * MiB);
    const [gone, next] = [consumer(memory), consumer(memory)];
    await gone.fetch(MiB);
    const waiting = next.fetch(MiB);
    gone.fetches.end();
    await waiting;
  });

  it('of a broker that is fetched from no longer is free again, too', async () => {
    const memory = new SharedMemory(4 * MiB);
    const fetches = new SharedFetches(memory);
    const from = (nodeId: number) => fetches.run(() => fetches.fetch({ nodeId, nodeIds: [nodeId], fetch: async () => (await sharedBudget(MiB))!.close(1), beat: async () => undefined, moved: () => undefined }));
    await from(1);
    await from(2);
  });

  it('waits for no fetch that is never made: where the brokers are others, the fetches of a consumer begin anew', async () => {
    const memory = new SharedMemory(4 * MiB);
    const fetches = new SharedFetches(memory);
    const anew = new Error('others');
    const brokers: { moved?: Error } = {};
    const from = (nodeId: number) => fetches.run(() => fetches.fetch({ nodeId, nodeIds: [1, 2], fetch: async () => (await sharedBudget(MiB))!.close(1), beat: async () => undefined, moved: () => brokers.moved }));
    await fetches.run(() => fetches.fetch({ nodeId: 1, nodeIds: [1, 2], fetch: async () => Object.assign((await sharedBudget(MiB))!.budget, { bytes: 0 }), beat: async () => undefined, moved: () => brokers.moved }));
    const waiting = from(2);
    await turn();
    brokers.moved = anew;
    await expect(waiting).rejects.toBe(anew);
  });
});
