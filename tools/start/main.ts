import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { openServers, ServersUnavailable } from '#servers';
import { built, dataDir as usualDataDir, demoDirectory } from '../places.js';
import { type AppName, appNames, entryOf, memoryLimits } from '../processes/apps.js';
import { makeTopics } from '../processes/local-topics.js';
import { runUntilStopped } from './command.js';
import { NotReady } from './crew.js';
import { makeDemoTickets } from './demo-tickets.js';
import type { SupervisorParts } from './supervisor.js';
import { Terminal } from './terminal.js';

/** Tests give each run a folder of its own. */
const dataDir = resolve(parseArgs({ options: { 'data-dir': { type: 'string', default: usualDataDir } } }).values['data-dir']);

// What the Kafka client thinks of a broker that is just coming up is of no use here.
Logger.overrideLogger(false);

const terminal = new Terminal();
const programs = Object.fromEntries(appNames.map((app) => [app, [...memoryLimits, entryOf(app)]])) as Record<AppName, string[]>;

const parts: SupervisorParts = {
  dataDir,
  gatewayPort: gatewayPort(process.env['PORT']),
  directoryFile: demoDirectory,
  programs: { ...programs, issuer: [built('tools/issuer/main.js')] },
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
  terminal,
};

// Nothing may keep a stopped run alive, such as a server that was still being installed.
process.exit(await runUntilStopped(parts, (error) => error instanceof ServersUnavailable || error instanceof NotReady));

function gatewayPort(text = '3000'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  console.error(`PORT is ${JSON.stringify(text)}, which is no port number.`);
  process.exit(1);
}
