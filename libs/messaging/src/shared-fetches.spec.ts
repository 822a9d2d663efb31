import { describe, expect, it } from '@jest/globals';
import { turn, until } from '../testing/held-lane.js';
import { sharedBudget, SharedFetches, sharedQuestion } from './shared-fetches.js';
import { SharedMemory } from './shared-memory.js';

const MiB = 1 << 20;
const anyhow = { beat: async () => undefined, moved: () => undefined };

/** A consumer that fetches: what a response brings takes all that it may, and is held until the next fetch. */
function consumer(memory: SharedMemory) {
  const fetches = new SharedFetches(memory);
  const log: string[] = [];
  const beats: (Error | undefined)[] = [];
  const questions: unknown[] = [];
  const fetch = (packed: number, read = 1) =>
    fetches.run(() =>
      fetches.fetch({
        nodeId: 0,
        nodeIds: [0],
        fetch: async () => {
          questions.push(sharedQuestion());
          const { budget, close } = sharedBudget(packed)!;
          if (budget === undefined) return;
          budget.bytes = 0;
          close(read);
          log.push('c');
        },
        moved: () => undefined,
        beat: async () => {
          log.push('beat');
          const error = beats.shift();
          if (error) throw error;
        },
      }),
    );
  return { fetches, fetch, log, beats, questions };
}

