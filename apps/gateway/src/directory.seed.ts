import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { directoryKey, DirectorySeed, ProducersSeed, type DirectoryEntry, type NewProducer } from '#contracts';
import { begun, filed, type Judge } from './directory.policy.js';
import type { DirectoryStore, Named } from './directory.store.js';

/** What an entry should be, before the store knows its revision. */
export type Wanted = Named & Pick<DirectoryEntry, 'value'>;

/** The same of an outside system. */
export type WantedProducer = Named & { value: NewProducer };

/** What a file says of the directory: the first members and assistants of organisations that have none yet, or outside systems; the file answers for those it names, at every start. */
export type Seed = { of: 'beginnings'; entries: readonly Wanted[] } | { of: 'producers'; entries: readonly WantedProducer[] };

/** Reads the entries of a directory file. @throws Error naming the file when it cannot be read, is not valid, or names somebody twice */
export function readSeed(file: string): Seed {
  const { organisations } = parsed(file, DirectorySeed);
  const entries = organisations.flatMap(({ id: orgId, members, assistants }): Wanted[] => [
    ...members.map((value) => ({ orgId, kind: 'member' as const, id: value.id, value })),
    ...assistants.map((value) => ({ orgId, kind: 'assistant' as const, id: value.id, value })),
  ]);
  return { of: 'beginnings', entries: eachOnce(file, entries) };
}

/**
 * Reads what a file lets outside systems do. It answers for what it named before, not for what administrators registered; that the assistants
 * exist is not asked: they may be made later. @throws Error naming the file when it cannot be read, is not valid, or names something twice
 */
export function readProducers(file: string): Seed {
  const { organisations } = parsed(file, ProducersSeed);
  const entries = organisations.flatMap(({ id: orgId, producers }) => producers.map((value): WantedProducer => ({ orgId, kind: 'producer', id: value.id, value })));
  return { of: 'producers', entries: eachOnce(file, entries) };
}

/** Brings what a file says into the directory. Two gateways at once do it once, and after a crash the next start goes on with it. Throws `StoreFault`. */
export const fill = (store: DirectoryStore, seed: Seed): Promise<void> => (seed.of === 'beginnings' ? begin(store, seed.entries) : keep(store, seed.entries));

/** What is there already stays as it is, and what was deleted stays deleted: administrators may be at work by now. */
async function begin(store: DirectoryStore, entries: readonly Wanted[]): Promise<void> {
  for (const [orgId, first] of Map.groupBy(entries, (entry) => entry.orgId)) {
    if (!(await store.isToBegin(orgId))) continue;
    for (const wanted of first) await store.edit(wanted, added(wanted));
    await store.begun(orgId);
  }
}

const added = ({ value }: Wanted): Judge => (current) => (current === null ? { outcome: 'created', set: { deleted: false, value } } : { outcome: 'exists' });

/** What differs gets its next revision; what was named before and is not any more is marked deleted. */
async function keep(store: DirectoryStore, entries: readonly WantedProducer[]): Promise<void> {
  const leftovers = new Map((await store.seeded('producer')).map((entry) => [directoryKey(entry), entry]));
  for (const wanted of entries) {
    await store.edit(wanted, begun(wanted.value, new Date(), filed));
    leftovers.delete(directoryKey(wanted));
  }
  for (const entry of leftovers.values()) if (!entry.deleted) await store.edit(entry, () => ({ outcome: 'done', set: { deleted: true } }));
}

function eachOnce<T extends Named>(file: string, entries: T[]): T[] {
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
