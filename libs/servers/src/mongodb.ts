import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFerretdb } from './ferretdb.js';
import { onPath, run } from './machine.js';
import { mongodbAddress, mongodbAnswers } from './mongodb-answers.js';
import { onFreePorts } from './ports.js';
import type { Server, Surroundings } from './server.js';
import { ServerProcess } from './server-process.js';

/** A MongoDB server of this machine on 127.0.0.1: its own `mongod` when there is one, else FerretDB on PostgreSQL. */
export async function openLocalMongodb(around: Surroundings): Promise<Server> {
  return (await hasMongod(around.signal)) ? openMongod(around) : openFerretdb(around);
}

async function hasMongod(signal: AbortSignal): Promise<boolean> {
  if (!onPath('mongod')) return false;
  const said = await run({ command: ['mongod', '--version'] }, signal).catch(() => '');
  return /db version v[78]\./.test(said);
}

async function openMongod(around: Surroundings): Promise<Server> {
  const data = join(around.dataDir, 'mongod');
  await mkdir(data, { recursive: true });
  const { value: mongod, ports } = await onFreePorts(1, async ([port]) => {
    around.say('mongodb', `starts mongod on port ${port}`);
    const process = new ServerProcess(mongodProgram(data, port!, around.memory), around);
    await process.start();
    return { process, address: mongodbAddress(port!) };
  });
  around.say('mongodb', 'is ready');
  return {
    kind: 'local',
    address: mongod.address,
    get pids() {
      return mongod.process.pids;
    },
    stop: async () => {
      await mongod.process.stop();
      await ports.release();
    },
  };
}

function mongodProgram(data: string, port: number, memory: 'small' | 'normal') {
  const cache = memory === 'small' ? '0.25' : '1';
  const options = ['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', data, '--wiredTigerCacheSizeGB', cache, '--quiet'];
  return {
    name: 'mongod',
    command: ['mongod', ...options] as const,
    mark: data,
    answers: () => mongodbAnswers(mongodbAddress(port)),
    readyWithinMs: 60_000,
    patienceMs: 10_000,
  };
}
