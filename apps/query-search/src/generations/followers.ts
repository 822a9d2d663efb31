import { topics } from '#contracts';
import { groupOf, type Backlog, type Extent } from '#messaging';
import { deadlinesGroup } from '../deadlines.consumer.js';
import { searchGroup } from '../search/search.consumer.js';
import { viewGroup } from '../ticket-view.consumer.js';

/** Who reads which topic for a generation. */
const reads = [
  { group: viewGroup, topic: topics.events },
  { group: searchGroup, topic: topics.events },
  { group: deadlinesGroup, topic: topics.deadlines },
] as const;
/** Every event is read so many times. */
export const readers = reads.filter(({ topic }) => topic === topics.events).length;

/** The groups that read for a generation. */
export const groupsOf = (generation: number): string[] => reads.map(({ group }) => groupOf(group, generation));

/** Where the topics of a generation end. */
export type Ends = Readonly<Record<(typeof reads)[number]['topic'], Extent>>;

/** How far a generation is through its topics, all its groups together. */
export class Followers {
  private before: Ends | undefined;

  constructor(
    private readonly backlog: Pick<Backlog, 'extent' | 'isSettled' | 'of'>,
    private readonly generation: number,
  ) {}

  /** Where the topics end now. */
  async end(): Promise<Ends> {
    const [events, deadlines] = await Promise.all([this.backlog.extent(topics.events), this.backlog.extent(topics.deadlines)]);
    return { [topics.events]: events, [topics.deadlines]: deadlines };
  }

  /** Records before these ends that are still to be read; one that two groups read counts twice. */
  async left(ends: Ends): Promise<number> {
    return this.leftOf(reads, ends);
  }

  /** Looks once, and counts events. `isThere` when all has been read that lay there at the look before, and nobody joins or leaves, which would make it wait soon. */
  async look(): Promise<{ done: number; total: number; isThere: boolean }> {
    const now = await this.end();
    const total = readers * now[topics.events].reduce((sum, { low, high }) => sum + high - low, 0);
    const isThere = this.before !== undefined && (await this.left(this.before)) === 0 && (await this.backlog.isSettled(groupsOf(this.generation)));
    this.before = now;
    return { done: total - (await this.leftOf(reads.filter(({ topic }) => topic === topics.events), now)), total, isThere };
  }

  private async leftOf(some: readonly (typeof reads)[number][], ends: Ends): Promise<number> {
    const all = await Promise.all(some.map(({ group, topic }) => this.backlog.of(groupOf(group, this.generation), topic, ends[topic])));
    return all.reduce((sum, records) => sum + records, 0);
  }
}
