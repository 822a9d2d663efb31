import type { Principal, Sort, TicketFilters } from '#contracts';
import type { IndexName } from './collections.js';
import { isOfDueOnes, orders } from './list-order.js';
import { assigneeKey, key, sightKeys } from './ticket-keys.js';
import { priorityRank } from './ticket-view.projection.js';

/** A part of a filter. One with an index may lead a query: it alone then decides how many tickets are looked at. */
export interface Condition {
  filter: object;
  /**
   * The same in a form that is no bound of an index, for where it only checks what another condition leads to. Some engines make every index entry of a
   * document anew to check a bound; with bounds on the time of creation they lose the order of an index over lists.
   */
  checked?: object;
  /** Whether it begins or ends in the middle of the order of creation. */
  isSpan?: boolean;
  lead?: {
    index: 'byKey' | 'byWord' | 'byPriority' | 'byDeadlineState';
    /** One value: its index has the tickets in order of creation. Several would have to be sorted. */
    isSingle: boolean;
    /** How many tickets it leads to, as far as that was counted. */
    size?: number;
    /** Where they are more than anybody counts: how far back the newest of them reach, ms. The further, the rarer. */
    reach?: number | undefined;
    /** The values of which it asks for any, where they are few enough to be looked up one by one. */
    anyOf?: AnyOf;
    /** Filters that together say the same, each for tickets in order of creation or for rare ones. */
    ways?: readonly object[];
    /** A filter of one value for very many of its tickets, though not for all. */
    some?: object;
    /** Of one that very many tickets meet, however many: whether most do. */
    common?: { isMost: boolean };
  };
}

/** Values of which a field has any. */
export interface AnyOf {
  field: 'tokens' | 'keys' | 'priority' | 'deadlineStates';
  values: readonly (string | number)[];
}

/** One way to run a query. */
export interface Plan {
  filter: object;
  hint: IndexName;
}

/** What holds for every ticket that lists show. */
export const viewBase = ({ orgId }: Principal) => ({ orgId, deleted: false });

/** What a list or a count is filtered by, but for words. */
export interface ListFilters extends Omit<TicketFilters, 'q'> {
  /** Only tickets of which something is due: those that have a place in an order by deadlines. */
  isDue?: true | undefined;
}

/** What an order leaves out. */
export const dueIn = (sort: Sort): Pick<ListFilters, 'isDue'> => (isOfDueOnes(sort) ? { isDue: true } : {});

/** Everything a list, a count or a page is filtered by: what the principal may see, and what was asked for. */
export const conditionsOf = (principal: Principal, filters: ListFilters): Condition[] => [
  ...keyConditions(principal, filters),
  ...rangeConditions(filters),
];

/** Up to so many values are looked up one by one. */
export const mostWays = 32;

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

/** Beyond what is counted, sizes say nothing; not counted at all is more than any. */
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
  const others = conditions.filter((other) => other !== leader).map((other) => ({ filter: (!isMet(other, leader, use) && other.checked) || other.filter }));
  // The first condition of a place is only there to bound an index.
  const place = (use === 'ordered' ? from.slice(1) : from).map((one) => ({ filter: one }));
  return filterOf(base, [{ filter }, ...others, ...place]);
}

/** So many entries of an index are passed over while a document that it leads to is checked: one of many words, or of some keys. */
const entriesADocument = { byWord: 20, byKey: 5, byPriority: 5, byDeadlineState: 5 };
/** So many tickets are counted of a condition at most; there may be several times as many. */
export const mostCounted = 10_000;
const [manyMore, unknown] = [5, Infinity];

/** Whether the index that leads is to find what meets both conditions by itself. It passes over all entries of both for that, and comes in no order. */
function isMet(other: Condition, leader: Leader, use: Use): boolean {
  if (use === 'ordered') return false;
  if (!other.lead) return true;
  if (use === 'sorted') return false;
  const { size = unknown } = other.lead;
  return other.lead.index === leader.lead.index && (size < mostCounted ? size : manyMore * size) <= entriesADocument[other.lead.index] * sizeOf(leader);
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

/** Where the keys of tickets are looked up. */
interface KeyPlace {
  field: 'keys' | 'tokens';
  index: Leader['lead']['index'];
  /** A key as it stands there. */
  as: (key: string) => string;
}
const inViews: KeyPlace = { field: 'keys', index: 'byKey', as: (one) => one };

/** Conditions on whom a ticket concerns, with what the principal may see. */
export function keyConditions(principal: Principal, { status, assignee, assistantId, tag, requester }: ListFilters, place = inViews): Condition[] {
  const anyKey = (keys: readonly string[] | undefined) => anyOf({ field: place.field, values: keys?.map(place.as) }, place.index);
  const people = requester?.flatMap((one) => (one.includes('@') ? [key.requester(one), key.email(one)] : [key.requester(one)]));
  return [
    ...anyKey(people),
    ...anyKey(tag?.map(key.tag)),
    ...anyKey(assignee?.map((one) => assigneeKey(one, principal))),
    ...anyKey(assistantId?.map(key.assistant)),
    ...anyKey(sightKeys(principal) ?? undefined),
    ...anyKey(status?.map(key.status)),
  ];
}

/** A condition that a field has one of these values; none when there is nothing to ask for. */
export function anyOf({ field, values }: { field: AnyOf['field']; values: readonly (string | number)[] | undefined }, index: Leader['lead']['index']): Condition[] {
  if (values === undefined) return [];
  const distinct = [...new Set(values)];
  const checked = { $nor: [{ [field]: { $nin: distinct } }] };
  if (distinct.length === 1) return [{ filter: { [field]: distinct[0] }, checked, lead: { index, isSingle: true } }];
  const isDivided = distinct.length > 0 && distinct.length <= mostWays;
  return [{ filter: { [field]: { $in: distinct } }, checked, lead: { index, isSingle: false, ...(isDivided && { anyOf: { field, values: distinct } }) } }];
}

function rangeConditions({ priority, deadline, isDue, createdFrom, createdTo, updatedFrom, updatedTo }: ListFilters): Condition[] {
  return [
    ...anyOf({ field: 'deadlineStates', values: deadline }, 'byDeadlineState'),
    ...(isDue ? [{ filter: { dueAt: { $exists: true } } }] : []),
    ...anyOf({ field: 'priority', values: priority?.map(priorityRank) }, 'byPriority'),
    ...rangeOf('createdAt', createdFrom, createdTo),
    ...rangeOf('updatedAt', updatedFrom, updatedTo),
  ];
}

/** From inclusive, to exclusive; ISO instants. */
export function rangeOf(field: string, from?: string, to?: string): Condition[] {
  if (from === undefined && to === undefined) return [];
  const [start, end] = [from === undefined ? [] : [new Date(from)], to === undefined ? [] : [new Date(to)]];
  const range = { ...start.map(($gte) => ({ $gte }))[0], ...end.map(($lt) => ({ $lt }))[0] };
  const outside = [...start.map(($lt) => ({ [field]: { $lt } })), ...end.map(($gte) => ({ [field]: { $gte } }))];
  return [{ filter: { [field]: range }, ...(field === 'createdAt' && { checked: { $nor: outside }, isSpan: true }) }];
}
