import { parseArgs } from 'node:util';
import { openServers, ServersUnavailable } from '#servers';

/**
 * Kafka and MongoDB alone: `node dist/tools/servers.js --data <folder> [--small]`. Prints one line of JSON, `{"kafkaBrokers","mongodbUri"}`,
 * when both are ready, tells its progress on stderr, and runs until SIGINT or SIGTERM.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string', default: '.deskstream/servers' }, small: { type: 'boolean' } } });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const tell = (text: string) => void process.stderr.write(`${text}\n`);
  const running = await openServers({
    dataDir: values.data,
    memory: values.small ? 'small' : 'normal',
    progress: ({ part, text }) => tell(`${part}: ${text}`),
    onDeath: ({ server, text, lastWords }) => tell([`${server}: ${text}`, ...lastWords].join('\n  ')),
    signal: stop.signal,
  });
  process.stdout.write(`${JSON.stringify({ kafkaBrokers: running.kafkaBrokers, mongodbUri: running.mongodbUri })}\n`);
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await running.stop();
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ServersUnavailable)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
