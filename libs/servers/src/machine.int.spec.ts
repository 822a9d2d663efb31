import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scratchFolder } from '../testing/other-process.js';
import { isDebian, needTools, run, type Tool } from './machine.js';
import { ServersUnavailable } from './server.js';

const around = { say: () => undefined, signal: new AbortController().signal };
const tool: Tool = { program: 'spec-tool', debian: 'spec-package', atLeast: { version: 17, ask: ['-version'], pattern: /version "(\d+)/ } };
const asRoot = process.getuid?.() === 0 && isDebian() ? it : it.skip;

let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = scratchFolder();
  path = process.env['PATH'];
  process.env['PATH'] = `${folder}:/bin:/usr/bin`;
});
afterEach(() => {
  process.env['PATH'] = path;
});

function program(name: string, lines: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(folder, name), 0o755);
}
const toolOf = (version: number) => `printf '#!/bin/sh\\necho version \\"${version}\\"\\n' > ${folder}/spec-tool; chmod 755 ${folder}/spec-tool`;
/** In front of the real one: writes down what it is asked, and "installs" on `install`. */
const aptGet = (installs: string) => program('apt-get', `echo "$@" >> ${folder}/asked\ncase "$*" in *install*) ${installs} ;; esac`);
const asked = () => (existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') : []);

describe('a tool that a part needs', () => {
  it('is not installed when it is there and new enough', async () => {
    aptGet('true');
    await run({ command: ['sh', '-c', toolOf(17)] }, around.signal);
    await needTools('kafka', [tool], around);
    expect(asked()).toEqual([]);
  });

  asRoot('is installed with Debian’s client, which waits for other installations', async () => {
    aptGet(toolOf(17));
    await needTools('kafka', [tool], around);
    expect(asked()).toEqual(['-qq -o DPkg::Lock::Timeout=120 update', '-qq -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends spec-package']);
  });

  asRoot('is named when what is installed is still too old', async () => {
    aptGet(toolOf(11));
    await expect(needTools('kafka', [tool], around)).rejects.toThrow(/spec-tool missing or too old[\s\S]*apt-get install spec-package/);
  });

  asRoot('is named, with what the client said, when it cannot be installed', async () => {
    aptGet('echo no such package; exit 100');
    const failed = needTools('kafka', [tool], around);
    await expect(failed).rejects.toThrow(ServersUnavailable);
    await expect(failed).rejects.toThrow('no such package');
  });
});
