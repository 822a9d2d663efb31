/** What a process says again and again. */
export interface Sign {
  _id: string;
  /** Changes whenever it says something. */
  beat: number;
}

/**
 * For so long (ms) an instance trusts what it has read of the course. After that it answers nothing until it has looked again: others may have taken
 * it for gone and switched.
 */
export const leaseMs = 3_000;
/** After so long without a sign a process is gone, ms: by any clock, longer than its lease. */
export const goneMs = 3_500;

/** Tells processes that are there from those that are gone, by their signs and a clock of its own: theirs may say anything. */
export class Presence {
  private known = new Map<string, { beat: number; at: number }>();

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** Those of them that are there. Whoever is seen for the first time is, for the time being. */
  of<T extends Sign>(signs: readonly T[]): T[] {
    const now = this.clock();
    this.known = new Map(signs.map(({ _id, beat }) => {
      const last = this.known.get(_id);
      return [_id, last?.beat === beat ? last : { beat, at: now }];
    }));
    return signs.filter(({ _id }) => now - this.known.get(_id)!.at < goneMs);
  }
}
