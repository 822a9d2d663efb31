import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '#servers';
import { readRun, removeRun, type Run, writeRun } from './run-file.js';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('run-file');
});
afterAll(() => rmSync(folder, { recursive: true }));

const runOf = (pid: number): Run => ({
  gateway: 'http://127.0.0.1:3000',
  issuer: 'http://127.0.0.1:3001',
  mailbox: { smtp: 'smtp://127.0.0.1:3002', page: 'http://127.0.0.1:3003' },
  kafkaBrokers: '127.0.0.1:9092',
  mongodbUri: 'mongodb://127.0.0.1:27017/?directConnection=true',
  processes: { gateway: { pid, managementUrl: 'http://127.0.0.1:3002' } },
  servers: { kafka: { pids: [1], kind: 'local' }, mongodb: { pids: [], kind: 'named' } },
});

describe('run.json', () => {
  it('tells what is running, and leaves no drafts behind', () => {
    writeRun(folder, runOf(process.pid));
    expect(readRun(folder)).toEqual(runOf(process.pid));
    expect(readdirSync(folder)).toEqual(['run.json']);
  });

  it('of a killed run counts as none', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    writeRun(folder, runOf(child.pid!));
    expect(readRun(folder)).toBeUndefined();
  });

  it('counts as none when it is gone or not ours', () => {
    removeRun(folder);
    expect(readRun(folder)).toBeUndefined();
    writeFileSync(join(folder, 'run.json'), 'half of it {');
    expect(readRun(folder)).toBeUndefined();
  });
});
