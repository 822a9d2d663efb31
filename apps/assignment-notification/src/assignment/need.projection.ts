import type { Assignee, TicketEvent } from '#contracts';
import { keyOf } from './choice.policy.js';
import { factsOf, type TicketFacts } from './condition.policy.js';

/** What makes a ticket one that rules look for somebody for. It begins with an event, and ends with another. */
export interface Need {
  /** Version of the event that it began with: command ids derive from it, so one need makes one choice. */
  version: number;
  at: string;
  /** Whose the ticket is meanwhile: somebody else may have taken it when the choice arrives. */
  holder: Assignee | null;
  /** Who is not asked again, as `keyOf` says it: who gave it back, or has it and is away. */
  former: string | null;
}

/** What is known of a ticket after its newest event. */
export interface Tracked {
  orgId: string;
  ticketId: string;
  version: number;
  /** Open or pending, and not deleted: it counts for its assignee. */
  isWork: boolean;
  assignee: Assignee | null;
  facts: TicketFacts;
  need: Need | null;
}

/** What an event makes of what is known of its ticket; undefined for one that is older. */
export function trackedAfter(before: Tracked | undefined, event: TicketEvent): Tracked | undefined {
  const { orgId, ticketId, version, ticket, type } = event;
  if (before !== undefined && version <= before.version) return undefined;
  const isWork = type !== 'ticket.deleted.v1' && (ticket.status === 'open' || ticket.status === 'pending');
  const { assignee } = ticket;
  const tracked = { orgId, ticketId, version, isWork, assignee, facts: factsOf(ticket) };
  return { ...tracked, need: isWork ? needAfter(before, event) : null };
}

function needAfter(before: Tracked | undefined, event: TicketEvent): Need | null {
  const { assignee } = event.ticket;
  const { version, at } = event;
  if (isReopening(event) && assignee !== null) return { version, at, holder: assignee, former: keyOf(assignee) };
  if (before?.need && goesOn(before.need, event)) return before.need;
  return assignee === null ? { version, at, holder: null, former: givenBackBy(event) } : null;
}

const isReopening = ({ type, data }: TicketEvent) => type === 'ticket.status-changed.v1' && 'from' in data && data.from === 'resolved' && data.to === 'open';

/** Whoever gives a ticket back begins another need, also where nobody told that they had taken it. */
const goesOn = ({ holder }: Need, { type, ticket: { assignee } }: TicketEvent) => isSame(holder, assignee) && !(type === 'ticket.assignee-changed.v1' && assignee === null);

/** Who had a ticket that nobody has any more. */
const givenBackBy = ({ type, data }: TicketEvent): string | null =>
  type === 'ticket.assignee-changed.v1' && 'reason' in data && data.from !== null && typeof data.from === 'object' ? keyOf(data.from) : null;

const isSame = (one: Assignee | null, other: Assignee | null) => (one === null || other === null ? one === other : keyOf(one) === keyOf(other));
