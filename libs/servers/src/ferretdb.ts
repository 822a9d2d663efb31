import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { go, needTools, run } from './machine.js';
import { mongodbAddress, mongodbAnswers } from './mongodb-answers.js';
import { onFreePorts } from './ports.js';
import { installPostgresql, postgresqlProgram, preparePostgresql } from './postgresql.js';
import type { Server, Surroundings } from './server.js';
import { type Program, ServerProcess } from './server-process.js';
import { install } from './software.js';

const version = '2.7.0';

/** FerretDB, which speaks MongoDB's protocol and keeps everything in PostgreSQL with Microsoft's DocumentDB extension. */
export async function openFerretdb(around: Surroundings): Promise<Server> {
  const [root, ferretdb] = await Promise.all([installPostgresql(around), installFerretdb(around)]);
  const postgresql = await startPostgresql(root, around);
  const front = await startFerretdb(ferretdb, postgresql.port, around).catch(async (error: unknown) => {
    await postgresql.stop();
    throw error;
  });
  around.say('mongodb', 'is ready');
  return {
    kind: 'local',
    address: mongodbAddress(front.port),
    get pids() {
      return [...postgresql.process.pids, ...front.process.pids];
    },
    // FerretDB first: it would only report that its storage went away.
    stop: async () => {
      await front.stop();
      await postgresql.stop();
    },
  };
}

async function installFerretdb(around: Surroundings): Promise<string> {
  await needTools('ferretdb', [go], around);
  const build = async (folder: string) => {
    const target = `github.com/FerretDB/FerretDB/v2/cmd/ferretdb@v${version}`;
    await run({ command: ['go', 'install', target], env: { ...process.env, GOBIN: folder }, cwd: folder }, around.signal);
    await chmod(folder, 0o755);
  };
  return join(await install({ name: 'ferretdb', version, proof: ['ferretdb'], build }, around), 'ferretdb');
}

interface Started {
  readonly process: ServerProcess;
  readonly port: number;
  stop(): Promise<void>;
}

async function startPostgresql(root: string, around: Surroundings): Promise<Started> {
  const folder = join(around.dataDir, 'postgresql');
  return start(around, async (port) => {
    const settings = { port, memory: around.memory };
    await preparePostgresql(root, folder, settings, around);
    around.say('postgresql', `starts on port ${port}`);
    return postgresqlProgram(root, folder, settings, around.signal);
  });
}

async function startFerretdb(binary: string, postgresql: number, around: Surroundings): Promise<Started> {
  const state = join(around.dataDir, 'ferretdb');
  await mkdir(state, { recursive: true });
  return start(around, async (port) => {
    around.say('ferretdb', `starts on port ${port}`);
    return ferretdbProgram(binary, state, port, postgresql);
  });
}

async function start(around: Surroundings, programOn: (port: number) => Promise<Program>): Promise<Started> {
  const { value, ports } = await onFreePorts(1, async ([port]) => {
    const process = new ServerProcess(await programOn(port!), around);
    await process.start();
    return { process, port: port! };
  });
  const stop = async () => {
    await value.process.stop();
    await ports.release();
  };
  return { ...value, stop };
}

function ferretdbProgram(binary: string, state: string, port: number, postgresql: number): Program {
  const storage = `--postgresql-url=postgres://postgres@127.0.0.1:${postgresql}/postgres`;
  const listen = `--listen-addr=127.0.0.1:${port}`;
  const quiet = ['--debug-addr=-', '--no-auth', '--telemetry=disable', '--log-level=warn', `--state-dir=${state}`];
  return {
    name: 'ferretdb',
    command: [binary, storage, listen, ...quiet],
    cwd: state,
    mark: listen,
    answers: () => mongodbAnswers(mongodbAddress(port)),
    readyWithinMs: 30_000,
    patienceMs: 5_000,
  };
}
