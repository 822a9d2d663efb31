import { guarded } from '#persistence';

/** The service's own database. */
export const STORE = Symbol('store');

/** False for the error that a document of its key is there; throws any other. */
export function unlessThere(error: unknown): false {
  if ((error as { code?: unknown }).code === 11_000) return false;
  throw error;
}

/** What a cursor finds, read as it is asked for. Iterating throws StoreFault. */
export async function* oneByOne<T>(cursor: { next(): Promise<T | null>; close(): Promise<void> }): AsyncGenerator<T> {
  try {
    for (let found = await guarded(() => cursor.next()); found !== null; found = await guarded(() => cursor.next())) yield found;
  } finally {
    await cursor.close();
  }
}
