import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { directoryKey, DirectorySeed, ProducersSeed } from '#contracts';
import type { Contents, Wanted } from './directory.store.js';

/** Reads the entries of a directory file. @throws Error naming the file when it cannot be read, is not valid, or names somebody twice */
export function readSeed(file: string): Contents {
  const { organisations } = parsed(file, DirectorySeed);
  const entries = organisations.flatMap(({ id: orgId, members, assistants }): Wanted[] => [
    ...members.map((value) => ({ orgId, kind: 'member' as const, id: value.id, value })),
    ...assistants.map((value) => ({ orgId, kind: 'assistant' as const, id: value.id, value })),
  ]);
  return { part: { kinds: ['member', 'assistant'], organisations: organisations.map(({ id }) => id) }, entries: eachOnce(file, entries) };
}

/**
 * Reads what a file lets outside systems do. It answers for what it named before, not for what administrators registered; that the assistants
 * exist is not asked: they may be made later. @throws Error naming the file when it cannot be read, is not valid, or names something twice
 */
export function readProducers(file: string): Contents {
  const { organisations } = parsed(file, ProducersSeed);
  const entries = organisations.flatMap(({ id: orgId, producers }) => producers.map((value): Wanted => ({ orgId, kind: 'producer', id: value.id, value })));
  return { part: { kinds: ['producer'], organisations: 'seeded' }, entries: eachOnce(file, entries) };
}

function eachOnce(file: string, entries: Wanted[]): Wanted[] {
  const seen = new Set<string>();
  const twice = entries.map(directoryKey).find((key) => seen.size === seen.add(key).size);
  if (twice !== undefined) throw new Error(`${file} names ${twice} twice`);
  return entries;
}

function parsed<T>(file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
