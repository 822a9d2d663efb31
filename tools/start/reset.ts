import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { endLeftovers, ServersUnavailable, takeDataFolder } from '#servers';
import { dataDir, serviceNotes } from '../places.js';
import { FolderInUse, holdFolder } from './folder-hold.js';

process.exit(await reset());

/** Wipes the data folder unless something runs in it, and returns the exit code. */
async function reset(): Promise<number> {
  const name = basename(dataDir);
  if (!existsSync(dataDir)) return say(`There is no ${name} here: nothing to wipe.`);
  try {
    await holdFolder(dataDir);
    await endLeftBehind();
  } catch (error) {
    if (!(error instanceof FolderInUse || error instanceof ServersUnavailable)) throw error;
    console.error(`${error.message}\nStop it first: nothing was wiped.`);
    return 1;
  }
  for (const part of readdirSync(dataDir)) {
    rmSync(join(dataDir, part), { recursive: true, force: true, maxRetries: 3 });
    console.log(`removed ${name}/${part}`);
  }
  rmSync(dataDir, { recursive: true, force: true });
  return say('Installed servers are kept; the next npm start begins with empty data.');
}

/** What a killed run left behind must not write its files again. Throws `ServersUnavailable` while somebody has the servers open alone. */
async function endLeftBehind(): Promise<void> {
  const tell = (left: string, text: string) => console.log(`${left}: ${text}`);
  await endLeftovers(serviceNotes(dataDir), (left, pid) => tell(left, `ends process ${pid}, left behind by a killed run`));
  await takeDataFolder(dataDir, tell);
}

function say(text: string): number {
  console.log(text);
  return 0;
}
