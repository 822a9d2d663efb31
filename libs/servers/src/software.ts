import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { holdWhenFree } from './hold.js';
import { needTools, type Tool } from './machine.js';
import type { Surroundings } from './server.js';

/** A piece of server software and how it is built. */
export interface Software {
  readonly name: string;
  readonly version: string;
  /** What the machine needs to build it. */
  readonly tools: readonly Tool[];
  /** Files of it without which it is of no use, relative to its folder. */
  readonly proof: readonly string[];
  /** Builds it in an empty folder, which is moved to its final place afterwards. */
  readonly build: (folder: string) => Promise<void>;
}

type Talk = Pick<Surroundings, 'say' | 'signal'>;

/** Written as the last file of a build. */
const marker = '.complete';

/** Where this user's server software is kept between runs and checkouts. */
export function softwareHome(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'deskstream', 'servers');
}

/**
 * The folder of the software, built first when it is not there or not whole. Whoever asks for the same software meanwhile, in this process
 * or another, waits and takes over when the builder dies. Nothing unfinished is ever found under the final name.
 */
export async function install(software: Software, around: Talk, home = softwareHome()): Promise<string> {
  const folder = join(home, `${software.name}-${software.version}`);
  if (isWhole(folder, software)) return folder;
  const say = (text: string) => around.say(software.name, text);
  const hold = await holdWhenFree(
    `software ${folder}`,
    ({ pid }) => say(`waits for process ${pid ?? '(unknown)'}, which installs version ${software.version}`),
    around.signal,
  );
  try {
    if (!isWhole(folder, software)) await build(folder, software, around);
    return folder;
  } finally {
    await hold.release();
  }
}

function isWhole(folder: string, { proof }: Software): boolean {
  return [marker, ...proof].every((file) => existsSync(join(folder, file)));
}

async function build(folder: string, software: Software, around: Talk): Promise<void> {
  await needTools(software.name, software.tools, around);
  const home = dirname(folder);
  await mkdir(home, { recursive: true });
  await removeRemains(home, basename(folder));
  const since = Date.now();
  around.say(software.name, `installs version ${software.version}`);
  const building = await mkdtemp(`${folder}.building-`);
  try {
    await software.build(building);
    await writeFile(join(building, marker), '');
    await rename(building, folder);
  } finally {
    await rm(building, { recursive: true, force: true, maxRetries: 3 });
  }
  around.say(software.name, `is installed after ${Math.round((Date.now() - since) / 1_000)} s`);
}

/** What builders left that were killed, and a finished build that has lost files since. The hold says that nobody works on them. */
async function removeRemains(home: string, name: string): Promise<void> {
  const remains = (await readdir(home)).filter((entry) => entry === name || entry.startsWith(`${name}.building-`));
  await Promise.all(remains.map((entry) => rm(join(home, entry), { recursive: true, force: true })));
}
