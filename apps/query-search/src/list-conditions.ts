import type { Principal, Priority, Sort, Status, TicketFilters } from '#contracts';
import { isOfDueOnes } from './list-order.js';
import { shapeWithWork } from './shape.js';
import { assigneeKey, isWorkedOn, key, sightKeys } from './ticket-keys.js';
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
  /** Whether another condition says the same: it only bounds the index of a list's order. */
  isImplied?: boolean;
  lead?: {
    index: 'byKey' | 'byWord' | 'byPriority' | 'byDeadlineState';
    /** One value: its index has the tickets in order of creation. Several would have to be sorted. */
    isSingle: boolean;
    /** How many tickets it leads to: counted up to 10,000, and guessed beyond that. */
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

type LeadIndex = NonNullable<Condition['lead']>['index'];

/** Values of which a field has any. */
export interface AnyOf {
  field: 'tokens' | 'keys' | 'priority' | 'deadlineStates';
  values: readonly (string | number)[];
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

/**
 * Everything a list, a count or a page is filtered by: what the principal may see, and what was asked for.
 * @param shape of the views, where it is known: those of an older one are asked for less at once
 */
export function conditionsOf(principal: Principal, filters: ListFilters, shape = 0): Condition[] {
  const asked = keysAsked(principal, filters);
  const { priority, ...keys } = shape < shapeWithWork ? asked : withWork(asked);
  const implied = priority === filters.priority ? [] : priorityConditions(filters).map(({ filter }) => ({ filter, isImplied: true }));
  return [...anyOfEach(keys, inViews), ...rangeConditions({ ...filters, priority }), ...implied];
}

/** Up to so many values are looked up one by one. */
export const mostWays = 32;

/** Where the keys of tickets are looked up. */
interface KeyPlace {
  field: 'keys' | 'tokens';
  index: LeadIndex;
  /** A key as it stands there. */
  as: (key: string) => string;
}
const inViews: KeyPlace = { field: 'keys', index: 'byKey', as: (one) => one };

/** Keys that are asked for: of each list a ticket needs one. */
interface KeysAsked {
  requester: readonly string[] | undefined;
  tag: readonly string[] | undefined;
  assignee: readonly string[] | undefined;
  assistant: readonly string[] | undefined;
  sight: readonly string[] | undefined;
  status: readonly Status[] | undefined;
  priority: Priority[] | undefined;
  work?: readonly string[];
}

const keysAsked = (principal: Principal, { status, assignee, assistantId, tag, requester, priority }: ListFilters): KeysAsked => ({
  requester: requester?.flatMap((one) => (one.includes('@') ? [key.requester(one), key.email(one)] : [key.requester(one)])),
  tag: tag?.map(key.tag),
  assignee: assignee?.map((one) => assigneeKey(one, principal)),
  assistant: assistantId?.map(key.assistant),
  sight: sightKeys(principal) ?? undefined,
  status,
  priority,
});

/** Whose tickets, or how urgent ones, in which status, as one list, where it is short and no ticket is without such keys. */
function withWork(asked: KeysAsked): KeysAsked {
  const { status } = asked;
  const other = (['assistant', 'assignee', 'sight', 'priority'] as const).find((one) => asked[one] !== undefined);
  if (!status?.every(isWorkedOn) || other === undefined) return asked;
  const keys = other === 'priority' ? asked.priority!.map(key.priority) : asked[other]!;
  if (status.length * keys.length > mostWays) return asked;
  return { ...asked, [other]: undefined, status: undefined, work: status.flatMap((one) => keys.map((name) => key.inStatus(one, name))) };
}

function anyOfEach({ status, ...others }: Omit<KeysAsked, 'priority'>, { field, index, as }: KeyPlace): Condition[] {
  return [...Object.values(others), status?.map(key.status)].flatMap((keys) => anyOf({ field, values: keys?.map(as) }, index));
}

/** Conditions on whom a ticket concerns, with what the principal may see. */
export function keyConditions(principal: Principal, filters: ListFilters, place = inViews): Condition[] {
  const { priority: _priority, ...keys } = keysAsked(principal, filters);
  return anyOfEach(keys, place);
}

/** A condition that a field has one of these values; none when there is nothing to ask for. */
export function anyOf({ field, values }: { field: AnyOf['field']; values: readonly (string | number)[] | undefined }, index: LeadIndex): Condition[] {
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
    ...priorityConditions({ priority }),
    ...rangeOf('createdAt', createdFrom, createdTo),
    ...rangeOf('updatedAt', updatedFrom, updatedTo),
  ];
}

const priorityConditions = ({ priority }: ListFilters) => anyOf({ field: 'priority', values: priority?.map(priorityRank) }, 'byPriority');

/** From inclusive, to exclusive; ISO instants. */
export function rangeOf(field: string, from?: string, to?: string): Condition[] {
  if (from === undefined && to === undefined) return [];
  const [start, end] = [from === undefined ? [] : [new Date(from)], to === undefined ? [] : [new Date(to)]];
  const range = { ...start.map(($gte) => ({ $gte }))[0], ...end.map(($lt) => ({ $lt }))[0] };
  const outside = [...start.map(($lt) => ({ [field]: { $lt } })), ...end.map(($gte) => ({ [field]: { $gte } }))];
  return [{ filter: { [field]: range }, ...(field === 'createdAt' && { checked: { $nor: outside }, isSpan: true }) }];
}
