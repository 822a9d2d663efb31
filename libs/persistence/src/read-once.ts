import mongoose from 'mongoose';
import { isPassing, isTimeUp } from './fault.js';

/** What is read of a collection: at most `limit` documents. */
export interface ShortQuestion {
  filter: object;
  limit: number;
  skip?: number;
  projection?: object;
  sort?: ReadonlyMap<string, 1 | -1>;
  /** Name of an index. Some engines look it up for each question, which takes longer than finding a document by its `_id`. */
  hint?: string | undefined;
  /** How long the server may work on it. */
  maxTimeMS: number;
}

/** Texts are looked at where they come in. To look at every character again took a third of the time of reading an answer. */
const asWritten = { enableUtf8Validation: false } as const;

/**
 * Documents that fit into one answer of the server, asked for as a command: the driver's cursor costs a service as much as the rest of a short read. What goes
 * wrong for a moment, and what does not fit, is left to the cursor, which tries again and reads on.
 * @throws what the driver throws
 */
export async function readOnce<T extends { _id: string }>(db: mongoose.mongo.Db, collection: string, question: ShortQuestion): Promise<T[]> {
  const answer = await ask<T>(db, collection, question).catch(unlessPassing);
  if (answer?.rest.isZero()) return answer.firstBatch;
  if (answer !== undefined) await db.command({ killCursors: collection, cursors: [answer.rest] }).catch(unlessPassing);
  const { filter, sort, ...options } = question;
  return db.collection<T>(collection).find(filter, { ...options, ...(sort && { sort: new Map(sort) }) } as mongoose.mongo.FindOptions).toArray() as Promise<T[]>;
}

interface Answer<T> {
  firstBatch: T[];
  /** The server's cursor on what is left: zero when that is nothing. */
  rest: mongoose.mongo.Long;
}

async function ask<T>(db: mongoose.mongo.Db, collection: string, { hint, ...question }: ShortQuestion): Promise<Answer<T>> {
  const batchSize = question.limit + 1; // with as many as are wanted, some servers keep a cursor for what nobody asks for
  const command = { find: collection, ...question, ...(hint !== undefined && { hint }), batchSize, readConcern: db.readConcern };
  const { cursor } = (await db.command(command, asWritten)) as { cursor: { firstBatch: T[]; id: number | mongoose.mongo.Long } };
  return { firstBatch: cursor.firstBatch, rest: mongoose.mongo.Long.fromValue(cursor.id) }; // small ones come as numbers, which no server takes back
}

function unlessPassing(error: unknown): undefined {
  if (!isPassing(error) || isTimeUp(error)) throw error;
}
