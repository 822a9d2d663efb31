import { asking, longestMs } from './asking.js';
import type { Documents } from './documents.store.js';
import { keptLately } from './kept-lately.js';
import type { Condition } from './list-conditions.js';
import { mostCounted, queryOf, waysOf, type Plan } from './list-plan.js';

/** So many of the newest tell how far apart they are. */
const reachedBy = 300;
/** Where more are there than are counted, there may be so many times as many. */
const manyMore = 5;
/** How long it is remembered, ms, how many documents a condition leads to, and that it is common: it hardly becomes rare. */
const [memoryMs, commonMs] = [60_000, 600_000];

/** How many documents a condition leads to: see `Condition`. */
type Size = Pick<NonNullable<Condition['lead']>, 'reach'> & { size: number };

/** Any of several conditions: what comes of each as often as it does comes as often as all of them do. */
function together(all: readonly Size[]): Size {
  const often = all.reduce((sum, { reach }) => sum + (reach === undefined ? 0 : 1 / reach), 0);
  return { size: all.reduce((sum, { size }) => sum + size, 0), ...(often > 0 && { reach: 1 / often }) };
}

/** How many documents conditions lead to, as far as it matters and was counted lately. */
export class Weights<T extends { _id: string; createdAt?: Date }> {
  private readonly sizes = keptLately<Promise<Size>>(20_000, memoryMs);

  constructor(private readonly documents: Documents<T>) {}

  /** A condition with what it weighs, where it has an index. @throws ProblemError dependency-unavailable */
  async weighed(base: object, condition: Condition): Promise<Condition> {
    return condition.lead ? { ...condition, lead: await this.lead(base, condition, condition.lead) } : condition;
  }

  private async lead(base: object, condition: Condition, lead: NonNullable<Condition['lead']>): Promise<NonNullable<Condition['lead']>> {
    const { anyOf } = lead;
    if (lead.size !== undefined) return lead;
    if (!anyOf) return { ...lead, ...(await this.size(base, condition)) };
    const all = await Promise.all(anyOf.values.map((value) => this.size(base, { filter: { [anyOf.field]: value }, lead: { ...lead, isSingle: true } })));
    const sizes = all.map(({ size }) => size);
    const common = sizes.findIndex((size) => size >= mostCounted);
    return { ...lead, ...together(all), ways: waysOf(anyOf, sizes), ...(common >= 0 && { some: { [anyOf.field]: anyOf.values[common] } }) };
  }

  /** Whoever asks meanwhile waits for the same count. */
  private size(base: object, { filter, lead }: Condition): Promise<Size> {
    const { scope } = queryOf({ base, sort: '-createdAt', conditions: [{ filter }] });
    const known = this.sizes.get(scope);
    if (known) return known;
    const counting = asking(() => this.measured({ filter: { ...base, ...filter }, hint: lead!.index }, lead!.isSingle));
    this.sizes.set(scope, counting);
    counting.then(({ size }) => size >= mostCounted && this.sizes.set(scope, counting, { ttl: commonMs }), () => this.sizes.delete(scope));
    return counting;
  }

  /** Counting on would take longer than it helps: where the newest say that there are very many, as many are guessed as if they had always come as often. */
  private async measured(plan: Plan, isSingle: boolean): Promise<Size> {
    const size = await this.documents.count(plan, { limit: mostCounted, maxTimeMS: longestMs });
    if (size < mostCounted) return { size };
    const atLeast = manyMore * size;
    if (!isSingle) return { size: atLeast };
    const [reach, age] = await Promise.all([this.ageOf(plan, '-createdAt', reachedBy), this.ageOf(plan, 'createdAt', 0)]);
    return { size: Math.max(atLeast, reach && age ? (reachedBy * age) / reach : 0), reach };
  }

  /** How long ago the document at a place was created, ms. */
  private async ageOf(plan: Plan, sort: 'createdAt' | '-createdAt', skip: number): Promise<number | undefined> {
    const [found] = await this.documents.read(sort, plan, { piece: { skip, limit: 1 }, projection: { createdAt: 1 }, maxTimeMS: longestMs });
    return found?.createdAt && Date.now() - found.createdAt.getTime();
  }
}
