import { lacks } from '#domain';
import type { Principal, TicketFilters } from '#contracts';
import { keyConditions, rangeOf, type Condition } from '../list-plan.js';
import { beginsWith, type Asked } from './words.js';

/** In how many tickets of the organisation something is said, as far as that was counted. */
export interface Commonness {
  /** Of each word. */
  words: readonly number[];
  /** Of the beginning. */
  prefix: number;
}

/** Up to so many tickets, those that begin alike are sorted in a few ms; from so many on, the newest tickets hold enough of them. */
export const [rareBeginning, commonBeginning] = [500, 10_000];

/** Filters that entries know, and whether there are others, which only views do. */
export function divided({ status, priority, updatedFrom, updatedTo, ...early }: Omit<TicketFilters, 'q'>) {
  return { early, isLate: [status, priority, updatedFrom, updatedTo].some((value) => value !== undefined) };
}

/** Words asked for, and how common they are. */
export interface Weighed extends Asked {
  commonness: Commonness;
}

/** Everything that entries are asked for. The rarest of the words leads, or the beginning where that is rarer and rare. */
export const entryConditions = (principal: Principal, filters: Omit<TicketFilters, 'q'>, search: Weighed): Condition[] => [
  ...wordConditions(principal, search),
  ...keyConditions(principal, divided(filters).early),
  ...rangeOf('createdAt', filters.createdFrom, filters.createdTo),
];

/** Every word must match, the last one as a prefix. Who may not read notes is asked about the words outside them, where notes say more. */
function wordConditions(principal: Principal, { words, prefix, commonness }: Weighed): Condition[] {
  const rarest = words[commonness.words.indexOf(Math.min(...commonness.words))];
  const others = words.filter((word) => word !== rarest);
  const begins = beginsWith(prefix);
  const isRare = commonness.prefix <= rareBeginning;
  const isLedByPrefix = rarest === undefined ? commonness.prefix < commonBeginning : isRare && commonness.prefix < Math.min(...commonness.words);
  const lead = { index: 'byWord', rank: 2 } as const;
  const conditions: Condition[] = [
    ...(rarest === undefined ? [] : [{ filter: { tokens: rarest }, ...(!isLedByPrefix && { lead: { ...lead, isSingle: true } }) }]),
    ...(others.length > 0 ? [{ filter: { tokens: { $all: others } } }] : []),
    { filter: { tokens: begins }, ...(isLedByPrefix && { lead: { ...lead, isSingle: false, isRare } }) },
  ];
  return lacks(principal, 'read-notes') === null ? conditions : [...conditions, { filter: outsideNotes(words, begins) }];
}

const outsideNotes = (words: readonly string[], begins: RegExp) => ({
  $or: [{ open: { $exists: false } }, { $and: [...(words.length > 0 ? [{ open: { $all: words } }] : []), { open: begins }] }],
});
