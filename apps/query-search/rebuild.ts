/** Builds the read model anew beside the live one and switches to it: `npm run query:rebuild`, or `node dist/apps/query-search/rebuild.js` with the service's environment. */
import { Logger } from '@nestjs/common';
import { Command } from 'commander';
import { z } from 'zod';
import { Backlog } from '#messaging';
import { commonConfig, Progress, readConfig } from '#observability';
import { openDatabase } from '#persistence';
import { Board } from './src/generations/board.store.js';
import { LateLetters, letterboxAt } from './src/generations/late-letters.js';
import { feedsFrom } from './src/generations/read-model.js';
import { Rebuild } from './src/generations/rebuild.js';
import { FeedNews } from './src/feed/feed-news.js';
import { FeedStore } from './src/feed/feed.store.js';
import { ListCursors } from './src/list-cursor.js';
import { databaseName } from './src/query-search.module.js';

const { KAFKA_BROKERS, MONGODB_URI, keepOld, restart } = {
  ...new Command('npm run query:rebuild --')
    .description('Builds the read model anew from all events, beside the live one, and switches to it when it has caught up. Stopped, it goes on where it was when it runs again.')
    .option('--restart', 'begin anew instead of going on with what was stopped', false)
    .option('--keep-old', 'leave the collections and groups of what was live until the next rebuild', false)
    .parse()
    .opts<{ restart: boolean; keepOld: boolean }>(),
  ...readConfig(z.object({ KAFKA_BROKERS: commonConfig.KAFKA_BROKERS, MONGODB_URI: commonConfig.MONGODB_URI })),
};

Logger.overrideLogger(false); // what goes wrong is told on the line of progress, or below

const progress = new Progress();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
process.on('disconnect', () => stop.abort()); // the service that has started it is gone
for (const output of [process.stdout, process.stderr]) output.on('error', () => {}); // a reader that went away is no reason to stop

let code = 1;
try {
  code = await run();
} catch (error) {
  progress.say(`query:rebuild: ${error instanceof Error ? error.message : String(error)}`);
}
process.exit(code); // a consumer that was stopped in the middle of joining has timers left

async function run(): Promise<number> {
  const backlog = await Backlog.open(KAFKA_BROKERS);
  const store = openDatabase({ uri: MONGODB_URI, database: databaseName, poolSize: 12 });
  const board = new Board(store);
  const letters = await LateLetters.behind((await board.course()).live, { backlog, open: () => letterboxAt(KAFKA_BROKERS) });
  try {
    const feed = new FeedStore(store);
    const around = { store, feed, news: new FeedNews(feed), cursors: new ListCursors('nobody reads here') };
    const feeds = feedsFrom(KAFKA_BROKERS, store, { deadLetters: letters, onFatal: (error) => (progress.say(String(error)), process.exit(1)) });
    const isDone = await new Rebuild({ board, around, feeds, backlog, progress, signal: stop.signal, restart, keepOld }).run();
    if (!isDone) progress.say('Stopped. The same command goes on where it was; with --restart it begins anew.');
    return isDone ? 0 : 130;
  } finally {
    await Promise.all([letters.close(), backlog.close(), store.close()]);
  }
}
