import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { look, temporaryFolder } from '#servers';
import { eventually } from '../../libs/servers/testing/eventually.js';
import { readSigner, signerFile, signToken } from '../issuer/signer.js';
import { built } from '../places.js';
import { inherited } from '../processes/apps.js';
import { readRun, type Run } from './run-file.js';

let folder: string;
let supervisor: ChildProcess;
let said = '';

/** Starts the product on servers of its own, in a folder of its own, and waits until it is ready. */
async function start() {
  const { KAFKA_BROKERS: _kafka, MONGODB_URI: _mongodb, ...env } = inherited();
  supervisor = spawn(process.execPath, [built('tools/start/main.js'), '--data-dir', folder], { env: { ...env, PORT: '0' }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const output of [supervisor.stdout!, supervisor.stderr!]) output.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually(() => {
    if (supervisor.exitCode !== null) throw new Error(said);
    return readRun(folder) !== undefined;
  }, 'npm start is ready', 240_000);
}

const run = () => JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Run;
const pidsOf = ({ processes, servers }: Run) => [...Object.values(processes).map(({ pid }) => pid), ...Object.values(servers).flatMap(({ pids }) => pids)];

async function ask(path: string, init: RequestInit = {}) {
  const token = signToken(readSigner(signerFile(folder))!, { org: 'acme', sub: 'ada', role: 'admin' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${run().gateway}/v1${path}`, { ...init, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const create = (title: string) => ask('/tickets', { method: 'POST', body: JSON.stringify({ title }) });
const titles = async () => ((await ask('/tickets?pageSize=100')).body['items'] as { title: string }[]).map(({ title }) => title);

/** A command that is refused or left pending for a while after a crash gets its outcome in the end. */
async function firstOutcome(title: string): Promise<void> {
  const began = Date.now();
  await eventually(async () => (await create(title)).status === 201, `a ticket is made ${title}`, 240_000);
  process.stdout.write(`the first outcome ${title} came within ${((Date.now() - began) / 1_000).toFixed(1)} s\n`);
}

beforeAll(async () => {
  folder = temporaryFolder('npm-start');
  await start();
});

afterAll(async () => {
  if (supervisor.exitCode === null && supervisor.signalCode === null) {
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('npm start', () => {
  it('brings everything up with a few demo tickets', async () => {
    await eventually(async () => (await titles()).length >= 5, 'there are demo tickets');
    await eventually(async () => (await titles()).includes('Charged twice for March'), 'the oldest is among them');
    const found = await titles();
    expect(found).not.toContain('Quote for 250 seats'); // another organisation's
    expect(new Set(found).size).toBe(found.length);
  });

  it('answers commands again after ticket-command was killed', async () => {
    process.kill(run().processes['ticket-command']!.pid, 'SIGKILL');
    await firstOutcome('after a crash');
  });

  it.each(['kafka', 'mongodb'] as const)('starts a killed %s again, tells it, and goes on', async (server) => {
    const before = run().servers[server].pids;
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await firstOutcome(`after ${server} was killed`);
    await eventually(() => {
      const after = run().servers[server].pids;
      return after.length > 0 && after.every((pid) => !before.includes(pid) && look(pid) !== undefined);
    }, `run.json tells of the new ${server}`);
    await eventually(() => new RegExp(`${server}.*SIGKILL`).test(said), 'its death is told');
  });

  it('stops everything and keeps its data', async () => {
    const all = pidsOf(run());
    supervisor.kill('SIGINT');
    expect(await once(supervisor, 'exit')).toEqual([0, null]);
    expect(all.filter((pid) => look(pid))).toEqual([]);
  });

  it('comes back with the same tickets, and makes no demo tickets twice', async () => {
    await start();
    await eventually(async () => (await titles()).includes('after a crash'), 'what was there is shown');
    const found = await titles();
    expect(found.filter((title) => title === 'Charged twice for March')).toHaveLength(1);
  });

  it('leaves nothing behind when it is killed', async () => {
    const all = pidsOf(run());
    supervisor.kill('SIGKILL');
    await eventually(() => all.every((pid) => !look(pid)), 'all processes are gone');
  });
});
