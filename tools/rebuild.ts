/** Builds query-search's read model anew, by its own program: `npm run query:rebuild`. Servers are those of the environment, else of the running `npm start`. */
import { pathToFileURL } from 'node:url';
import { built, dataDir } from './places.js';
import { readRun } from './start/run-file.js';

const { env } = process;
if (!env['KAFKA_BROKERS'] || !env['MONGODB_URI']) {
  const run = readRun(dataDir);
  if (!run) {
    process.stderr.write('Deskstream is not running here: start it with "npm start" in another terminal, or set KAFKA_BROKERS and MONGODB_URI.\n');
    process.exit(1);
  }
  Object.assign(env, { KAFKA_BROKERS: run.kafkaBrokers, MONGODB_URI: run.mongodbUri });
}
const program = built('apps/query-search/rebuild.js');
process.argv[1] = program;
await import(pathToFileURL(program).href); // this process becomes it: signals and the terminal are its own
