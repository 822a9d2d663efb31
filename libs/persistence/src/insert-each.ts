import mongoose from 'mongoose';
import { guarded, isPassing, StoreFault } from './fault.js';

const { MongoBulkWriteError, MongoServerError } = mongoose.mongo;

const duplicateKey = 11_000;

/** How an insert ended: `lost` documents met others with the same keys, `refused` ones the store will never take. */
export interface Inserted<T> {
  lost: T[];
  refused: { document: T; error: Error }[];
}

const byId = (one: { _id: string }, other: { _id: string }) => (one._id < other._id ? -1 : 1);

/**
 * Inserts each document that is not there yet, in one round trip, in one order, whoever inserts: two instances that insert the same documents
 * in different order would wait for each other, which PostgreSQL-based engines break up one document a second.
 * @param order of their ids unless told otherwise; all who insert into the collection must have the same
 * @throws StoreFault when the store cannot do it right now: some may be there by then
 */
export async function insertEach<T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, documents: readonly T[], order: (one: T, other: T) => number = byId): Promise<Inserted<T>> {
  if (documents.length === 0) return { lost: [], refused: [] };
  const sorted = [...documents].sort(order);
  const options = { ordered: false, ignoreUndefined: true } as const;
  const { lost, refused } = await guarded(() => collection.insertMany(sorted as mongoose.mongo.OptionalUnlessRequiredId<T>[], options).then(() => nothing, failuresOf));
  return {
    lost: lost.map((place) => sorted[place]!),
    refused: refused.map(({ place, error }) => ({ document: sorted[place]!, error })),
  };
}

/** What failed in an unordered bulk, by the places of its operations. */
interface Failures {
  lost: number[];
  refused: { place: number; error: Error }[];
}

const nothing: Failures = { lost: [], refused: [] };

/**
 * Tells the operations of an unordered bulk that met a document of the same keys from those the store refuses.
 * @throws StoreFault for trouble of the store, among it or with keeping what was written; anything that is not about single operations as it is
 */
export function failuresOf(error: unknown): Failures {
  const failures = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
  // A bulk error without any is one about reaching the server: nobody knows what was written.
  if (!(error instanceof MongoBulkWriteError) || failures.length === 0) throw error;
  // What went in may not survive a fail-over, or what did not goes in when tried again: all of it is, either way.
  if (error.result.getWriteConcernError() !== undefined) throw new StoreFault(error);
  const trouble = failures.map(asError).find(isPassing);
  if (trouble !== undefined) throw new StoreFault(trouble);
  const [lost = [], refused = []] = [true, false].map((isLost) => failures.filter(({ code }) => (code === duplicateKey) === isLost));
  return { lost: lost.map(({ index }) => index), refused: refused.map((failure) => ({ place: failure.index, error: asError(failure) })) };
}

const asError = ({ code, errmsg }: mongoose.mongo.WriteError) => new MongoServerError({ message: errmsg ?? `refused with code ${code}`, code });
