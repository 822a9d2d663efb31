import { setTimeout as delay } from 'node:timers/promises';

/** Tries until `attempt` neither throws nor returns false, and returns what it returned; after `timeoutMs` the last failure is thrown. */
export async function eventually<T>(attempt: () => T | Promise<T>, timeoutMs = 10_000): Promise<Exclude<T, false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const result = await attempt();
      if (result !== false) return result as Exclude<T, false>;
      if (Date.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${attempt}`);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await delay(20);
  }
}
