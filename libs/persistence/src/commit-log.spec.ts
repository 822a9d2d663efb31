import { InMemoryCommitLog } from '../testing/in-memory-commit-log.js';
import { commitLogSuite } from '../testing/commit-log.suite.js';

commitLogSuite('in memory', async () => {
  const log = new InMemoryCommitLog();
  return { log, other: new InMemoryCommitLog({ stored: log.stored }), close: () => Promise.resolve() };
});
