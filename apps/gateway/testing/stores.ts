import type { Database } from '#persistence';
import { DirectoryStore } from '../src/directory.store.js';

/** How long a store may take in specs that judge what it says, not how soon, ms: on a slow machine longer than a request waits for it. */
export const patience = 60_000;

export const storeOf = (database: Pick<Database, 'db'>) => new DirectoryStore(database, undefined, patience);
