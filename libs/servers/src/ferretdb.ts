import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { go, run } from './machine.js';
import { mongodbAddress, mongodbAnswers } from './mongodb-answers.js';
import { installPostgresql, startPostgresql } from './postgresql.js';
import type { Server, Surroundings } from './server.js';
import { install } from './software.js';
import { serverOf, type Started, startOnFreePorts } from './started.js';

const version = '2.7.0';
/** It keeps little and passes much on: its garbage is collected when there is five times what it keeps, not twice. */
const collectAt = '400';

/** FerretDB, which speaks MongoDB's protocol and keeps everything in PostgreSQL with Microsoft's DocumentDB extension. */
export async function openFerretdb(around: Surroundings): Promise<Server> {
  const [root, binary] = await Promise.all([installPostgresql(around), installFerretdb(around)]);
  const postgresql = await startPostgresql(root, around);
  try {
    const ferretdb = await startFerretdb(binary, postgresql, around);
    around.say('mongodb', 'is ready');
    // FerretDB is stopped first: it would only report that its storage went away.
    return serverOf('local', mongodbAddress(ferretdb.ports[0] ?? 0), ferretdb, postgresql);
  } catch (error) {
    await postgresql.stop();
    throw error;
  }
}

async function installFerretdb(around: Surroundings): Promise<string> {
  const build = async (folder: string) => {
    const target = `github.com/FerretDB/FerretDB/v2/cmd/ferretdb@v${version}`;
    await run({ command: ['go', 'install', target], env: { ...process.env, GOBIN: folder }, cwd: folder }, around.signal);
    await chmod(folder, 0o755);
  };
  return join(await install({ name: 'ferretdb', version, tools: [go], proof: ['ferretdb'], build }, around), 'ferretdb');
}

async function startFerretdb(binary: string, postgresql: Started, around: Surroundings): Promise<Started> {
  const folder = join(around.dataDir, 'ferretdb');
  await mkdir(folder, { recursive: true });
  const storage = `--postgresql-url=postgres://postgres@127.0.0.1:${postgresql.ports[0]}/postgres`;
  const quiet = ['--debug-addr=-', '--no-auth', '--telemetry=disable', '--log-level=warn', `--state-dir=${folder}`];
  return startOnFreePorts(1, around, (port = 0) => ({
    name: 'ferretdb',
    command: [binary, storage, `--listen-addr=127.0.0.1:${port}`, ...quiet],
    cwd: folder,
    env: { ...process.env, GOGC: collectAt },
    mark: folder,
    answers: () => mongodbAnswers(mongodbAddress(port)),
    readyWithinMs: 60_000,
    patienceMs: 3_000,
  }));
}
