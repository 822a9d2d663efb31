/**
 * Runs the tests after a build: `npm test [-- [--only unit|integration|journeys]… [paths and options of jest]]`, `npm run test:unit`.
 *
 * Unit specs need nothing but memory. For the others a Kafka and a MongoDB are opened on free ports, beside whatever runs on this machine,
 * and named to the specs as KAFKA_BROKERS and MONGODB_URI. The last line counts: `N passed, N failed, N skipped`. Exits with 1 when anything
 * failed or nothing ran, with 130 when it was interrupted; nothing that it started outlives it.
 */
import { rm } from 'node:fs/promises';
import { listSpecs, noTests, runSpecs, sum } from './specs.mjs';

const began = Date.now();
/** A test that names no time of its own has this many ms, on a machine that does other things too. */
const projects = {
  unit: ['--testTimeout', '15000'],
  integration: ['--testTimeout', '30000', '--runInBand'],
  journeys: ['--testTimeout', '60000', '--runInBand'],
};
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));

const say = (text) => console.log(`[${String(Math.round((Date.now() - began) / 1_000)).padStart(4)} s] ${text}`);

/** Takes `--only <project>` out; the rest is jest's. */
function parse(words) {
  const only = [];
  const rest = [];
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '--only') only.push(words[++i]);
    else rest.push(words[i]);
  }
  const unknown = only.filter((name) => !Object.hasOwn(projects, name));
  if (unknown.length > 0) throw new Error(`--only takes ${Object.keys(projects).join(', ')}`);
  return { chosen: Object.keys(projects).filter((name) => only.length === 0 || only.includes(name)), rest };
}

/** Runs `work` with servers of our own, or those that the environment names. Stops them whatever happens. */
async function withServers(work) {
  const { openServers, temporaryFolder } = await import('#servers');
  const { ensureTopics, readTopics } = await import('#messaging');
  const folder = temporaryFolder('test');
  try {
    const servers = await openServers({
      dataDir: folder,
      memory: 'small',
      progress: ({ part, text }) => say(`${part}: ${text}`),
      onDeath: ({ server, text }) => say(`${server} died and is started again: ${text}`),
      signal: interrupted.signal,
    });
    try {
      await ensureTopics(servers.kafkaBrokers.split(','), await readTopics('deploy/topics.yaml', 'local'));
      return await work({ KAFKA_BROKERS: servers.kafkaBrokers, MONGODB_URI: servers.mongodbUri });
    } finally {
      await servers.stop();
      say('servers stopped');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The counts of one project's specs. */
async function runProject(name, rest, env) {
  say(`${name} specs`);
  const counts = await runSpecs([...rest, '--selectProjects', name, ...projects[name]], { env, signal: interrupted.signal, say });
  say(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts;
}

async function runProjects(names, rest, env = {}) {
  let counts = noTests;
  for (const name of names) counts = sum(counts, await runProject(name, rest, env));
  return counts;
}

/** The projects that have specs under the given paths. */
async function withSpecs(names, rest) {
  const lists = await Promise.all(names.map((name) => listSpecs([...rest, '--selectProjects', name], interrupted.signal)));
  return names.filter((_, index) => lists[index].length > 0);
}

async function main() {
  let counts = noTests;
  try {
    if (Number(process.versions.node.split('.')[0]) < 24) throw new Error(`Node ${process.version} is too old: "npm test" brings Node 24.`);
    const { chosen, rest } = parse(process.argv.slice(2));
    const names = await withSpecs(chosen, rest);
    const others = names.filter((name) => name !== 'unit');
    // Unit specs need the processor, the others mostly wait for servers.
    const all = await Promise.all([
      names.includes('unit') ? runProjects(['unit'], rest) : noTests,
      others.length > 0 ? withServers((env) => runProjects(others, rest, env)) : noTests,
    ]);
    counts = all.reduce(sum);
  } catch (error) {
    say(interrupted.signal.aborted ? interrupted.signal.reason.message : error.stack);
    counts = sum(counts, { ...noTests, failed: 1 });
  }
  return counts;
}

const { passed, failed, skipped } = await main();
if (passed + failed === 0) say('No test ran.');
say(`done in ${Math.round((Date.now() - began) / 1_000)} s`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = interrupted.signal.aborted ? 130 : failed > 0 || passed === 0 ? 1 : 0;
