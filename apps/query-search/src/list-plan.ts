import type { Sort } from '#contracts';
import type { IndexName } from './collections.js';
import type { AnyOf, Condition } from './list-conditions.js';
import { orders } from './list-order.js';

/** One way to run a query. */
export interface Plan {
  filter: object;
  hint: IndexName;
}

/** Up to so many tickets are sorted in a few ms. */
export const rareUpTo = 500;

/** Documents that are asked for, and the order that they are wanted in. */
export interface Wanted {
  /** The organisation, and what else holds for all of them. */
  base: object;
  sort: Sort;
  conditions: readonly Condition[];
  /** Conditions of a place in the list. */
  from?: readonly object[] | undefined;
}

/** A query with the ways to run it. */
export interface Query {
  sort: Sort;
  /** The same for the same organisation and conditions, wherever in the list. */
  scope: string;
  /** Whether nothing is left out of the list. */
  isWhole: boolean;
  /** Goes along the list's own order until enough match: quick unless few do. */
  walk: Plan;
  /** Looks only at tickets of one condition. Unless they come in the list's order, all of them have to be gathered and sorted: no matter when they are rare. */
  led?: Plan & {
    isOrdered: boolean;
    isRare: boolean;
    isSingle: boolean;
    /** Whether it begins in the middle of its index, and passes over what comes before. */
    isSkipping: boolean;
    /** Finds the same in no order, for counting: the index alone tells what meets several conditions on it. */
    all: Plan;
    /** Whether the index finds by itself what meets other conditions, too. */
    isMeeting: boolean;
    /** The same, divided: what they find has to be merged. */
    ways?: readonly Plan[];
    /** Leads to some of them only, which are quickly counted: where they are as many as anybody counts, nobody need gather the others. */
    some?: Plan;
    /** Walking soon meets them, and gathering them would take long. */
    common?: { isMost: boolean };
  };
}

/** Plans a query. Of the conditions with an index, the one that leads to the fewest tickets leads. */
export function queryOf({ base, sort, conditions, from = [] }: Wanted): Query {
  const { index } = orders[sort];
  const place = from.map((filter) => ({ filter }));
  const query = { sort, scope: scopeOf(base, conditions), isWhole: conditions.length === 0 && from.length === 0, walk: { filter: filterOf(base, [...conditions, ...place]), hint: index } };
  const leader = conditions.filter(hasLead).sort(byRarity)[0];
  return leader ? { ...query, led: ledBy(leader, { base, sort, conditions, from }) } : query;
}

type Leader = Condition & Required<Pick<Condition, 'lead'>>;
const hasLead = (condition: Condition): condition is Leader => condition.lead !== undefined;

function byRarity(one: Leader, other: Leader): number {
  return counted(one) - counted(other) || (other.lead.reach ?? 0) - (one.lead.reach ?? 0);
}

/** Beyond what is counted sizes are guesses: which of two leads is told by how far back their newest reach. Not counted at all is more than any. */
function counted(condition: Leader): number {
  const size = sizeOf(condition);
  return Number.isFinite(size) ? Math.min(size, mostCounted) : Number.MAX_VALUE;
}

function ledBy(leader: Leader, wanted: Wanted): NonNullable<Query['led']> {
  const { lead: { isSingle, index, ways = [], some, common } } = leader;
  const { sort } = wanted;
  const { byCreation } = orders[sort];
  const planOf = (filter: object, use: Use): Plan => ({ filter: ledFilter(wanted, { leader, filter, use }), hint: index });
  const isOrdered = isSingle && byCreation;
  return {
    ...planOf(leader.filter, useOf(leader, byCreation)),
    isSingle,
    isRare: sizeOf(leader) <= rareUpTo,
    isOrdered,
    isSkipping: isSkipping(wanted),
    all: planOf(leader.filter, 'gathered'),
    isMeeting: wanted.conditions.some((other) => other !== leader && other.lead !== undefined && isMet(other, leader, 'gathered')),
    ...(byCreation && ways.length > 1 && { ways: ways.map((way) => planOf(way, 'ordered')) }),
    ...(some && { some: planOf(some, 'gathered') }),
    ...(common && { common }),
  };
}

const isSkipping = ({ from = [], conditions }: Wanted) => from.length > 0 || conditions.some(({ isSpan }) => isSpan);

/**
 * What an index that leads is used for. `ordered`: it has the tickets in the list's order. `sorted`: they are to come in the order of creation, in which it has those of each value: some engines take
 * a second condition of one value on it for the promise that all come so, and leave them as they are. `gathered`: any order, or one that it has nothing of.
 */
type Use = 'ordered' | 'sorted' | 'gathered';

function useOf({ lead: { isSingle } }: Leader, byCreation: boolean): Use {
  if (!byCreation) return 'gathered';
  return isSingle ? 'ordered' : 'sorted';
}

function ledFilter({ base, conditions, from = [] }: Wanted, { leader, filter, use }: { leader: Leader; filter: object; use: Use }): object {
  const others = conditions.filter((other) => other !== leader && !other.isImplied).map((other) => ({ filter: (!isMet(other, leader, use) && other.checked) || other.filter }));
  // The first condition of a place is only there to bound an index.
  const place = (use === 'ordered' ? from.slice(1) : from).map((one) => ({ filter: one }));
  return filterOf(base, [{ filter }, ...others, ...place]);
}

/** So many entries of an index are passed over while a document that it leads to is checked: one of many words, or of some keys. */
const entriesADocument = { byWord: 20, byKey: 5, byPriority: 5, byDeadlineState: 5 };
/** So many tickets are counted of a condition at most. */
export const mostCounted = 10_000;

/** Whether the index that leads is to find what meets both conditions by itself. It passes over all entries of both for that, and comes in no order. */
function isMet(other: Condition, leader: Leader, use: Use): boolean {
  if (use === 'ordered') return false;
  if (!other.lead) return true;
  if (use === 'sorted') return false;
  return other.lead.index === leader.lead.index && sizeOf(other) <= entriesADocument[other.lead.index] * sizeOf(leader);
}

/** Divides a condition by how many tickets each of its values leads to. The rare ones stay together: it is quicker to sort their tickets than to ask for each. */
export function waysOf({ field, values }: AnyOf, sizes: readonly number[]): object[] {
  const bySize = values.map((value, i) => ({ value, size: sizes[i]! })).sort((one, other) => one.size - other.size);
  let sum = 0;
  const rare = bySize.filter(({ size }) => (sum += size) <= rareUpTo);
  const alone = bySize.slice(rare.length).map(({ value }) => ({ [field]: value }));
  return rare.length > 0 ? [...alone, { [field]: { $in: rare.map(({ value }) => value) } }] : alone;
}

const sizeOf = ({ lead }: Condition) => lead?.size ?? Infinity;

const scopeOf = (base: object, conditions: readonly Condition[]) =>
  JSON.stringify([base, conditions.map(({ filter }) => filter)], (_, value: unknown) => (value instanceof RegExp ? value.source : value));

/** The lead comes first: some engines use the first condition on an index and check the others. */
const filterOf = (base: object, conditions: readonly Condition[]) => ({
  ...base,
  ...(conditions.length > 0 && { $and: conditions.map(({ filter }) => filter) }),
});
