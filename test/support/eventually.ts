import { eventually as within } from '../../tools/testing/eventually.js';

/** Tries until `attempt` neither throws nor returns false, and returns what it returned; patient, since processes start meanwhile and the machine does other things too. */
export const eventually = <T>(attempt: () => T | Promise<T>, timeoutMs = 30_000) => within(attempt, timeoutMs);
