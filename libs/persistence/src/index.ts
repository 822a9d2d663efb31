export { commitKey, ticketKey, type Appended, type Commit, type CommitKey, type CommitLog, type Found, type Source } from './commit-log.js';
export { openDatabase, type Database } from './database.js';
export { guarded, isPassing, isTimeUp, StoreFault } from './fault.js';
export { insertEach, type Inserted } from './insert-each.js';
export { MongoCommitLog, prepareCommits } from './mongo-commit-log.js';
export { addMissing, duplicates, putNewer, type Put, type Versioned } from './newer-only.js';
export { NumberBlocks } from './number-blocks.js';
export { readOnce, type ShortQuestion } from './read-once.js';
