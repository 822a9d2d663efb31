import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** Jest as a process of its own, with a count of what it ran. */

const jest = join(dirname(createRequire(import.meta.url).resolve('jest/package.json')), 'bin/jest.js');

/** A run that takes longer hangs. */
const longestRun = 40 * 60_000;
/** Time for jest to end after its last spec; what is open then was left open by a spec. */
const timeToEnd = 15_000;

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @type {Counts} */
export const noTests = { passed: 0, failed: 0, skipped: 0 };

/** @type {(one: Counts, other: Counts) => Counts} */
export const sum = (one, other) => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: one.skipped + other.skipped,
});

/** Jest loads ES modules with this; its workers inherit it. Process groups of their own: what a spec started ends with it. */
const start = (args, output, env = {}) =>
  spawn(process.execPath, ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...args], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
    detached: true,
  });

/** The files that jest would run with these arguments. */
export async function listSpecs(args, signal) {
  const child = start([...args, '--listTests', '--json'], 'pipe');
  const release = endWith(child, signal);
  const [list, complaint, code] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  release();
  if (code !== 0) throw new Error(`jest could not list the specs: ${complaint}`);
  return JSON.parse(list);
}

/**
 * Runs jest and counts. A file that cannot be loaded counts as a failure, and so does a run that ends badly with no failed test.
 * @returns {Promise<Counts>}
 * @throws when jest ends without having told what it ran
 */
export async function runSpecs(args, { env, signal, say }) {
  const folder = await mkdtemp(join(tmpdir(), 'deskstream-specs-'));
  const outputFile = join(folder, 'results.json');
  const child = start([...args, '--json', '--outputFile', outputFile], 'inherit', env);
  const release = endWith(child, signal);
  const trouble = watch(child, outputFile);
  try {
    const code = await ended(child);
    const counts = countsOf(JSON.parse(await readFile(outputFile, 'utf8')));
    const reason = (await trouble) ?? (code !== 0 && counts.failed === 0 ? `jest ended with ${code}` : undefined);
    if (reason === undefined) return counts;
    say(reason);
    return sum(counts, { ...noTests, failed: 1 });
  } finally {
    release();
    await rm(folder, { recursive: true, force: true });
  }
}

const countsOf = ({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests }) => ({
  passed: numPassedTests,
  failed: numFailedTests + numRuntimeErrorTestSuites,
  skipped: numPendingTests + numTodoTests,
});

const isRunning = ({ exitCode, signalCode }) => exitCode === null && signalCode === null;

/** Exit code, or the signal's name. */
const ended = (child) => new Promise((resolve, reject) => child.once('error', reject).once('exit', (code, signal) => resolve(code ?? signal)));

/** Ends jest's whole process group when the signal is given, and in any case when jest has ended. */
function endWith(child, signal) {
  const end = () => endGroup(child);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  return () => {
    signal.removeEventListener('abort', end);
    endGroup(child);
  };
}

function endGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // nobody of the group is left
  }
}

/** Ends a run that hangs, and says so. */
async function watch(child, outputFile) {
  await whileRunning(child, longestRun, () => existsSync(outputFile));
  const isDone = existsSync(outputFile);
  if (isDone) await whileRunning(child, timeToEnd);
  if (!isRunning(child)) return undefined;
  endGroup(child);
  return isDone ? 'A spec left something open: jest did not end.' : `The run took longer than ${longestRun / 60_000} minutes.`;
}

/** Returns when the child has ended, the time in ms is up, or `isEnough`. */
async function whileRunning(child, time, isEnough = () => false) {
  const deadline = Date.now() + time;
  while (isRunning(child) && Date.now() < deadline && !isEnough()) await sleep(200);
}
