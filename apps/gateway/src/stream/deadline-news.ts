import { LRUCache } from 'lru-cache';
import type { DeadlineNews, DeadlineTold, Principal } from '#contracts';
import { sees } from '#domain';
import type { FollowedEvent } from './org-feed.js';

/** Tickets of an organisation of which it is remembered what was told last. */
const mostRemembered = 5_000;

type Sight = DeadlineNews['sight'];

/** What an organisation's listeners may hear of deadlines: of each ticket by who sees it now, as far as its events have told, and nothing older after something newer. */
export class DeadlineFeed {
  private readonly sights = new LRUCache<string, { version: number; sight: Sight }>({ max: mostRemembered });
  private readonly revisions = new LRUCache<string, number>({ max: mostRemembered });

  /** Events of the organisation, as its listeners hear of them. */
  note(events: readonly FollowedEvent[]): void {
    for (const { ticketId, version, sight } of events) if ((this.sights.get(ticketId)?.version ?? 0) < version) this.sights.set(ticketId, { version, sight: sight as Sight });
  }

  /** The message for those who see the ticket; undefined for one that comes late or again. */
  next(news: DeadlineNews): { words: Buffer; isFor: (principal: Principal) => boolean } | undefined {
    const { ticketId, revision, version } = news;
    if ((this.revisions.get(ticketId) ?? 0) >= revision) return undefined;
    this.revisions.set(ticketId, revision);
    const known = this.sights.get(ticketId);
    const sight = known !== undefined && known.version > version ? known.sight : news.sight;
    return { words: Buffer.from(`data: ${JSON.stringify(toldOf(news))}\n\n`), isFor: (principal) => sees(principal, sight as never) };
  }
}

function toldOf(news: DeadlineNews): DeadlineTold {
  const { ticketId, version, type, at, deadlines } = news;
  const short = type.slice('ticket.'.length, -'.v1'.length) as DeadlineTold['type'];
  if (news.type === 'ticket.deadlines-changed.v1') return { ticketId, version, type: short, at, deadlines };
  const { kind, dueAt } = news.deadline;
  return { ticketId, version, type: short, at, deadline: { kind, dueAt }, deadlines };
}
