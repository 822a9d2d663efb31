import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, isFree, look, temporaryFolder, tryHold } from '#servers';
import { eventually } from '../../libs/servers/testing/eventually.js';
import { built } from '../places.js';
import { readRun, type Run } from './run-file.js';

let folder: string;
let port: number;
let runs: ChildProcess[] = [];

beforeEach(async () => {
  folder = temporaryFolder('start');
  port = await unusedPort();
});

afterEach(async () => {
  for (const run of runs) run.kill('SIGKILL');
  runs = [];
  const { pids } = recorded();
  await eventually(() => pids.every((pid) => !look(pid)), 'the services are gone');
  rmSync(folder, { recursive: true });
});

/** A free port that this process does not keep for itself: of those that neither `freePort` gives to others nor an outgoing connection is given meanwhile. */
async function unusedPort(): Promise<number> {
  const number = randomInt(32_000, 32_768);
  const isOurs = 'hold' in (await tryHold(`${number}, of those that this spec takes`)); // in another checkout it may be at it, too
  return isOurs && (await isFree(number)) ? number : unusedPort();
}

const program = built('tools/testing/tiny-run.js');

/** Starts a run; `said()` is all that it printed. */
function launch(env: NodeJS.ProcessEnv = {}, command: string[] = [process.execPath, program, folder]) {
  const child = spawn(command[0]!, command.slice(1), {
    env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: undefined, STARTED_BY: undefined, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  runs.push(child);
  let text = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ended, said: () => text };
}

const run = (): Promise<Run> => eventually<Run | false>(() => readRun(folder) ?? false, 'the run is ready');

/** Process ids of the services as the file tells, whether they live or not. */
function recorded(): { pids: number[] } {
  const file = join(folder, 'run.json');
  if (!existsSync(file)) return { pids: [] };
  const { processes } = JSON.parse(readFileSync(file, 'utf8')) as Run;
  return { pids: Object.values(processes).map(({ pid }) => pid) };
}

const isUp = async (url: string) => (await fetch(`${url}/health/ready`)).ok;
const environmentOf = async ({ managementUrl }: { managementUrl: string }) => (await (await fetch(`${managementUrl}/env`)).json()) as Record<string, string>;

describe('a run', () => {
  it('tells in run.json and on the terminal what is there, once all of it is ready', async () => {
    const { said } = launch();
    const { gateway, issuer, processes, kafkaBrokers, mailbox } = await run();
    expect(gateway).toBe(`http://127.0.0.1:${port}`);
    expect(Object.keys(processes)).toEqual(['gateway', 'ticket-command', 'query-search', 'assignment-notification']);
    for (const { managementUrl, pid } of Object.values(processes)) {
      expect(await isUp(managementUrl)).toBe(true);
      expect(look(pid)).toBeDefined();
    }
    expect((await fetch(`${issuer}/.well-known/openid-configuration`)).ok).toBe(true);
    await eventually(() => said().includes('npm run -s token -- --org globex --sub hank'), 'the welcome is printed');
    expect(await (await fetch(`${mailbox.page}/mails.json`)).json()).toEqual({ items: [] });
    expect((await environmentOf(processes['assignment-notification']!))['SMTP_URL']).toBe(mailbox.smtp);
    for (const fact of [gateway, issuer, mailbox.page, kafkaBrokers, 'administrator', 'grace', 'linus']) expect(said()).toContain(fact);
    expect(said()).not.toContain('WARNING');
  });

  it('gives each service its environment', async () => {
    launch();
    const { processes, issuer, kafkaBrokers, mongodbUri } = await run();
    const [gateway, command, query] = await Promise.all(Object.values(processes).map(environmentOf));
    const common = { KAFKA_BROKERS: kafkaBrokers, MONGODB_URI: mongodbUri, HOST: '127.0.0.1', LOG_FORMAT: 'json' };
    expect(gateway).toMatchObject({ ...common, PORT: String(port), OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'deskstream', CONSOLE_CLIENT_ID: 'deskstream-console' });
    expect(gateway!['QUERY_URL']).toBe(`http://127.0.0.1:${query!['PORT']}`);
    expect(gateway!['INTERNAL_KEY']).toMatch(/^.{32,}$/);
    expect(query!['INTERNAL_KEY']).toBe(gateway!['INTERNAL_KEY']);
    expect(command).toMatchObject(common);
    for (const name of ['PORT', 'INTERNAL_KEY', 'npm_config_user_agent']) expect(command).not.toHaveProperty(name);
  });

  it('starts a killed service again on its port, tells it, and keeps run.json true', async () => {
    const { said } = launch();
    const before = (await run()).processes['ticket-command']!;
    process.kill(before.pid, 'SIGKILL');
    const after = await eventually(() => {
      const now = recordedRun().processes['ticket-command']!;
      return now.pid !== before.pid && now;
    }, 'run.json tells of the new process');
    expect(after.managementUrl).toBe(before.managementUrl);
    await eventually(() => isUp(after.managementUrl), 'the new process is up');
    await eventually(() => /ticket-command +was ended by SIGKILL; it is started again in 0\.2 s/.test(said()), 'its death is told');
    await eventually(() => /ticket-command +ready again after \d/.test(said()), 'its return is told');
  });

  it('shows warnings of services in readable form', async () => {
    const { said } = launch();
    await fetch(`${(await run()).processes['gateway']!.managementUrl}/warn`);
    await eventually(() => /gateway +the broker is slow/.test(said()), 'the warning is shown');
  });

  it('tells how far the read model is while it is built anew, and when that is done', async () => {
    const { said } = launch({ TINY: 'old' });
    await eventually(() => /query-search +the read model was built anew/.test(said()), 'it is told that it is done');
    const told = [...said().matchAll(/query-search +the read model is of an older version and is built anew \(events, (\d+) %\)/g)].map(([, percent]) => Number(percent));
    expect(told).toEqual([0, 20, 50, 70]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops everything and ends with 0 at %s', async (signal) => {
    const { child, ended } = launch({ TINY: 'slow' });
    const { processes } = await run();
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    expect(Object.values(processes).filter(({ pid }) => look(pid))).toEqual([]);
    expect(existsSync(join(folder, 'run.json'))).toBe(false);
  });

  it('stops the door before what is behind it', async () => {
    const { child, ended } = launch({ TINY: 'slow' });
    await run();
    child.kill('SIGTERM');
    await ended;
    /** When a program began to stop, which takes it a second. */
    const stoppedAt = (name: string) => (JSON.parse(readFileSync(join(folder, 'logs', `${name}.log`), 'utf8').split('\n').find((line) => line.includes('stopping'))!) as { time: number }).time;
    expect(stoppedAt('query-search') - stoppedAt('gateway')).toBeGreaterThan(990);
  });

  it('takes a signal that came twice at once as one, and a later one as a hurry', async () => {
    const hurried = async () => {
      const { child, ended, said } = launch({ TINY: 'deaf' });
      await run();
      const began = Date.now();
      child.kill('SIGINT');
      child.kill('SIGINT');
      await eventually(() => said().includes('stopping (SIGINT)'), 'it is taken');
      const taken = Date.now();
      await eventually(() => Date.now() > taken + 1_200, 'another signal is another wish');
      expect(child.exitCode).toBeNull();
      child.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
      return Date.now() - began;
    };
    // In no hurry it takes six seconds for the gateway, and six more for what is behind it, each time; in a hurry, on a slow machine, now and then.
    const isQuick = async () => (await hurried()) < 12_000;
    expect((await isQuick()) || (await isQuick()) || (await isQuick())).toBe(true);
  });

  it('stops also while it is still starting', async () => {
    const { child, ended, said } = launch({ TINY: 'ill' });
    await eventually(() => said().includes('issuer'), 'the issuer is up');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('leaves nothing behind for 10 s when it is killed, and the next one in the folder keeps its ports and key', async () => {
    const { child } = launch();
    const before = await run();
    const key = readFileSync(join(folder, 'internal.key'), 'utf8');
    child.kill('SIGKILL');
    launch();
    const after = await eventually(() => {
      const now = readRun(folder);
      return now !== undefined && now.processes['gateway']!.pid !== before.processes['gateway']!.pid && now;
    }, 'the next run is ready');
    for (const { pid } of Object.values(before.processes)) expect(look(pid)).toBeUndefined();
    for (const [at, address] of addressesOf(before).entries()) if (addressesOf(after)[at] !== address) expect(await isOthers(address)).toBe(true);
    expect(readFileSync(join(folder, 'internal.key'), 'utf8')).toBe(key);
    expect(statSync(join(folder, 'internal.key')).mode & 0o777).toBe(0o600);
  });

  it('stops in good order when the npm above it is killed, with a shell in between or not', async () => {
    for (const between of [[], ['sh', '-c', '"$@"; true', 'sh']]) {
      const npm = launch({ npm_lifecycle_event: 'start' }, ['node', '-e', npmLike, ...between, process.execPath, program, folder]);
      const { processes } = await run();
      npm.child.kill('SIGKILL');
      await eventually(() => Object.values(processes).every(({ pid }) => !look(pid)) && !existsSync(join(folder, 'run.json')), 'everything has stopped');
    }
  });

  it('does not go on when the npm above it was killed before it began', async () => {
    const { ended } = launch({ npm_lifecycle_event: 'start', STARTED_BY: '1' });
    expect(await ended).toEqual([0, null]);
  });

  it('is refused in a folder where one runs, with the addresses of that one', async () => {
    launch();
    const { gateway } = await run();
    const second = launch();
    expect(await second.ended).toEqual([1, null]);
    expect(second.said()).toContain('is running here already');
    expect(second.said()).toContain(gateway);
    expect(readRun(folder)).toBeDefined();
  });

  it('takes the next port when the one for the gateway is in use, and tells it', async () => {
    launch();
    await run();
    const other = temporaryFolder('start');
    const { said, child, ended } = launch({}, [process.execPath, program, other]);
    const second = await eventually(() => readRun(other) ?? false, 'the second run is ready');
    expect((second).gateway).not.toBe(`http://127.0.0.1:${port}`);
    expect(said()).toContain(`port ${port} is taken, using ${new URL((second).gateway).port}`);
    child.kill('SIGTERM');
    await ended;
    rmSync(other, { recursive: true });
  });

  it('ends with 1 and says which service does not start and why', async () => {
    const { ended, said } = launch({ TINY: 'broken' });
    expect(await ended).toEqual([1, null]);
    expect(said()).toMatch(/died 5 times\n +QUERY_URL: is missing/);
    expect(existsSync(join(folder, 'run.json'))).toBe(false);
  });
});

const recordedRun = () => JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Run;

const addressesOf = ({ gateway, issuer, mailbox, processes }: Run) => [gateway, issuer, mailbox.smtp, mailbox.page, ...Object.values(processes).map(({ managementUrl }) => managementUrl)];

/** Whether somebody else was given the port of an address in the moment in which nobody had it. */
async function isOthers(address: string): Promise<boolean> {
  const wanted = Number(new URL(address).port);
  return (await freePort(wanted)) !== wanted;
}

/** Does what npm does: runs a program and waits for it. */
const npmLike = "require('node:child_process').spawn(process.argv[1], process.argv.slice(2), { stdio: 'inherit' })";
