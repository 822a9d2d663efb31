import { built } from '../../tools/places.js';
import type { AppChanges } from './app-handle.js';

/** Moments of ticket-command's write path, in their order. */
export const abortPoints = ['after-look-up', 'after-insert', 'after-some-events', 'after-events', 'before-offset-commit'] as const;
export type AbortPoint = (typeof abortPoints)[number];

/** Starts ticket-command so that it signals itself when it reaches a point for the `occurrence`th time (from 1). */
export const abortAt = (point: AbortPoint, occurrence = 1, signal: NodeJS.Signals = 'SIGKILL'): AppChanges => ({
  env: { ABORT_AT: `${point}#${occurrence}`, ABORT_WITH: signal },
  nodeOptions: ['--import', built('test/support/abort-points.js')],
});

/** Starts it as in production. */
export const undisturbed: AppChanges = { env: { ABORT_AT: '', ABORT_WITH: '' }, nodeOptions: [] };
