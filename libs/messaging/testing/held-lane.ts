import { eventually } from '../../servers/testing/eventually.js';
import { FetchedRecord } from '../src/batch-reader.js';
import type { EachBatchPayload } from '../src/kafka.js';
import { Lane, type LaneOptions } from '../src/lane.js';
import type { Round } from '../src/record.js';
import { Settler } from '../src/settle.js';

const context = { producerId: '-1', inTransaction: false, isControlBatch: false };
/** Waits until it holds. @throws when it does not within a minute */
export const until = (holds: () => boolean) => eventually(holds, String(holds), 60_000);
/** Lets what is due happen. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A member of a group, seen from the lane. */
export class FakeGroup {
  readonly resolved = new Map<number, string>();
  readonly commits: { partition: number; offset: string }[][] = [];
  refusal: Error | undefined;
  heartbeats = 0;
  refusedCommits = 0;

  delivery(partition: number, offsets: number[]): EachBatchPayload {
    const messages = offsets.map(
      (offset) => new FetchedRecord('topic', partition, String(offset), '0', null, Buffer.from(`${partition}:${offset}`), Buffer.of(0), context),
    );
    return {
      batch: { topic: 'topic', partition, messages, highWatermark: '100' },
      resolveOffset: (offset: string) => this.resolved.set(partition, offset),
      heartbeat: async () => {
        this.heartbeats++;
        if (this.refusal) throw this.refusal;
      },
      commitOffsetsIfNecessary: async ({ topics }: { topics: { partitions: { partition: number; offset: string }[] }[] }) => {
        if (this.refusal) {
          this.refusedCommits++;
          throw this.refusal;
        }
        this.commits.push(topics[0]!.partitions);
      },
    } as unknown as EachBatchPayload;
  }
}

/** A handler whose rounds end when told to. */
class HeldRounds {
  readonly rounds: Round[] = [];
  #ends: (() => void)[] = [];
  readonly handle = (round: Round): Promise<void> => {
    this.rounds.push(round);
    return new Promise((end) => this.#ends.push(end));
  };
  async end(): Promise<void> {
    this.#ends.shift()!();
    await turn();
  }
  get seen(): string[][] {
    return this.rounds.map(({ records }) => records.map(({ value }) => String(value)));
  }
}

/** A lane whose rounds are held, and the group it works for. */
export function openLane(changed: Partial<LaneOptions> = {}) {
  const held = new HeldRounds();
  const settler = new Settler({ service: 's', group: 'g', handle: held.handle, bury: async () => undefined, isHealthy: async () => true });
  const fatal: unknown[] = [];
  const lane = new Lane({
    topic: 'topic',
    group: 'g',
    maxRecords: 100,
    sessionTimeout: 10_000,
    settler,
    holds: new Map(),
    onFatal: (error) => fatal.push(error),
    ...changed,
  });
  lane.joined();
  return { lane, held, fatal, group: new FakeGroup() };
}
