import { eventually as within } from '../../libs/servers/testing/eventually.js';

/** Tries until `attempt` neither throws nor returns false, and returns what it returned, or throws what it waited for in vain; patient, since processes start meanwhile and the machine does other things too. */
export const eventually = <T>(attempt: () => T | Promise<T>, timeoutMs = 120_000, what = String(attempt)) =>
  within(attempt, what, timeoutMs);
