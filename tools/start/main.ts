import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { openServers, ServersUnavailable } from '#servers';
import { built, dataDir as usualDataDir, demoDirectory, demoProducers, rootDir } from '../places.js';
import { type AppName, appNames, entryOf, memoryLimits } from '../processes/apps.js';
import { makeTopics } from '../processes/local-topics.js';
import { runUntilStopped } from './command.js';
import { NotReady } from './crew.js';
import { makeDemoTickets } from './demo-tickets.js';
import { watchSources } from './rebuilds.js';
import type { SupervisorParts } from './supervisor.js';
import { Terminal } from './terminal.js';

const help = `npm start       brings everything up on this machine and keeps it running until Ctrl-C
npm run dev     the same; besides, sources are compiled as they change, and the services that a change touches are started again

PORT            the gateway's port (3000; the next free one is taken)
KAFKA_BROKERS, MONGODB_URI   servers to use instead of our own
SMTP_URL        a mail server to use instead of our own, which only shows mails
DEMO=none       no demo tickets
`;

const { values } = options();

/** Tests give each run a folder of its own. */
const dataDir = resolve(values['data-dir']);

// What the Kafka client thinks of a broker that is just coming up is of no use here.
Logger.overrideLogger(false);

const terminal = new Terminal();
const entries = { ...(Object.fromEntries(appNames.map((app) => [app, entryOf(app)])) as Record<AppName, string>), issuer: built('tools/issuer/main.js'), mailbox: built('tools/mailbox/main.js') };
const programs = Object.fromEntries(appNames.map((app) => [app, [...memoryLimits, entryOf(app)]])) as Record<AppName, string[]>;

const compiler = join(rootDir, 'node_modules', 'typescript', 'bin', 'tsc');

const parts: SupervisorParts = {
  dataDir,
  gatewayPort: gatewayPort(process.env['PORT']),
  directoryFile: demoDirectory,
  producersFile: demoProducers,
  programs: { ...programs, issuer: [entries.issuer], mailbox: [entries.mailbox] },
  openServers: (onChange, signal) =>
    openServers({
      dataDir,
      progress: ({ part, text }) => terminal.tell(part, text),
      onChange,
      signal,
      onDeath: ({ server, text, lastWords }) => {
        terminal.tell(server, text, 'error');
        terminal.detail(lastWords);
      },
    }),
  ensureTopics: makeTopics,
  ...(process.env['DEMO'] !== 'none' && { seed: (run) => makeDemoTickets(run.gateway, dataDir) }),
  ...(values.watch && { watch: (onTouched) => watchSources({ root: rootDir, compiler, entries, terminal, onTouched }) }),
  terminal,
};

// Nothing may keep a stopped run alive, such as a server that was still being installed.
process.exit(await runUntilStopped(parts, (error) => error instanceof ServersUnavailable || error instanceof NotReady));

function options() {
  try {
    const parsed = parseArgs({ options: { 'data-dir': { type: 'string', default: usualDataDir }, watch: { type: 'boolean' }, help: { type: 'boolean' } } });
    if (!parsed.values.help) return parsed;
    process.stdout.write(help);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(1);
  }
}

function gatewayPort(text = '3000'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  console.error(`PORT is ${JSON.stringify(text)}, which is no port number.`);
  process.exit(1);
}
