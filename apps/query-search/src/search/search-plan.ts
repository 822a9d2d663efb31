import { lacks } from '#domain';
import type { Principal } from '#contracts';
import { anyOf, conditionsOf, keyConditions, rangeOf, viewBase, type Condition, type ListFilters } from '../list-conditions.js';
import { queryOf } from '../list-plan.js';
import { keyToken } from './search-entry.projection.js';
import type { Question } from './search.port.js';
import { beginsWith, type Asked } from './words.js';

/** Filters that entries know, and whether there are others, which only views do. */
export function divided({ status, priority, deadline, isDue, updatedFrom, updatedTo, ...early }: ListFilters) {
  return { early, isLate: [status, priority, deadline, isDue, updatedFrom, updatedTo].some((value) => value !== undefined) };
}

/** A deleted ticket has an entry without tokens: nothing finds it. */
export const entryBase = ({ orgId }: Principal) => ({ orgId });

/** The same for whoever is told the same. Who may not read notes is asked about other words than who may. */
export function nameOf({ principal, filters }: Question, search: Asked): string {
  const entries = queryOf({ base: entryBase(principal), sort: '-createdAt', conditions: entryConditions(principal, filters, search) });
  const views = queryOf({ base: viewBase(principal), sort: '-createdAt', conditions: conditionsOf(principal, filters) });
  return JSON.stringify([entries.scope, views.scope]);
}

/** Everything that entries are asked for. */
export const entryConditions = (principal: Principal, filters: ListFilters, search: Asked): Condition[] => [
  ...wordConditions(principal, search),
  ...keyConditions(principal, divided(filters).early, { field: 'tokens', index: 'byWord', as: keyToken }),
  ...rangeOf('createdAt', filters.createdFrom, filters.createdTo),
];

/** The same of entries without keys, which an older version has stored: views tell whom a ticket concerns. */
export const keylessConditions = (principal: Principal, { createdFrom, createdTo }: ListFilters, search: Asked): Condition[] => [
  ...wordConditions(principal, search),
  ...rangeOf('createdAt', createdFrom, createdTo),
];

/** Words that may lead a search: those with the most letters, which tend to be the rarest. */
const mostLeading = 4;

/** Every word must match, the last one as a prefix. Who may not read notes is asked about the words outside them, where notes say more. */
export function wordConditions(principal: Principal, { words, prefix, beginnings, common }: Asked): Condition[] {
  const byLength = [...words].sort((one, other) => other.length - one.length);
  const [leading, others] = [byLength.slice(0, mostLeading), byLength.slice(mostLeading)];
  const begins = beginsWith(prefix);
  const conditions: Condition[] = [
    ...leading.flatMap((word) => anyWord([word])),
    ...(others.length > 0 ? [{ filter: { $nor: others.map((word) => ({ tokens: { $ne: word } })) } }] : []),
    ...(beginnings ? anyWord(beginnings) : [{ filter: { tokens: begins }, checked: { $nor: [{ tokens: { $not: begins } }] }, lead: { index: 'byWord' as const, isSingle: false, ...(common && commonLead(prefix, common)) } }]),
  ];
  return lacks(principal, 'read-notes') === null ? conditions : [...conditions, { filter: outsideNotes(words, begins) }];
}

const anyWord = (values: readonly string[]) => anyOf({ field: 'tokens', values }, 'byWord');

/** Very many tickets: nobody needs to count how many to know that anything else leads rather. */
function commonLead(prefix: string, { frequent, isMost }: NonNullable<Asked['common']>) {
  if (isNumber(prefix)) return { size: Infinity, common: { isMost: false }, some: { tokens: beginsWith(`#${prefix}`) } };
  return { size: Infinity, common: { isMost }, ...(frequent !== undefined && { some: { tokens: frequent } }) };
}

/**
 * Tickets are found by their numbers, each also by one with its sign: those are far fewer entries than all that begins with the same digits. Where they are not enough,
 * the organisation is small enough to gather the others.
 */
const isNumber = (prefix: string) => /^\p{Nd}+$/u.test(prefix);

const outsideNotes = (words: readonly string[], begins: RegExp) => ({
  $or: [{ open: { $exists: false } }, { $and: [...(words.length > 0 ? [{ open: { $all: words } }] : []), { open: begins }] }],
});
