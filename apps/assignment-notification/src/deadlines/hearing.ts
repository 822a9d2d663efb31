import { topics } from '#contracts';
import { GroupProgress } from '#messaging';

/** Consumers that follow the events for deadlines. */
export const deadlinesGroup = 'assignment-notification.deadlines';

/** Whoever decides commands: it commits them once what came of them is on its topic. */
const decidingGroup = 'ticket-command';

/** Up to when events were heard, by all instances together. */
export const HEARING = Symbol('hearing');
export type Hearing = Pick<GroupProgress, 'heardUpTo' | 'start' | 'stop'>;

/**
 * Hears up to when everything that was decided has come, of one look after the other: first how far commands are worked off, then how far the events that were there by then
 * are. A reply that was stored and not published, by a process that died in between, belongs to a command that nobody has committed.
 */
export function hearingAt(brokers: string[], clock: () => number): Hearing {
  const decided = GroupProgress.of({ brokers, clientId: 'assignment-notification-deciding', group: decidingGroup, topic: topics.commands }, clock);
  const heard = GroupProgress.of({ brokers, clientId: 'assignment-notification-hearing', group: deadlinesGroup, topic: topics.events }, () => decided.heardUpTo);
  const both = [decided, heard];
  return {
    get heardUpTo() {
      return heard.heardUpTo;
    },
    start: () => both.forEach((one) => one.start()),
    stop: async () => void (await Promise.all(both.map((one) => one.stop()))),
  };
}
