import { DeskstreamNoAnswer, DeskstreamProblem } from './errors.js';

/** How long the first pause may be, ms; each further one may be twice as long, up to the last. */
const [firstPauseMs, longestPauseMs] = [200, 10_000];

/** How long one call may go on. */
export interface Patience {
  /** `performance.now()` after which nothing is tried again. */
  until: number;
  signal?: AbortSignal | undefined;
}

/** Whether the same request may well succeed later: nobody answered, or the product asked for patience. */
export const passes = (error: unknown): error is DeskstreamNoAnswer | DeskstreamProblem =>
  error instanceof DeskstreamNoAnswer || (error instanceof DeskstreamProblem && (error.status === 429 || error.status === 503));

/** How long to wait after so many failures (from 0): what was asked for, and a random part of an exponential pause, so that those who failed together do not come back together. */
export function pauseAfter(error: unknown, failures: number): number {
  const asked = error instanceof DeskstreamProblem ? (error.retryAfterMs ?? 0) : 0;
  return asked + (0.5 + Math.random() / 2) * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20));
}

/** Tries until it succeeds, fails for good, or its time is up; then the last failure is thrown. */
export async function retried<T>(attempt: () => Promise<T>, { until, signal }: Patience): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const wait = pauseAfter(error, failures);
      if (!passes(error) || performance.now() + wait > until) throw error;
      await pause(wait, signal);
    }
  }
}

/** @throws the signal's reason, at once, when it is aborted */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
