import mongoose from 'mongoose';
import { guarded, isPassing, StoreFault } from './fault.js';

const { MongoBulkWriteError, MongoServerError } = mongoose.mongo;

const duplicateKey = 11_000;

/** How an insert ended: `lost` documents met others with the same keys, `refused` ones the store will never take. */
export interface Inserted<T> {
  lost: T[];
  refused: { document: T; error: Error }[];
}

/**
 * Inserts each document that is not there yet, in one round trip, in the order of their ids, whoever inserts: two instances that insert the same documents
 * in different order would wait for each other, which PostgreSQL-based engines break up one document a second.
 * @throws StoreFault when the store cannot do it right now: some may be there by then
 */
export async function insertEach<T extends { _id: string }>(collection: mongoose.mongo.Collection<T>, documents: readonly T[]): Promise<Inserted<T>> {
  if (documents.length === 0) return { lost: [], refused: [] };
  const sorted = [...documents].sort((one, other) => (one._id < other._id ? -1 : 1));
  return guarded(() =>
    collection.insertMany(sorted as mongoose.mongo.OptionalUnlessRequiredId<T>[], { ordered: false, ignoreUndefined: true }).then(
      () => ({ lost: [], refused: [] }),
      (error: unknown) => sortedOut(error, sorted),
    ),
  );
}

/** Tells the documents that lost a race from those the store refuses; anything that is not about single documents is thrown on. */
function sortedOut<T>(error: unknown, documents: readonly T[]): Inserted<T> {
  const failures = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
  if (!(error instanceof MongoBulkWriteError) || failures.length === 0) throw error;
  // What went in may not survive a fail-over, or what did not goes in when tried again: the round is, either way.
  if (error.result.getWriteConcernError() !== undefined) throw new StoreFault(error);
  const trouble = failures.map(asError).find(isPassing);
  if (trouble !== undefined) throw new StoreFault(trouble);
  const of = (isLost: boolean) => failures.filter(({ code }) => (code === duplicateKey) === isLost);
  return {
    lost: of(true).map(({ index }) => documents[index]!),
    refused: of(false).map((failure) => ({ document: documents[failure.index]!, error: asError(failure) })),
  };
}

const asError = ({ code, errmsg }: mongoose.mongo.WriteError) => new MongoServerError({ message: errmsg ?? `refused with code ${code}`, code });
