import { built } from '../../tools/places.js';
import type { AppChanges } from './app-handle.js';

/** Moments of ticket-command's write path, in their order. */
export const abortPoints = ['after-look-up', 'after-insert', 'after-some-events', 'after-events', 'before-offset-commit'] as const;
/** Moments of ticket-command's work on records of outside systems, in their order: commands forwarded, dead letters written, systems told. */
export const inboundPoints = ['before-forward', 'after-some-forwards', 'after-forwards', 'after-letters', 'after-telling'] as const;
/** Moments of query-search's projection, in their order. */
export const projectionPoints = ['before-rows', 'after-rows', 'after-feed', 'after-views', 'before-offset-commit'] as const;
/** Moments of assignment-notification's work on a ticket that needs somebody, or is handed back. */
export const choicePoints = ['after-facts', 'after-choice', 'after-forwards', 'after-hand-back', 'after-some-forwards'] as const;
/** Moments of its work on a deadline that is missed. */
export const deadlinePoints = ['after-missed', 'after-some-news', 'after-news'] as const;
/** Moments of its telling people, requesters and webhooks of events, in their order: notices stored, told to who listens, deliveries claimed, all of it noted; a try stored, its outcome reported. */
export const tellingPoints = ['after-notices', 'after-live', 'after-claims', 'after-judged', 'before-claims-commit', 'before-note', 'after-note', 'before-report', 'after-report'] as const;
/** Moments of its work on a mail that comes in. */
export const mailPoints = ['after-mail', 'after-forwards'] as const;
/** Moments of assignment-notification's telling outside systems of events. */
export const outboundPoints = ['before-outbound', 'after-some-outbound', 'after-outbound', 'before-outbound-commit'] as const;
export type AbortPoint =
  | (typeof abortPoints | typeof inboundPoints | typeof projectionPoints | typeof choicePoints | typeof outboundPoints)[number]
  | (typeof deadlinePoints | typeof tellingPoints | typeof mailPoints)[number]
  | 'after-replayed';

export interface AbortPlan {
  point: AbortPoint;
  /** The how-manyth time the point is reached, from 1. */
  occurrence?: number;
  /** Default: SIGKILL. */
  signal?: NodeJS.Signals;
  /** `later`: nothing counts before SIGUSR2. */
  armed?: 'at once' | 'later';
}

/** Starts a service so that it signals itself when it reaches a point of its work. */
export const abortAt = ({ point, occurrence = 1, signal = 'SIGKILL', armed = 'at once' }: AbortPlan): AppChanges => ({
  env: { ABORT_AT: `${point}#${occurrence}`, ABORT_WITH: signal, ABORT_ARMED: armed },
  nodeOptions: ['--import', built('test/support/abort-points.js')],
});

/** Starts it as in production. */
export const undisturbed: AppChanges = { env: { ABORT_AT: '', ABORT_WITH: '', ABORT_ARMED: '' }, nodeOptions: [] };
