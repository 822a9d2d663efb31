/**
 * Runs the tests after a build: `npm test [-- [--only unit|integration|journeys]… [paths and options of jest]]`, `npm run test:unit`.
 *
 * Unit specs need nothing but memory. The others run side by side in two lanes. For each lane a Kafka and a MongoDB are opened on free ports, beside
 * whatever runs on this machine, and named to its specs as KAFKA_BROKERS and MONGODB_URI (`lane.mjs`). The last line counts: `N passed, N failed, N skipped`. Exits with 1 when anything
 * failed or nothing ran, with 130 when it was interrupted; nothing that it started outlives it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listSpecs, noTests, runSpecs, sum } from './specs.mjs';

const began = Date.now();
const projects = ['unit', 'integration', 'journeys'];
/** A test that names no time of its own has this many ms, on a machine that does other things too. */
const patience = { unit: '60000', servers: '300000' };
/** Specs that need servers mostly wait for them: two at once take little longer than one. */
const lanes = 2;
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
  const unknown = only.filter((name) => !projects.includes(name));
  if (unknown.length > 0) throw new Error(`--only takes ${projects.join(', ')}`);
  return { chosen: projects.filter((name) => only.length === 0 || only.includes(name)), rest };
}

/** Runs `work` with this many pairs of servers of our own, or with the one pair that the environment names. Stops them whatever happens. */
async function withServers(count, work) {
  const { temporaryFolder } = await import('#servers');
  const folders = Array.from({ length: count }, () => temporaryFolder('test'));
  const opening = folders.map(openLane);
  try {
    return await work(await Promise.all(opening), folders[0]);
  } finally {
    await Promise.all((await Promise.allSettled(opening)).map(({ value }) => value?.stop()));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
    say('servers stopped');
  }
}

async function openLane(dataDir, lane) {
  const { openServers } = await import('#servers');
  const { makeTopics } = await import(new URL('../dist/tools/processes/local-topics.js', import.meta.url).href);
  const servers = await openServers({
    dataDir,
    memory: 'small',
    progress: ({ part, text }) => say(`lane ${lane + 1}: ${part}: ${text}`),
    onDeath: ({ server, text }) => say(`lane ${lane + 1}: ${server} died and is started again: ${text}`),
    signal: interrupted.signal,
  });
  try {
    await makeTopics(servers.kafkaBrokers); // again and again: nowhere is a broker slower than beside all that begins now
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** The counts of some projects' specs. */
async function run(names, args, env = {}) {
  const title = names.join(' and ');
  say(`${title} specs`);
  const counts = await runSpecs([...args, '--selectProjects', ...names], { env, signal: interrupted.signal, say });
  say(`${title}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts;
}

/** Specs of projects that need servers, whose services are compiled once: in one lane on servers that somebody named, whose consumer groups two lanes would share. */
async function runInLanes(specs, rest) {
  const files = specs.reduce((total, { count }) => total + count, 0);
  const isNamed = Boolean(process.env.KAFKA_BROKERS || process.env.MONGODB_URI);
  const count = isNamed ? 1 : Math.min(lanes, files);
  return withServers(count, (servers, folder) => {
    const named = servers.map(({ kafkaBrokers, mongodbUri }) => ({ KAFKA_BROKERS: kafkaBrokers, MONGODB_URI: mongodbUri }));
    const workers = count === 1 ? ['--runInBand'] : ['--maxWorkers', String(count)];
    const env = { DESKSTREAM_LANES: JSON.stringify(named), NODE_COMPILE_CACHE: join(folder, 'compiled') };
    return run(specs.map(({ name }) => name), [...rest, ...workers, '--testTimeout', patience.servers], env);
  });
}

/** The projects that have specs under the given paths, and how many files of them. */
async function withSpecs(names, rest) {
  const lists = await Promise.all(names.map((name) => listSpecs([...rest, '--selectProjects', name], interrupted.signal)));
  return names.map((name, index) => ({ name, count: lists[index].length })).filter(({ count }) => count > 0);
}

async function main() {
  let counts = noTests;
  try {
    if (Number(process.versions.node.split('.')[0]) < 24) throw new Error(`Node ${process.version} is too old: "npm test" brings Node 24.`);
    const { chosen, rest } = parse(process.argv.slice(2));
    const specs = await withSpecs(chosen, rest);
    const others = specs.filter(({ name }) => name !== 'unit');
    const all = await Promise.all([
      others.length < specs.length ? run(['unit'], [...rest, '--testTimeout', patience.unit]) : noTests,
      others.length > 0 ? runInLanes(others, rest) : noTests,
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
