import { setTimeout as delay } from 'node:timers/promises';

/** What an address answered last: a status with the first part of its body, or why there was no answer. */
export type Answer = { ok: boolean; text: string };

/** Asks an address once, for at most 2 s. */
export async function ask(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return { ok: response.ok, text: `${response.status} ${(await response.text()).slice(0, 500)}` };
  } catch (error) {
    const { cause, message } = error as Error;
    return { ok: false, text: `no answer (${cause instanceof Error ? cause.message || cause.name : message})` };
  }
}

/**
 * Asks until the answer is good. Returns undefined then, and the last bad answer when `timeoutMs` have passed or `isOver` says that
 * there is nothing left to wait for.
 */
export async function untilReady(url: string, timeoutMs: number, isOver: () => boolean = () => false): Promise<Answer | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask(url);
    if (answer.ok) return undefined;
    if (Date.now() > deadline || isOver()) return answer;
    await delay(100);
  }
}
