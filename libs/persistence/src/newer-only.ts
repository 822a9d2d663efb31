import type mongoose from 'mongoose';
import { guarded } from './fault.js';
import { failuresOf, insertEach } from './insert-each.js';

/** A document of which a newer version may come. */
export interface Versioned {
  _id: string;
  version: number;
}

/** A document to be stored, and whether nothing is known of its key yet. */
export interface Put<T extends Versioned> {
  document: T;
  isNew: boolean;
}

type Write<T extends Versioned> = mongoose.mongo.AnyBulkWriteOperation<T>;

/** A bulk is divided between so many connections: the store works on one bulk with one process. */
const connections = 2;
/** A part has at least so many documents: a bulk of few costs as much for being one as for what is in it. */
const smallestPart = 50;

/**
 * Stores documents; none ever replaces a newer one, whoever else writes at the same time. In the order of their keys: bulks that meet
 * in another order would lock each other out.
 * @param beside whether documents have fields that others write, which stay as they are
 * @throws StoreFault
 */
export async function putNewer<T extends Versioned>(collection: mongoose.mongo.Collection<T>, puts: readonly Put<T>[], { beside = false } = {}): Promise<void> {
  const replace = beside ? set : replaceAll;
  const sorted = [...puts].sort((one, other) => (one.document._id < other.document._id ? -1 : 1));
  await inParts(sorted, async (part) => {
    const lost = await write(collection, part.map((put) => (put.isNew ? insert(put.document) : replace(put.document))));
    // Somebody else inserted these first, perhaps an older version of them; the guard decides.
    if (lost.length > 0) await write(collection, lost.map((i) => replace(part[i]!.document)));
  });
}

/** Adds what is not there yet; what is there stays, and is answered. @throws StoreFault */
export async function addMissing<T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, documents: readonly T[]): Promise<T[]> {
  const there: T[] = [];
  await inParts(documents, async (part) => {
    const { lost, refused } = await insertEach(collection, part);
    if (refused.length > 0) throw refused[0]!.error;
    there.push(...lost);
  });
  return there;
}

const insert = <T extends { _id: string }>(document: T): Write<T & Versioned> => ({ insertOne: { document } }) as never;

/** Only over an older version. */
function replaceAll<T extends Versioned>({ _id, ...rest }: T): Write<T> {
  return { replaceOne: { filter: { _id, version: { $lt: rest.version } }, replacement: rest } } as never;
}

/** The same, for the fields that the document has. */
function set<T extends Versioned>({ _id, ...rest }: T): Write<T> {
  return { updateOne: { filter: { _id, version: { $lt: rest.version } }, update: { $set: rest } } } as never;
}

/** Runs all operations and answers the places of those that found a document of their key. */
const write = <T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, operations: Write<T & Versioned>[]): Promise<number[]> =>
  guarded(() => collection.bulkWrite(operations as never, { ordered: false }).then(() => [], duplicates));

/** Places of the operations of an unordered bulk that met a document of their key. @throws any other trouble, as the server told it; StoreFault */
export function duplicates(error: unknown): number[] {
  const { lost, refused } = failuresOf(error);
  if (refused.length > 0) throw refused[0]!.error;
  return lost;
}

async function inParts<T>(all: readonly T[], work: (part: T[]) => Promise<unknown>): Promise<void> {
  if (all.length === 0) return;
  const count = Math.min(connections, Math.max(1, Math.floor(all.length / smallestPart)));
  const size = Math.ceil(all.length / count);
  const parts = Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
  await Promise.all(parts.map(work));
}
