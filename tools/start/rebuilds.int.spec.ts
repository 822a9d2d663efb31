import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '#servers';
import { eventually } from '../../libs/servers/testing/eventually.js';
import { rootDir } from '../places.js';
import { watchSources } from './rebuilds.js';
import { Terminal } from './terminal.js';

let root: string;
let touched: string[][];
let said: string;
let watching: ReturnType<typeof watchSources>;

function write(file: string, text: string) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
const dist = (file: string) => join(root, 'dist', file);
const isBuilt = (file: string, text: string) => readFileSync(dist(file), 'utf8').includes(text);

beforeEach(async () => {
  root = temporaryFolder('rebuilds');
  symlinkSync(join(rootDir, 'node_modules'), join(root, 'node_modules'));
  write('package.json', JSON.stringify({ type: 'module', imports: { '#shared': { source: './libs/shared/src/index.ts', default: './dist/libs/shared/src/index.js' } } }));
  const compilerOptions = { target: 'es2023', module: 'nodenext', customConditions: ['source'], rootDir: '.', outDir: 'dist', strict: true, types: [] };
  write('tsconfig.build.json', JSON.stringify({ compilerOptions, include: ['apps', 'libs'] }));
  write('libs/shared/src/index.ts', `export const shared = 'shared 1';\n`);
  write('apps/a/main.ts', `import { own } from './src/own.js';\nimport { shared } from '#shared';\nexport const a = [own, shared];\n`);
  write('apps/a/src/own.ts', `export const own = 'own 1';\n`);
  write('apps/b/main.ts', `import { shared } from '#shared';\nexport const b = shared;\n`);
  touched = [];
  said = '';
  const entries = { a: dist('apps/a/main.js'), b: dist('apps/b/main.js') };
  const compiler = join(rootDir, 'node_modules/typescript/bin/tsc');
  watching = watchSources({ root, compiler, entries, terminal: new Terminal((text) => (said += text)), onTouched: (names) => touched.push(names) });
  await eventually(() => touched.length === 1, 'it is built for the first time');
});
afterEach(async () => {
  await watching.stop();
  rmSync(root, { recursive: true });
});

describe('a change of a source', () => {
  it('touches the programs that are made of it, and no other', async () => {
    expect(touched).toEqual([['a', 'b']]);
    write('apps/a/src/own.ts', `export const own = 'own 2';\n`);
    await eventually(() => touched.length === 2, 'the change is built');
    write('libs/shared/src/index.ts', `export const shared = 'shared 2';\n`);
    await eventually(() => touched.length === 3, 'the change is built');
    expect(touched.slice(1)).toEqual([['a'], ['a', 'b']]);
  });

  it('that does not compile is told and touches nobody until it is mended', async () => {
    write('apps/b/main.ts', `import { shared } from '#shared';\nexport const b: number = shared;\n`);
    await eventually(() => said.includes('apps/b/main.ts(2,14): error TS2322'), 'the error is told');
    expect(touched).toHaveLength(1);
    write('apps/b/main.ts', `import { shared } from '#shared';\nexport const b: string = 'mended ' + shared;\n`);
    await eventually(() => touched.length === 2, 'the change is built');
    expect(touched[1]).toEqual(['b']);
    expect(isBuilt('apps/b/main.js', 'mended')).toBe(true);
  });
});
