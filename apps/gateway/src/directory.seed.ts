import { readFileSync } from 'node:fs';
import { directoryKey, DirectorySeed } from '#contracts';
import type { Contents, Wanted } from './directory.store.js';

/** Reads the entries of a directory file. @throws Error naming the file when it cannot be read, is not valid, or names somebody twice */
export function readSeed(file: string): Contents {
  const { organisations } = DirectorySeed.parse(parsed(file));
  const entries = organisations.flatMap(({ id: orgId, members, assistants }): Wanted[] => [
    ...members.map((value) => ({ orgId, kind: 'member' as const, id: value.id, value })),
    ...assistants.map((value) => ({ orgId, kind: 'assistant' as const, id: value.id, value })),
  ]);
  const seen = new Set<string>();
  const twice = entries.map(directoryKey).find((key) => seen.size === seen.add(key).size);
  if (twice !== undefined) throw new Error(`${file} names ${twice} twice`);
  return { organisations: organisations.map(({ id }) => id), entries };
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file} cannot be read as a directory`, { cause });
  }
}
