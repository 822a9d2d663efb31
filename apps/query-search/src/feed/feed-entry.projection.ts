import type { Ticket, TicketEvent } from '#contracts';
import type { PlacedEvent } from '#messaging';
import { viewId } from '../events.js';
import { rowId } from '../ticket-view.projection.js';

/** What decides who sees a ticket. */
export type SightFacts = Pick<Ticket, 'assistantId'> & { assignee: Who | null; createdBy: Who };
type Who = Pick<Ticket['createdBy'], 'type' | 'id'>;

/** An event in its organisation's feed: where its row is found, and by what it is judged who hears of it. */
export interface FeedEntry {
  ticketId: string;
  version: number;
  /** Of the ticket after the event. */
  sight: SightFacts;
  /** Of the ticket before it, where that is not the same: who sees it no longer is told that it left. */
  before?: SightFacts;
}

/** The entry of an event. */
export function entryOf({ ticketId, version, type, data, ticket }: TicketEvent): FeedEntry {
  const sight: SightFacts = { assistantId: ticket.assistantId, assignee: ticket.assignee && who(ticket.assignee), createdBy: who(ticket.createdBy) };
  const entry = { ticketId, version, sight };
  if (type === 'ticket.assignee-changed.v1') return { ...entry, before: { ...sight, assignee: data.from && who(data.from) } };
  const moved = type === 'ticket.details-updated.v1' ? data.changes['assistantId'] : undefined;
  return moved ? { ...entry, before: { ...sight, assistantId: moved.from as string | null } } : entry;
}

const who = ({ type, id }: Who): Who => ({ type, id });

/** An event that may be new to the feed. */
export interface Candidate extends PlacedEvent {
  /** Whether the feed has to be asked for it: its row was there before, or its ticket is further on. */
  isDoubtful: boolean;
}

/** What is known before a round is added to the feed. */
export interface Before {
  /** Versions of views by `_id`. */
  known: ReadonlyMap<string, number>;
  /** `_id`s of rows that were there. */
  rows: ReadonlySet<string>;
}

/**
 * Events of a round that may be new to the feed, by organisation, in the order of their records. Rows are written before the feed, views after it: an
 * event of which both are there is in it. One that has neither is not, unless its record came before. One that has a row alone is either left from a round
 * that died, or was given up on after it was fed and came again; one that has a view alone comes late.
 */
export function candidates(placed: readonly PlacedEvent[], { known, rows }: Before): Map<string, Candidate[]> {
  const seen = new Set<string>();
  const found = new Map<string, Candidate[]>();
  for (const one of placed) {
    const { orgId, ticketId, version } = one.event;
    const row = rowId(orgId, ticketId, version);
    if (seen.has(row)) continue;
    seen.add(row);
    const [hasRow, hasView] = [rows.has(row), version <= (known.get(viewId(orgId, ticketId)) ?? 0)];
    if (hasRow && hasView) continue;
    const candidate = { ...one, isDoubtful: hasRow || hasView };
    const ofOrganisation = found.get(orgId);
    if (ofOrganisation) ofOrganisation.push(candidate);
    else found.set(orgId, [candidate]);
  }
  return found;
}
