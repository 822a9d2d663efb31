import type { Sort } from '#contracts';
import type { IndexName } from './collections.js';
import type { TicketView } from './ticket-view.projection.js';

/** Fields that lists are sorted by; the last one is always `_id`, so no two tickets are equal. */
export type SortField = 'createdAt' | 'updatedAt' | 'priority' | 'number' | 'dueAt' | '_id';
type Direction = 1 | -1;

interface Order {
  fields: readonly (readonly [SortField, Direction])[];
  /** The index that has the tickets of an organisation in this order. */
  index: IndexName;
  /** Whether an index of equal keys or words has its tickets in this order as well. */
  byCreation: boolean;
}

const descending = (field: SortField, index: IndexName): Order => ({ fields: [[field, -1], ['_id', -1]], index, byCreation: field === 'createdAt' });
const ascending = (field: SortField, index: IndexName): Order => ({ fields: [[field, 1], ['_id', 1]], index, byCreation: field === 'createdAt' });

/** The contract's sorts: equal priorities newest created first, then id in the sort's direction. */
export const orders: Record<Sort, Order> = {
  '-createdAt': descending('createdAt', 'byCreation'),
  createdAt: ascending('createdAt', 'byCreation'),
  '-updatedAt': descending('updatedAt', 'byUpdate'),
  updatedAt: ascending('updatedAt', 'byUpdate'),
  '-priority': { fields: [['priority', -1], ['createdAt', -1], ['_id', -1]], index: 'byPriority', byCreation: false },
  priority: { fields: [['priority', 1], ['createdAt', -1], ['_id', 1]], index: 'byLowPriority', byCreation: false },
  '-number': descending('number', 'byNumber'),
  number: ascending('number', 'byNumber'),
  '-deadline': descending('dueAt', 'byDeadline'),
  deadline: ascending('dueAt', 'byDeadline'),
};

/** Where a list goes on: the sorted fields of the last ticket told. Times are milliseconds since the epoch. */
export type Position = readonly (string | number)[];

/** Whether an order is one of tickets of which something is due: it has no others. */
export const isOfDueOnes = (sort: Sort) => orders[sort].index === 'byDeadline';

/** The place of a ticket in an order. */
export const positionOf = (sort: Sort, view: Pick<TicketView, SortField>): Position =>
  orders[sort].fields.map(([field]) => plain(view[field]!));

const plain = (value: string | number | Date) => (value instanceof Date ? value.getTime() : value);

/** Whether something is a position in this order: as many values as fields, each of its field's type. */
export const isPosition = (sort: Sort, value: unknown): value is Position =>
  Array.isArray(value) &&
  value.length === orders[sort].fields.length &&
  orders[sort].fields.every(([field], i) => (field === '_id' ? typeof value[i] === 'string' : Number.isSafeInteger(value[i])));

/** Negative when the first position comes before the second one in this order, positive when behind it. */
export function compare(sort: Sort, one: Position, other: Position): number {
  const at = one.findIndex((value, i) => value !== other[i]);
  if (at < 0) return 0;
  return one[at]! < other[at]! ? -orders[sort].fields[at]![1] : orders[sort].fields[at]![1];
}

/** Lists in this order as one, whatever is in several of them once. */
export function merged<T extends Pick<TicketView, SortField>>(sort: Sort, lists: readonly (readonly T[])[]): T[] {
  const byId = new Map(lists.flat().map((one) => [one._id, { one, position: positionOf(sort, one) }]));
  return [...byId.values()].sort((some, other) => compare(sort, some.position, other.position)).map(({ one }) => one);
}

/** What comes behind a position. The first condition says no more than the second; it is there to bound an index. */
export function behind(sort: Sort, position: Position): object[] {
  const fields = orders[sort].fields.map(([field, direction], i) => ({ field, direction, value: stored(field, position[i]!) }));
  const [first] = fields;
  const alternatives = fields.map(({ field, direction, value }, i) => ({
    ...Object.fromEntries(fields.slice(0, i).map((equal) => [equal.field, equal.value])),
    [field]: { [direction === 1 ? '$gt' : '$lt']: value },
  }));
  return [{ [first!.field]: { [first!.direction === 1 ? '$gte' : '$lte']: first!.value } }, { $or: alternatives }];
}

const stored = (field: SortField, value: string | number) => (field === 'createdAt' || field === 'updatedAt' || field === 'dueAt' ? new Date(value) : value);
