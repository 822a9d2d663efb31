import { built, demoDirectory } from '../places.js';
import { runUntilStopped } from '../start/command.js';
import { NotReady } from '../start/crew.js';
import { Terminal } from '../start/terminal.js';

/** `npm start` with tiny apps in place of the services and no servers: `node tiny-run.js <data folder>`. */
const tiny = [built('tools/testing/tiny-app.js')];

process.exit(
  await runUntilStopped(
    {
      dataDir: process.argv[2]!,
      gatewayPort: Number(process.env['PORT']),
      directoryFile: demoDirectory,
      programs: { gateway: tiny, 'ticket-command': tiny, 'query-search': tiny, 'assignment-notification': tiny, issuer: [built('tools/issuer/main.js')], mailbox: [built('tools/mailbox/main.js')] },
      openServers: async () => ({
        kafkaBrokers: '127.0.0.1:9',
        mongodbUri: 'mongodb://127.0.0.1:9/',
        servers: { kafka: { pids: [], kind: 'named' }, mongodb: { pids: [], kind: 'named' } },
        stop: async () => {},
      }),
      ensureTopics: async () => {},
      terminal: new Terminal(),
    },
    (error) => error instanceof NotReady,
  ),
);
