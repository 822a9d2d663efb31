import { lacks } from '#domain';
import type { Principal } from '#contracts';
import { conditionsOf, keyConditions, queryOf, rangeOf, viewBase, type Condition, type ListFilters } from '../list-plan.js';
import type { Question } from './search.port.js';
import { beginsWith, type Asked } from './words.js';

/** Filters that entries know, and whether there are others, which only views do. */
export function divided({ status, priority, deadline, isDue, updatedFrom, updatedTo, ...early }: ListFilters) {
  return { early, isLate: [status, priority, deadline, isDue, updatedFrom, updatedTo].some((value) => value !== undefined) };
}

/** A deleted ticket has an entry without words and keys: nothing finds it. */
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
  ...keyConditions(principal, divided(filters).early),
  ...rangeOf('createdAt', filters.createdFrom, filters.createdTo),
];

/** Words that may lead a search: those with the most letters, which tend to be the rarest. */
const mostLeading = 4;

/** Every word must match, the last one as a prefix. Who may not read notes is asked about the words outside them, where notes say more. */
export function wordConditions(principal: Principal, { words, prefix, beginnings, common }: Asked): Condition[] {
  const byLength = [...words].sort((one, other) => other.length - one.length);
  const [leading, others] = [byLength.slice(0, mostLeading), byLength.slice(mostLeading)];
  const begins = beginsWith(prefix);
  const conditions: Condition[] = [
    ...leading.map((word) => ({ filter: { tokens: word }, lead: { index: 'byWord' as const, isSingle: true } })),
    ...(others.length > 0 ? [{ filter: { tokens: { $all: others } } }] : []),
    beginnings ? anyWord(beginnings) : { filter: { tokens: begins }, lead: { index: 'byWord', isSingle: false, ...(common && commonLead(common)) } },
  ];
  return lacks(principal, 'read-notes') === null ? conditions : [...conditions, { filter: outsideNotes(words, begins) }];
}

function anyWord(values: readonly string[]): Condition {
  if (values.length === 1) return { filter: { tokens: values[0] }, lead: { index: 'byWord', isSingle: true } };
  return { filter: { tokens: { $in: values } }, lead: { index: 'byWord', isSingle: false, anyOf: { field: 'tokens', values } } };
}

/** Very many tickets: nobody needs to count how many to know that anything else leads rather. */
const commonLead = ({ frequent, isMost }: NonNullable<Asked['common']>) => ({
  size: Infinity,
  common: { isMost },
  ...(frequent !== undefined && { some: { tokens: frequent } }),
});

const outsideNotes = (words: readonly string[], begins: RegExp) => ({
  $or: [{ open: { $exists: false } }, { $and: [...(words.length > 0 ? [{ open: { $all: words } }] : []), { open: begins }] }],
});
