import { openDeadlineStates, type DeadlineNews, type DeadlineState } from '#contracts';
import { viewId } from './events.js';

/** The deadlines of a ticket as views have them; what is null is not there, so that indexes hold only tickets of which something is due. */
export interface TicketDeadlinesView {
  /** organisation/ticket */
  _id: string;
  deadlinesRevision: number;
  /** As they are served, JSON text. */
  deadlines: string;
  /** States of those that something is still to be done for, each once. */
  deadlineStates: string[] | null;
  /** The earliest of those that are not paused. */
  dueAt: Date | null;
}

const isOpen = (state: DeadlineState) => (openDeadlineStates as readonly string[]).includes(state);

/** Of each ticket the newest of its messages. */
export function deadlinesAfter(news: readonly DeadlineNews[]): TicketDeadlinesView[] {
  const newest = new Map<string, DeadlineNews>();
  for (const one of news) {
    const id = viewId(one.orgId, one.ticketId);
    if ((newest.get(id)?.revision ?? 0) < one.revision) newest.set(id, one);
  }
  return [...newest].map(([_id, { revision, deadlines }]) => {
    const open = deadlines.filter(({ state }) => isOpen(state));
    const due = open.flatMap(({ dueAt }) => (dueAt === null ? [] : [Date.parse(dueAt)]));
    return {
      _id,
      deadlinesRevision: revision,
      deadlines: JSON.stringify(deadlines),
      deadlineStates: open.length === 0 ? null : [...new Set(open.map(({ state }) => state))].sort(),
      dueAt: due.length === 0 ? null : new Date(Math.min(...due)),
    };
  });
}
