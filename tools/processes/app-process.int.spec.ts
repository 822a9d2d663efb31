import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Command, freePort, look, temporaryFolder } from '#servers';
import { eventually } from '../../libs/servers/testing/eventually.js';
import { built } from '../places.js';
import { type AppPlan, AppProcess, type Death } from './app-process.js';
import { addressOf } from './apps.js';
import { BoundedLog } from './bounded-log.js';
import { untilReady } from './readiness.js';

let folder: string;
let started: AppProcess[] = [];

beforeAll(() => {
  folder = temporaryFolder('app-process');
});
afterEach(async () => {
  await Promise.all(started.map((app) => app.stop(0)));
  started = [];
});
afterAll(() => rmSync(folder, { recursive: true }));

async function launch(behaviour: string, plan: Partial<AppPlan> = {}) {
  const port = await freePort();
  const deaths: Death[] = [];
  const logFile = join(folder, `${port}.log`);
  const env = { ...process.env, NODE_OPTIONS: '', MANAGEMENT_PORT: String(port), TINY: behaviour };
  const program: Command = { command: [process.execPath, built('tools/testing/tiny-app.js')], env };
  const parts = { name: 'tiny', program, log: new BoundedLog(logFile), restart: true };
  const app = new AppProcess({ ...parts, onDeath: (death) => deaths.push(death), ...plan });
  started.push(app);
  app.start();
  return { app, deaths, url: addressOf(port), logFile };
}

describe('a supervised process', () => {
  it('is started again on the same port when it is killed, and its death is told', async () => {
    const { app, deaths, url } = await launch('');
    expect(await untilReady(url, 60_000)).toBeUndefined();
    const first = app.pid!;
    app.kill('SIGKILL');
    await eventually(() => app.pid !== first && app.isRunning, 'it runs again');
    expect(await untilReady(url, 60_000)).toBeUndefined();
    expect(deaths).toMatchObject([{ code: null, signal: 'SIGKILL', lastLines: [{ text: expect.stringContaining('listening') }], restartInMs: 200 }]);
  });

  it('waits longer from death to death', async () => {
    const { deaths } = await launch('broken');
    await eventually(() => deaths.length >= 3, 'it died three times');
    expect(deaths.slice(0, 3)).toMatchObject([
      { code: 1, restartInMs: 200, lastLines: [{ text: 'QUERY_URL: is missing' }] },
      { code: 1, restartInMs: 400 },
      { code: 1, restartInMs: 800 },
    ]);
  });

  it('stays down when that is wanted', async () => {
    const { app, deaths } = await launch('', { restart: false });
    app.kill('SIGKILL');
    await app.ended;
    expect(app.isRunning).toBe(false);
    expect(deaths).toMatchObject([{ signal: 'SIGKILL' }]);
    expect(deaths[0]).not.toHaveProperty('restartInMs');
  });

  it('stops in good order when asked to, which is no death', async () => {
    const { app, url, deaths, logFile } = await launch('slow');
    await untilReady(url, 60_000);
    await app.stop(60_000);
    expect(app.isRunning).toBe(false);
    expect(deaths).toEqual([]);
    expect(readFileSync(logFile, 'utf8')).toContain('stopping');
  });

  it('is killed when it does not stop in time, or when there is a hurry', async () => {
    for (const hurry of [undefined, AbortSignal.timeout(200)]) {
      const { app, url } = await launch('deaf');
      await untilReady(url, 60_000);
      const { pid } = app;
      await app.stop(hurry ? 60_000 : 300, hurry);
      expect(look(pid!)).toBeUndefined();
    }
  });

  it('is not started again by a restart that was waiting when it was stopped', async () => {
    const { app, deaths } = await launch('broken');
    await eventually(() => deaths.length >= 2, 'it died twice');
    await app.stop(1_000);
    const { pid } = app;
    // eslint-disable-next-line deskstream/specs-never-sleep -- what must not happen would happen before this is over
    await new Promise((resolve) => setTimeout(resolve, deaths.at(-1)!.restartInMs! + 200));
    expect(app.pid).toBe(pid);
  });
});

describe('a bounded log', () => {
  it('keeps about the last two limits of what was written', () => {
    const file = join(folder, 'bounded.log');
    const log = new BoundedLog(file, 100);
    for (let line = 0; line < 100; line++) log.write(`line ${String(line).padStart(3, '0')}\n`);
    log.close();
    const kept = readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8');
    expect(kept.endsWith('line 099\n')).toBe(true);
    expect(kept.length).toBeLessThan(300);
    expect(() => log.write('late')).not.toThrow();
  });
});
