import type { Principal } from '#contracts';
import { lacks, sees } from '#domain';
import type { FollowedEvent } from './org-feed.js';

/** What somebody hears of an event, as JSON text; null for nothing. Judged by the ticket after it; that a ticket has left their sight they hear once. */
export function toldOf(principal: Principal, { ticketId, version, sight, before, isNote, text }: FollowedEvent): string | null {
  if (sees(principal, sight as never)) return isNote && lacks(principal, 'read-notes') !== null ? hidden(text) : text;
  return before && sees(principal, before as never) ? JSON.stringify({ ticketId, version, type: 'left' }) : null;
}

function hidden(text: string): string {
  const { data: _data, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify({ ...rest, hidden: true });
}
