import type { CommentKind, Ticket } from '#contracts';
import { evolve, initial, type ExistingTicket, type TicketState } from '#domain';
import type { TimelineRow } from '../ticket-view.projection.js';

/** A ticket as views keep it: the description lies beside it. */
export type KeptTicket = Omit<Ticket, 'description'>;

/** Rows of these types change what a ticket is. Of the others, what was said is counted, and the newest one tells version and time. */
export const changing = ['created', 'status-changed', 'assignee-changed', 'details-updated'] as const;

/** What the rows that were not folded say of a ticket. */
export interface Counted {
  version: number;
  /** Of the version. */
  at: string;
  commentCount: number;
  firstRepliedAt: string | null;
}

/** Folds rows of changes, oldest first, onto the state before them. What no event tells is the ticket's for ever, and taken from how it stands now. */
export function folded(state: TicketState, rows: readonly Pick<TimelineRow, 'item'>[], { id: ticketId, number, channel }: KeptTicket): TicketState {
  return rows.reduce<TicketState>((before, { item }) => {
    const { type, ...told } = JSON.parse(item) as { type: string };
    return evolve(before, { ...told, type: `ticket.${type}.v1`, ticketId, birth: { number, channel } } as Parameters<typeof evolve>[1]);
  }, state);
}

/** The state before a ticket's first row. */
export const unborn: TicketState = initial;

/** The ticket as it was shown at a version. */
export function ticketThen({ ticket }: ExistingTicket, { version, at, commentCount, firstRepliedAt }: Counted, now: KeptTicket): Ticket {
  // The ticket of today goes first for the order of its members, as it was told then.
  return { ...now, ...ticket, version, updatedAt: at, commentCount, firstRepliedAt };
}

/** What counts as a comment to everybody. */
export const openKinds: CommentKind[] = ['comment', 'reply'];
