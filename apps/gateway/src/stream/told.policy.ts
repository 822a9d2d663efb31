import type { NoticeTold, Principal } from '#contracts';
import { lacks, sees } from '#domain';
import type { FollowedEvent } from './org-feed.js';

/** What somebody hears of an event: all of it, that there is a note, that its ticket has left their sight, or nothing. Judged by the ticket after it. */
export type Told = 'event' | 'note' | 'left' | 'nothing';

/** What somebody hears of an event. */
export function toldOf(principal: Principal, { sight, before, isNote }: Pick<FollowedEvent, 'sight' | 'before' | 'isNote'>): Told {
  if (sees(principal, sight as never)) return isNote && lacks(principal, 'read-notes') !== null ? 'note' : 'event';
  return before && sees(principal, before as never) ? 'left' : 'nothing';
}

/** Whether somebody hears of a notice: it is for them, and they may see what it is about now. */
export function hearsNotice(principal: Principal, { memberId, sight, isNote }: Pick<NoticeTold, 'memberId' | 'sight' | 'isNote'>): boolean {
  if (principal.actor.type !== 'member' || principal.actor.id !== memberId) return false;
  if (sight === null) return lacks(principal, 'administer') === null;
  return toldOf(principal, { sight, isNote }) === 'event';
}

/** The words for it, as JSON text. */
export function wordsOf({ ticketId, version, text }: FollowedEvent, told: Exclude<Told, 'nothing'>): string {
  if (told === 'event') return text;
  if (told === 'left') return JSON.stringify({ ticketId, version, type: 'left' });
  const { data: _data, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify({ ...rest, hidden: true });
}
