import { lacks } from '#domain';
import type { Principal, TicketFilters } from '#contracts';
import { keyConditions, rangeOf, type Condition } from '../list-plan.js';
import { beginsWith, type Asked } from './words.js';

/** How many tickets a beginning leads to: so few that sorting them costs nothing, so many that they are met soon anywhere, or in between. */
export type Commonness = 'rare' | 'middling' | 'common';

/** Filters that entries know, and those that only views do. */
export function divided({ status, priority, updatedFrom, updatedTo, ...early }: Omit<TicketFilters, 'q'>) {
  const late = { status, priority, updatedFrom, updatedTo };
  return { early, late, isLate: Object.values(late).some((value) => value !== undefined) };
}

/** A search as it is run. */
export interface Looked extends Asked {
  /** The rarest first: one of them leads the query. */
  words: string[];
  /** Of the beginning, where no whole word leads. */
  commonness: Commonness;
}

/** Everything that entries are asked for. */
export const entryConditions = (principal: Principal, filters: Omit<TicketFilters, 'q'>, search: Looked): Condition[] => [
  ...wordConditions(principal, search),
  ...keyConditions(principal, divided(filters).early),
  ...rangeOf('createdAt', filters.createdFrom, filters.createdTo),
];

/** Every word must match, the last one as a prefix. Who may not read notes is asked about the words outside them, where notes say more. */
function wordConditions(principal: Principal, { words, prefix, commonness }: Looked): Condition[] {
  const [rarest, ...others] = words;
  const begins = beginsWith(prefix);
  const lead = { index: 'byWord', rank: 2 } as const;
  const leads = rarest === undefined && commonness !== 'common' && { lead: { ...lead, isSingle: false, isRare: commonness === 'rare' } };
  const conditions: Condition[] = [
    ...(rarest === undefined ? [] : [{ filter: { tokens: rarest }, lead: { ...lead, isSingle: true } }]),
    ...(others.length > 0 ? [{ filter: { tokens: { $all: others } } }] : []),
    { filter: { tokens: begins }, ...leads },
  ];
  return lacks(principal, 'read-notes') === null ? conditions : [...conditions, { filter: outsideNotes(words, begins) }];
}

const outsideNotes = (words: readonly string[], begins: RegExp) => ({
  $or: [{ open: { $exists: false } }, { $and: [...(words.length > 0 ? [{ open: { $all: words } }] : []), { open: begins }] }],
});
