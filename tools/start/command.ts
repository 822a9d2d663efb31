import { mkdirSync } from 'node:fs';
import { readOrganisations } from '../issuer/people.js';
import { whenNpmIsGone } from './ancestors.js';
import { FolderInUse, holdFolder } from './folder-hold.js';
import { readRun } from './run-file.js';
import { listenForStop, type StopWish } from './signals.js';
import { Supervisor, type SupervisorParts } from './supervisor.js';
import { addresses, welcome } from './welcome.js';

/** Said to the person who started us, without a stack. */
export class Refused extends Error {}

/** After the wish to hurry; what is left then is ended by its leash. */
const hurryMs = 2_000;

/** Runs everything until somebody wants it to stop: a signal, or the end of the npm that started it. Returns the exit code. */
export async function runUntilStopped(parts: SupervisorParts, isExpected: (error: unknown) => boolean): Promise<number> {
  const stop = listenForStop();
  whenNpmIsGone(() => stop.ask('npm is gone'));
  // A reader of our output that went away (`| head`, a closed window) is no reason to die.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  try {
    mkdirSync(parts.dataDir, { recursive: true });
    await hold(parts.dataDir);
    await supervise(parts, stop);
    return 0;
  } catch (error) {
    const isPlain = error instanceof Refused || isExpected(error);
    console.error(isPlain ? (error as Error).message : error);
    return 1;
  }
}

async function hold(dataDir: string) {
  try {
    await holdFolder(dataDir);
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    const run = readRun(dataDir);
    throw new Refused(`${error.message}\n${run ? addresses(run) : '  It is not ready yet.'}`);
  }
}

/** Returns when everything has stopped; throws, after stopping, when the start failed. */
async function supervise(parts: SupervisorParts, stop: StopWish) {
  const { terminal } = parts;
  const supervisor = new Supervisor(parts);
  const started = start(supervisor, parts);
  started.catch(() => {}); // a stop in the middle makes it fail; nobody asks then
  try {
    const reason = await Promise.race([stop.asked, started.then(() => stop.asked)]);
    terminal.tell('deskstream', `stopping (${reason})`);
  } finally {
    const hurried = Promise.withResolvers<void>();
    stop.hurry.addEventListener('abort', () => setTimeout(hurried.resolve, hurryMs));
    await Promise.race([supervisor.stop(stop.hurry), hurried.promise]);
    terminal.tell('deskstream', 'stopped');
  }
}

async function start(supervisor: Supervisor, { terminal, directoryFile }: SupervisorParts) {
  const began = performance.now();
  const run = await supervisor.start();
  terminal.tell('deskstream', `ready after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  terminal.block(welcome(run, readOrganisations(directoryFile)));
}
