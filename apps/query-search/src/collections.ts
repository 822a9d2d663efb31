import { suffixOf } from '#messaging';
import { guarded, type Database } from '#persistence';

/** Indexes of the views. Every list starts at the organisation; each index costs the projection, so there are few. */
const viewIndexes = {
  byCreation: { orgId: 1, deleted: 1, createdAt: -1, _id: -1 },
  /** Status, assistant, assignee, creator, requester, tag: see `ticket-keys.ts`. */
  byKey: { orgId: 1, deleted: 1, keys: 1, createdAt: -1, _id: -1 },
  byUpdate: { orgId: 1, deleted: 1, updatedAt: -1, _id: -1 },
  byPriority: { orgId: 1, deleted: 1, priority: -1, createdAt: -1, _id: -1 },
  /** Lowest first, still the newest of each first: not the other one read backwards. */
  byLowPriority: { orgId: 1, deleted: 1, priority: 1, createdAt: -1, _id: 1 },
  byNumber: { orgId: 1, number: 1, _id: 1 },
} as const;

/** Of the views of tickets of which something is due: others have no part in them, and cost nothing. */
const deadlineIndexes = {
  byDeadline: { orgId: 1, deleted: 1, dueAt: 1, _id: 1 },
  byDeadlineState: { orgId: 1, deleted: 1, deadlineStates: 1, createdAt: -1, _id: -1 },
} as const;
/** Fields that documents must have to be in an index. */
const partial: Readonly<Record<string, string>> = { byDeadline: 'dueAt', byDeadlineState: 'deadlineStates' };

/** Indexes of the search entries. Creation never changes, so entries are only written again when what they are found by does. */
const searchIndexes = {
  byCreation: { orgId: 1, createdAt: -1, _id: -1 },
  byKey: { orgId: 1, keys: 1, createdAt: -1, _id: -1 },
  byWord: { orgId: 1, tokens: 1, createdAt: -1, _id: -1 },
} as const;

/** Of the cells of statistics: all scopes of some periods, or several of them. One scope is found by `_id`. */
const cellIndexes = { byPeriodAndScope: { orgId: 1, isPerson: 1, period: 1, scope: 1 } } as const;
/** Of the days that are to be counted again: the one that waits longest first. */
const markIndexes = { byAge: { at: 1 } } as const;

/** An index that a query names as its hint: left to itself, some engines take the wrong one. */
export type IndexName = keyof typeof viewIndexes | keyof typeof deadlineIndexes | keyof typeof searchIndexes;

const plain = { views: 'tickets', timeline: 'timeline', search: 'search', words: 'words', statsDays: 'stats_days', statsMonths: 'stats_months', statsMarks: 'stats_marks' } as const;

/** Names of the collections of one generation of the read model. */
export type Collections = Readonly<Record<keyof typeof plain, string>>;

/** The first generation has the plain names. */
export const collectionsOf = (generation: number): Collections =>
  Object.fromEntries(Object.entries(plain).map(([part, name]) => [part, `${name}${suffixOf(generation)}`])) as Collections;

/**
 * Makes the collections' indexes, before there is data where possible; safe to repeat. Timelines and the vocabulary need none beyond `_id`.
 * @throws StoreFault when the store cannot be reached
 */
export async function prepareViews({ db }: Pick<Database, 'db'>, collections: Collections): Promise<void> {
  const make = (collection: string, indexes: Record<string, Record<string, 1 | -1>>) =>
    guarded(() => db.collection(collection).createIndexes(Object.entries(indexes).map(([name, key]) => ({ name, key: { ...key }, ...(partial[name] && { partialFilterExpression: { [partial[name]]: { $exists: true } } }) }))));
  await make(collections.views, { ...viewIndexes, ...deadlineIndexes });
  await make(collections.search, searchIndexes);
  await make(collections.statsDays, cellIndexes);
  await make(collections.statsMonths, cellIndexes);
  await make(collections.statsMarks, markIndexes);
}

/** Deletes what a generation has; safe to repeat. @throws StoreFault */
export async function dropViews({ db }: Pick<Database, 'db'>, collections: Collections): Promise<void> {
  const there = new Set((await guarded(() => db.listCollections({}, { nameOnly: true }).toArray())).map(({ name }) => name));
  for (const name of Object.values(collections)) if (there.has(name)) await guarded(() => db.collection(name).drop());
}
