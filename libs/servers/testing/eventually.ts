import { setTimeout as delay } from 'node:timers/promises';

/**
 * Tries until `attempt` neither throws nor returns false, and returns what it returned. After `withinMs` it throws an error that says for what
 * it waited in vain, and why the last attempt failed.
 */
export async function eventually<T>(attempt: () => T | Promise<T>, what: string, withinMs = 120_000): Promise<Exclude<T, false>> {
  for (const deadline = Date.now() + withinMs; ; await delay(25)) {
    let cause: unknown;
    try {
      const result = await attempt();
      if (result !== false) return result as Exclude<T, false>;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw inVain(what, withinMs, cause);
  }
}

function inVain(what: string, withinMs: number, cause: unknown): Error {
  const why = cause === undefined ? '' : `\n${cause instanceof Error ? cause.message : String(cause)}`;
  return new Error(`waited ${withinMs / 1_000} s in vain until ${what}${why}`, { cause });
}
