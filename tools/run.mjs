/**
 * Runs one of the built tools: `node tools/run.mjs start | dev | reset | token | demo:seed | query:rebuild | dead-letters | acls`. Plain JavaScript, because it builds the rest first:
 * for `start` and `dev` whenever a source changed, for the others when there is nothing built yet.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tools = {
  start: ['tools/start/main.js'],
  dev: ['tools/start/main.js', '--watch'],
  reset: ['tools/start/reset.js'],
  token: ['tools/issuer/token.js'],
  'demo:seed': ['tools/seed/main.js'],
  'query:rebuild': ['tools/rebuild.js'],
  'dead-letters': ['tools/dead-letters/main.js'],
  acls: ['tools/acls.js'],
};
const stampFile = join(root, 'dist', '.built-from');

process.env.STARTED_BY = String(process.ppid);
const name = process.argv[2];
const [tool, ...options] = tools[name] ?? [];
if (!tool) fail(`Give one of: ${Object.keys(tools).join(', ')}`);
if (Number(process.versions.node.split('.')[0]) < 24) fail(`Node ${process.version} is too old. Use "npm run ${name}": npm brings Node 24 (after "npm ci").`);

const entry = join(root, 'dist', tool);
const stamp = tool === tools.start[0] || !existsSync(entry) ? stampOfSources() : undefined;
if (stamp !== undefined && stamp !== savedStamp() && !(await isRunning())) await build(stamp);
if (!existsSync(entry)) fail('This is newer than what runs: stop npm start and start it again.');
process.argv.splice(1, 2, entry, ...options);
await import(pathToFileURL(entry).href);

/** Changes with every source: names, sizes and times of all files that the compiler reads. */
function stampOfSources() {
  const folders = ['apps', 'libs', 'tools', 'test', 'deploy'].filter((folder) => existsSync(join(root, folder)));
  const inFolders = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)));
  const sources = inFolders.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts')).sort();
  const hash = createHash('sha256');
  for (const file of [...sources, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function savedStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

/** While a run is on, its files stay as they are; the tool says then that it is on. */
async function isRunning() {
  const hold = join(root, 'dist', 'tools', 'start', 'folder-hold.js');
  if (!existsSync(hold)) return false;
  const { holderOfFolder } = await import(pathToFileURL(hold).href);
  return (await holderOfFolder?.(join(root, '.deskstream'))) !== undefined;
}

/** Compiles what changed. Output goes to stderr: `token` prints nothing but its token. */
async function build(newStamp) {
  console.error('Building …');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) fail('The packages are not installed: run "npm ci" first.');
  const child = spawn(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2] });
  const stop = () => child.kill();
  process.once('exit', stop);
  const [code] = await new Promise((resolve) => child.once('exit', (...end) => resolve(end)));
  process.off('exit', stop);
  if (code !== 0) fail('The build failed.');
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, newStamp);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
