import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { look } from './identity.js';

const prefix = 'deskstream-of-';

/**
 * A new folder for this process below the system's temporary one; `kind` says in its name what it is for. Whoever makes it removes it; what a
 * killed process left is removed when the next one is made.
 */
export function temporaryFolder(kind: string): string {
  sweep();
  return mkdtempSync(join(tmpdir(), `${prefix}${ownerName(process.pid)}-${kind}-`));
}

/** The process id and a hash of when it was started: the id alone is given again to strangers. */
function ownerName(pid: number): string | undefined {
  const started = look(pid)?.started;
  return started === undefined ? undefined : `${pid}-${createHash('sha256').update(started).digest('hex').slice(0, 8)}`;
}

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const [owner, pid] = /^(\d+)-[0-9a-f]{8}/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '') ?? [];
    if (owner !== undefined && owner !== ownerName(Number(pid))) remove(join(tmpdir(), name));
  }
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // What its owner started is still ending, or it belongs to another user. There will be another sweep.
  }
}
