import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dataDir } from '../places.js';
import { FolderInUse, holdFolder } from './folder-hold.js';
import { awaitPredecessor, awaitServersOfPredecessor } from './predecessor.js';

process.exit(await reset());

/** Wipes the data folder unless something runs in it, and returns the exit code. */
async function reset(): Promise<number> {
  const name = basename(dataDir);
  if (!existsSync(dataDir)) return say(`There is no ${name} here: nothing to wipe.`);
  try {
    await holdFolder(dataDir);
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    console.error(`${error.message} Stop it first; nothing was wiped.`);
    return 1;
  }
  await awaitPredecessor(dataDir);
  await awaitServersOfPredecessor(dataDir);
  for (const part of readdirSync(dataDir)) {
    rmSync(join(dataDir, part), { recursive: true, force: true, maxRetries: 3 });
    console.log(`removed ${name}/${part}`);
  }
  rmSync(dataDir, { recursive: true, force: true });
  return say('Installed servers are kept; the next npm start begins with empty data.');
}

function say(text: string): number {
  console.log(text);
  return 0;
}
