import type { GroupProgress } from '#messaging';

/** Consumers that follow the events for deadlines. */
export const deadlinesGroup = 'assignment-notification.deadlines';

/** Up to when events were heard, by all instances together. */
export const HEARING = Symbol('hearing');
export type Hearing = Pick<GroupProgress, 'heardUpTo' | 'start' | 'stop'>;
