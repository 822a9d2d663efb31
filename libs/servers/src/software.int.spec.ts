import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { otherProcess, scratchFolder } from '../testing/other-process.js';
import { install, type Software, softwareHome } from './software.js';

const others: ReturnType<typeof otherProcess>[] = [];
afterEach(() => others.splice(0).forEach((other) => other.process.kill('SIGKILL')));

const thing = (build: Software['build']): Software => ({ name: 'thing', version: '1', tools: [], proof: ['bin/thing'], build });
const quick = thing(async (folder) => {
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/thing'), 'built here');
});
const never = thing(() => Promise.reject(new Error('built again')));

function talk() {
  const said: string[] = [];
  return { said, say: (part: string, text: string) => void said.push(`${part} ${text}`), signal: new AbortController().signal };
}

/** Another process that installs the thing: it writes half of it, waits for a file named `go`, and writes the rest. */
function otherInstall(home: string, go: string): ReturnType<typeof otherProcess> {
  const other = otherProcess(`
    const { install } = await from('software.js');
    const { mkdirSync, writeFileSync, existsSync } = await import('node:fs');
    const build = async (folder) => {
      mkdirSync(folder + '/bin');
      console.log('builds');
      while (!existsSync('${go}')) await new Promise((resolve) => setTimeout(resolve, 20));
      writeFileSync(folder + '/bin/thing', 'built there');
    };
    const thing = { name: 'thing', version: '1', tools: [], proof: ['bin/thing'], build };
    await install(thing, { say: () => undefined, signal: new AbortController().signal }, '${home}');
    console.log('installed');`);
  others.push(other);
  return other;
}

describe('installing server software', () => {
  it('builds it once and finds it afterwards', async () => {
    const home = scratchFolder();
    const folder = await install(quick, talk(), home);
    expect(folder).toBe(join(home, 'thing-1'));
    expect(await install(never, talk(), home)).toBe(folder);
    expect(readdirSync(home)).toEqual(['thing-1']);
  });

  it('waits for another process that builds it, tells so, and builds nothing itself', async () => {
    const home = scratchFolder();
    const go = join(scratchFolder(), 'go');
    const other = otherInstall(home, go);
    await other.says('builds');
    const { said, ...around } = talk();
    const mine = install(never, around, home);
    await eventually(() => said.length > 0, 'it tells that it waits');
    // A busy machine may keep it from saying which process it is.
    expect([other.process.pid, '(unknown)'].map((pid) => [`thing waits for process ${pid}, which installs version 1`])).toContainEqual(said);
    writeFileSync(go, '');
    expect(existsSync(join(await mine, 'bin/thing'))).toBe(true);
    await other.says('installed');
  });

  it('takes over from a builder that is killed, and nothing half done is left', async () => {
    const home = scratchFolder();
    const other = otherInstall(home, join(home, 'never'));
    await other.says('builds');
    const { said, ...around } = talk();
    const mine = install(quick, around, home);
    await eventually(() => said.length > 0, 'it tells that it waits');
    expect(existsSync(join(home, 'thing-1'))).toBe(false);
    other.process.kill('SIGKILL');
    await mine;
    expect(readdirSync(home)).toEqual(['thing-1']);
  });

  it('leaves nothing when the build fails', async () => {
    const home = scratchFolder();
    await expect(install(never, talk(), home)).rejects.toThrow('built again');
    expect(readdirSync(home)).toEqual([]);
  });

  it.each(['.complete', 'bin/thing'])('builds it again when %s is missing', async (file) => {
    const home = scratchFolder();
    const folder = await install(quick, talk(), home);
    rmSync(join(folder, file));
    await install(quick, talk(), home);
    expect(existsSync(join(folder, file))).toBe(true);
  });

  it('keeps it in the user’s cache folder', () => {
    expect(softwareHome({ XDG_CACHE_HOME: '/cache' })).toBe('/cache/deskstream/servers');
    expect(softwareHome({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/deskstream\/servers$/);
  });
});
