import { ProblemError } from '#observability';
import { isPassing } from '#persistence';

/** Runs a read for somebody who waits: trouble of the store that passes is told as 503, a query that takes too long too. */
export async function asking<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isPassing(error)) throw error;
    throw new ProblemError('dependency-unavailable', 'The read model cannot answer right now.', {}, { 'retry-after': '1' });
  }
}
