import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { otherProcess } from '../testing/other-process.js';
import { eventually } from '../testing/eventually.js';
import { temporaryFolder } from './temporary-folder.js';

const mine: string[] = [];
afterEach(() => mine.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function folderOfMine(): string {
  const folder = temporaryFolder('spec');
  mine.push(folder);
  return folder;
}

/** Another process that makes a folder and lives on. */
async function other() {
  const owner = otherProcess(`
    const { temporaryFolder } = await from('temporary-folder.js');
    console.log(temporaryFolder('spec'));
    setInterval(() => undefined, 1000);`);
  await eventually(() => owner.said().length === 1, 'the other process has made its folder');
  return { process: owner.process, folder: owner.said()[0]! };
}

describe('a temporary folder', () => {
  it('is left alone while its owner lives, and removed with the next one after its owner was killed', async () => {
    const owner = await other();
    writeFileSync(join(owner.folder, 'data'), 'x');
    const first = folderOfMine();
    expect([first, owner.folder].filter((folder) => existsSync(folder))).toEqual([first, owner.folder]);
    owner.process.kill('SIGKILL');
    await eventually(() => {
      folderOfMine();
      return !existsSync(owner.folder);
    }, 'what the killed process left is removed');
    expect(existsSync(first)).toBe(true);
  });
});
