import type { Ticket, TicketEvent } from '#contracts';
import { viewId, type PlacedEvent } from '../events.js';

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

/**
 * Events of a round that may be new to the feed, by organisation, in the order of their records. One that came again is not: its version is known of
 * the views, which are written after the feed, or it came before in this round.
 * @param known versions of views by `_id`, as they were before this round
 */
export function freshEvents(placed: readonly PlacedEvent[], known: ReadonlyMap<string, number>): Map<string, PlacedEvent[]> {
  const last = new Map(known);
  const fresh = new Map<string, PlacedEvent[]>();
  for (const one of placed) {
    const { orgId, ticketId, version } = one.event;
    const id = viewId(orgId, ticketId);
    if (version <= (last.get(id) ?? 0)) continue;
    last.set(id, version);
    const ofOrganisation = fresh.get(orgId);
    if (ofOrganisation) ofOrganisation.push(one);
    else fresh.set(orgId, [one]);
  }
  return fresh;
}
