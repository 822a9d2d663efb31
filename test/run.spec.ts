import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from './support/eventually.js';

/** The driver starts jest twice, and beside it all other specs run. */
const patience = 300_000;

describe('the test driver', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deskstream-driver-'));
    const project = { displayName: 'unit', rootDir: folder, testMatch: ['<rootDir>/*.test.js'], transform: {} };
    writeFileSync(join(folder, 'jest.config.json'), JSON.stringify({ projects: [project] }));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const add = (name: string, code: string) => writeFileSync(join(folder, `${name}.test.js`), code);

  const started = () => {
    const args = ['test/run.mjs', '--only', 'unit', '--config', join(folder, 'jest.config.json')];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, NODE_OPTIONS: '' } });
  };

  async function run() {
    const driver = started();
    const output = await text(driver.stdout);
    return { code: driver.exitCode ?? (await new Promise((resolve) => driver.once('exit', resolve))), lastLine: output.trimEnd().split('\n').at(-1) };
  }

  it('counts what passed and what was skipped in its last line', async () => {
    add('a', `test('one', () => {}); test.skip('two', () => {});`);
    add('b', `test('three', () => {}); test.todo('four');`);
    expect(await run()).toEqual({ code: 0, lastLine: '2 passed, 0 failed, 2 skipped' });
  }, patience);

  it('fails when a test fails', async () => {
    add('a', `test('one', () => {}); test('two', () => { throw new Error('no'); });`);
    expect(await run()).toEqual({ code: 1, lastLine: '1 passed, 1 failed, 0 skipped' });
  }, patience);

  it('fails when a file cannot be loaded', async () => {
    add('a', `test('one', () => {});`);
    add('b', `require('./nowhere.js');`);
    expect(await run()).toEqual({ code: 1, lastLine: '1 passed, 1 failed, 0 skipped' });
  }, patience);

  it('fails when nothing ran', async () => {
    expect(await run()).toEqual({ code: 1, lastLine: '0 passed, 0 failed, 0 skipped' });
  }, patience);

  it('fails when everything was skipped', async () => {
    add('a', `test.skip('one', () => {});`);
    expect(await run()).toEqual({ code: 1, lastLine: '0 passed, 0 failed, 1 skipped' });
  }, patience);

  it('ends what the specs started when it is interrupted', async () => {
    const pidFile = join(folder, 'pid');
    add('a', `test('hangs', () => { require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); return new Promise(() => setInterval(() => {}, 1_000)); });`);
    const driver = started();
    const exit = new Promise((resolve) => driver.once('exit', resolve));
    const pid = await eventually(() => readNumber(pidFile) ?? false, 120_000, 'the spec runs');
    driver.kill('SIGTERM');
    expect(await exit).toBe(130);
    await eventually(() => !isAlive(pid), 120_000, 'the spec is gone');
  }, patience);
});

const readNumber = (file: string) => (existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
