import { ProblemError } from '#observability';
import { isPassing } from '#persistence';

/** No query works longer, ms. */
export const longestMs = 2_000;
/** A store that says nothing for so long is taken for down, ms: a little longer than it may work on a query. */
const patienceMs = 2_500;

/** Runs a read for somebody who waits. @throws ProblemError dependency-unavailable, for trouble of the store that passes, queries that take too long, and silence */
export async function asking<T>(read: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(unavailable()), patienceMs)));
  try {
    return await Promise.race([read(), silence]);
  } catch (error) {
    throw isPassing(error) ? unavailable() : error;
  } finally {
    clearTimeout(timer);
  }
}

/** What comes of it while there is time: `instead` where it cannot be answered, or not until then (of `performance.now()`). @throws what it throws but that it cannot be answered */
export async function inTime<T>(answer: Promise<T>, until: number, instead: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(instead), until - performance.now())));
  try {
    return await Promise.race([answer, timeUp]);
  } catch (error) {
    if (isUnavailable(error)) return instead;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const isUnavailable = (error: unknown) => error instanceof ProblemError && error.problem.type === '/problems/dependency-unavailable';

/** What somebody is told whose question would take too long. */
export const tooLong = () => unavailable();

/** What somebody is told whose question cannot be answered just now. */
export const unavailable = () => new ProblemError('dependency-unavailable', 'The read model cannot answer right now.', {}, { 'retry-after': '1' });
