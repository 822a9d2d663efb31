import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFerretdb } from './ferretdb.js';
import { onPath, run } from './machine.js';
import { mongodbAddress, mongodbAnswers } from './mongodb-answers.js';
import type { Server, Surroundings } from './server.js';
import { serverOf, startOnFreePorts } from './started.js';

/** MongoDB as processes of this machine on 127.0.0.1: its own `mongod` 7 or 8 when there is one, else FerretDB on PostgreSQL. */
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
  const cache = around.memory === 'small' ? '0.25' : '1';
  const mongod = await startOnFreePorts(1, around, (port = 0) => ({
    name: 'mongod',
    command: ['mongod', '--quiet', '--bind_ip', '127.0.0.1', '--port', `${port}`, '--dbpath', data, '--wiredTigerCacheSizeGB', cache],
    mark: data,
    answers: () => mongodbAnswers(mongodbAddress(port)),
    readyWithinMs: 60_000,
    patienceMs: 8_000,
  }));
  around.say('mongodb', 'is ready');
  return serverOf('local', mongodbAddress(mongod.ports[0] ?? 0), mongod);
}