describe('consumers that share memory', () => {
  it('hold what they read until the next fetch, and nothing for what they did not', async () => {
    const memory = new SharedMemory(4 * MiB);
    const [greedy, idle, small] = [consumer(memory), consumer(memory), consumer(memory)];
    await idle.fetch(MiB, 0);
    await greedy.fetch(MiB);
    await small.fetch(1_000); // small change waits for nobody
    const waiting = idle.fetch(MiB);
    await turn();
    expect(idle.log).toEqual(['c']);
    const next = greedy.fetch(MiB);
    await waiting;
    idle.fetches.end();
    await next;
  });

  it('let the first batch of a response grow: to a portion, then, alone, to the largest there may be', async () => {
    const memory = new SharedMemory(8 * MiB);
    const fetches = new SharedFetches(memory);
    const sizes: number[] = [];
    const fetch = async () => {
      const { budget, close } = sharedBudget(1_000)!;
      do sizes.push(budget!.bytes / MiB);
      while (budget!.more!());
      budget!.bytes = 0;
      close(1);
    };
    await fetches.run(() => fetches.fetch({ nodeId: 0, nodeIds: [0], fetch, ...anyhow }));
    expect(sizes).toEqual([1 / 16, 4, 32]);
  });

  it('let go what there is no room for, whatever it came to need, and ask again with room for it: while they wait, nothing of theirs lies here', async () => {
    const memory = new SharedMemory(8 * MiB);
    const order: string[] = [];
    const greedy = (name: string) => {
      const fetches = new SharedFetches(memory);
      const fetch = async () => {
        const { budget, close } = sharedBudget(MiB)!;
        const isLarge = budget === undefined || (budget.bytes < 32 * MiB && !budget.more!());
        order.push(`${name} ${isLarge ? 'lets go' : 'reads'}`);
        if (isLarge) return close(0);
        budget.bytes = 0;
        close(1);
      };
      return { fetches, fetched: fetches.run(() => fetches.fetch({ nodeId: 0, nodeIds: [0], fetch, ...anyhow })) };
    };
    const [one, other, third] = [greedy('one'), greedy('other'), greedy('third')];
    await one.fetched;
    await turn();
    expect(order).toEqual(['one reads', 'other lets go', 'third lets go']);
    one.fetches.end();
    await third.fetched;
    expect(order.slice(3)).toEqual(['other lets go', 'third reads']); // with a portion each there is not enough for either: who gives its own back last has it all
    third.fetches.end();
    await other.fetched;
    expect(order.slice(5)).toEqual(['other reads']);
  });

  it('ask for little until there is much, then for much with room for it and without waiting, and wait as long as they like for news', async () => {
    const one = consumer(new SharedMemory(4 * MiB));
    for (const packed of [1_000, 1_000, MiB, MiB, 1_000, 1_000]) await one.fetch(packed);
    const little = 64 << 10;
    const [look, news, much] = [{ maxBytes: little, maxWaitTime: 0 }, { maxBytes: little }, { maxWaitTime: 0 }];
    expect(one.questions).toEqual([look, news, news, much, much, news]);
  });

  it('look what there is four at a time, as each may be brought something large; nobody else’s records keep them waiting', async () => {
    const memory = new SharedMemory(4 * MiB);
    await consumer(memory).fetch(MiB);
    let looking = 0;
    const answers: (() => void)[] = [];
    const fetch = async () => {
      looking += 1;
      await new Promise<void>((answer) => answers.push(answer));
      sharedBudget(1_000)!.close(0);
    };
    const all = Array.from({ length: 10 }, () => new SharedFetches(memory)).map((fetches) => fetches.run(() => fetches.fetch({ nodeId: 0, nodeIds: [0], fetch, ...anyhow })));
    await turn();
    expect(looking).toBe(4);
    for (let answered = 0; answered < 10; answered++) {
      await until(() => answers.length > 0);
      answers.shift()!();
    }
    await Promise.all(all);
  });

  it('hold nothing for a broker that did not answer in time', async () => {
    const memory = new SharedMemory(4 * MiB);
    const fetches = new SharedFetches(memory);
    const from = (fetch: () => Promise<void>) => fetches.run(() => fetches.fetch({ nodeId: 0, nodeIds: [0], fetch, ...anyhow }));
    await from(async () => sharedBudget(MiB)!.close(0)); // there is more: the next fetch has its room before it asks
    await expect(from(() => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
    await consumer(memory).fetch(MiB);
  });

  it('do not wait in silence, and no longer once the group deals its partitions anew', async () => {
    const memory = new SharedMemory(4 * MiB);
    const [greedy, waiting] = [consumer(memory), consumer(memory)];
    await greedy.fetch(MiB);
    waiting.beats.push(undefined, new Error('the group is dealt anew'));
    await expect(waiting.fetch(MiB)).rejects.toThrow('the group is dealt anew');
    expect(waiting.log).toEqual(['beat', 'beat']);
    greedy.fetches.end(); // gives its memory back; nobody stands before us
    await consumer(memory).fetch(MiB);
  });

  it('hold nothing when they are gone', async () => {
    const memory = new SharedMemory(4 * MiB);
    const [gone, next] = [consumer(memory), consumer(memory)];
    await gone.fetch(MiB);
    const waiting = next.fetch(MiB);
    gone.fetches.end();
    await waiting;
  });

  it('hold nothing of a broker that they fetch from no longer', async () => {
    const memory = new SharedMemory(4 * MiB);
    const fetches = new SharedFetches(memory);
    const from = (nodeId: number) => fetches.run(() => fetches.fetch({ nodeId, nodeIds: [nodeId], fetch: async () => sharedBudget(MiB)!.close(1), ...anyhow }));
    await from(1);
    await from(2);
  });

  it('wait for no fetch that is never made: where the brokers are others, the fetches of a consumer begin anew', async () => {
    const memory = new SharedMemory(4 * MiB);
    const fetches = new SharedFetches(memory);
    const anew = new Error('others');
    const brokers: { moved?: Error } = {};
    const from = (nodeId: number) => fetches.run(() => fetches.fetch({ nodeId, nodeIds: [1, 2], fetch: async () => sharedBudget(MiB)!.close(1), ...anyhow, moved: () => brokers.moved }));
    await fetches.run(() => fetches.fetch({ nodeId: 1, nodeIds: [1, 2], fetch: async () => void Object.assign(sharedBudget(MiB)!.budget!, { bytes: 0 }), ...anyhow, moved: () => brokers.moved }));
    const waiting = from(2);
    await turn();
    brokers.moved = anew;
    await expect(waiting).rejects.toBe(anew);
  });
});
