import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Runs an operation until it succeeds, as long as it fails with trouble that passes (an error marked `passes: true`); any other error is thrown.
 * For start-up: a service waits for its store instead of dying in a loop, and its health tells so meanwhile.
 */
export async function patiently<T>(what: string, operation: () => Promise<T>): Promise<T> {
  const logger = new Logger('start');
  for (let pause = firstPauseMs; ; pause = Math.min(longestPauseMs, pause * 2)) {
    try {
      return await operation();
    } catch (error) {
      if ((error as { passes?: unknown } | null)?.passes !== true) throw error;
      logger.warn({ msg: `${what} must wait`, err: error, retryMs: pause });
      await delay(pause);
    }
  }
}
