import { topics } from '#contracts';
import { groupOf, type Backlog, type Extent } from '#messaging';
import { searchGroup } from '../search/search.consumer.js';
import { viewGroup } from '../ticket-view.consumer.js';

const groups = [viewGroup, searchGroup];
/** Every event is read so many times. */
export const readers = groups.length;

/** The groups that read the events for a generation. */
export const groupsOf = (generation: number): string[] => groups.map((group) => groupOf(group, generation));

/** How far a generation is through the events topic, all its groups together. */
export class Followers {
  private before: Extent | undefined;

  constructor(
    private readonly backlog: Pick<Backlog, 'extent' | 'isSettled' | 'of'>,
    private readonly generation: number,
  ) {}

  /** Where the events end now. */
  end(): Promise<Extent> {
    return this.backlog.extent(topics.events);
  }

  /** Records before these ends that are still to be read; one that two groups read counts twice. */
  async left(extent?: Extent): Promise<number> {
    const all = await Promise.all(groupsOf(this.generation).map((group) => this.backlog.of(group, topics.events, extent)));
    return all.reduce((sum, records) => sum + records, 0);
  }

  /** Looks once. `isThere` when all has been read that lay there at the look before, and nobody joins or leaves, which would make it wait soon. */
  async look(): Promise<{ done: number; total: number; isThere: boolean }> {
    const now = await this.end();
    const total = readers * now.reduce((sum, { low, high }) => sum + high - low, 0);
    const isThere = this.before !== undefined && (await this.left(this.before)) === 0 && (await this.backlog.isSettled(groupsOf(this.generation)));
    this.before = now;
    return { done: total - (await this.left(now)), total, isThere };
  }
}
