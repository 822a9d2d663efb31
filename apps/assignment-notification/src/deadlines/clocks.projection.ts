import type { Assignee, DeadlineKind, Ticket, TicketEvent } from '#contracts';

/** From when to when, ms since the epoch. */
export type Stretch = readonly [from: number, to: number];

/** Something that is to be done in time, whatever that is: policies say. */
export interface Clock {
  kind: DeadlineKind;
  /** The version of the ticket that it began with: kind and this tell it from all others. */
  since: number;
  begunAt: number;
  /** When it was done; absent while it is still to be done. */
  done?: { at: number; version: number };
  /** What was told of it: each at most once, whatever becomes of its time. */
  told?: 'warning' | 'missed';
  /** As of when that was so, ms: for this clock it never gets earlier again. */
  toldAt?: number;
  /** By when it was to be done when it was told missed, ms: that stands where no time is set for it any more. */
  missedAt?: number;
  /** That it was done in time was told. */
  isMetTold?: true;
}

/** What deadlines are made of: what of a ticket's course matters for them, whichever policies there are. */
export interface Clocks {
  version: number;
  priority: Ticket['priority'];
  assistantId: string | null;
  assignee: Assignee | null;
  createdBy: Pick<Ticket['createdBy'], 'type' | 'id'>;
  /** What people are told of it by. */
  called?: Pick<Ticket, 'number' | 'title'>;
  /** Times in which nothing ran, oldest first. */
  pauses: readonly Stretch[];
  /** Since when nothing runs. */
  pausedAt?: number;
  /** Nothing will be done about it any more, or for the time being. */
  end?: 'closed' | 'deleted';
  clocks: readonly Clock[];
}

/** More pauses are not kept apart: the oldest then delays the beginning by its length. */
const mostPauses = 100;

/** What an event makes of the clocks of its ticket; undefined where it is older, or changes nothing about them. */
export function clocksAfter(before: Clocks | undefined, event: TicketEvent): Clocks | undefined {
  if (before !== undefined && event.version <= before.version) return undefined;
  const { priority, assistantId, assignee, createdBy, number, title } = event.ticket;
  const seen: Clocks = { ...(before ?? beginning(event)), priority, assistantId, assignee, createdBy: { type: createdBy.type, id: createdBy.id }, called: { number, title } };
  const after = [paused, ended, asked, answered, resolved].reduce((clocks, change) => change(clocks, event), seen);
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? undefined : { ...after, version: event.version };
}

/** Of a ticket whose first events did not come, as far as it tells by itself. */
function beginning({ ticket }: TicketEvent): Omit<Clocks, 'priority' | 'assistantId' | 'assignee' | 'createdBy'> {
  const begun = { since: 1, begunAt: Date.parse(ticket.createdAt) };
  return { version: 0, pauses: [], clocks: [{ kind: 'first-reply', ...begun }, { kind: 'resolution', ...begun }] };
}

const isDeletion = ({ type }: TicketEvent) => type === 'ticket.deleted.v1';

/** Time counts while a ticket is open. */
function paused(clocks: Clocks, event: TicketEvent): Clocks {
  const at = Date.parse(event.at);
  const isRunning = event.ticket.status === 'open' && !isDeletion(event);
  if (!isRunning) return { ...clocks, pausedAt: clocks.pausedAt ?? at };
  const { pausedAt, ...rest } = clocks;
  return pausedAt === undefined || at <= pausedAt ? rest : remembered({ ...rest, pauses: [...rest.pauses, [pausedAt, at]] });
}

function remembered(clocks: Clocks): Clocks {
  const [oldest, ...others] = clocks.pauses;
  if (oldest === undefined || others.length < mostPauses) return clocks;
  const [from, to] = oldest;
  return { ...clocks, pauses: others, clocks: clocks.clocks.map((clock) => (clock.begunAt <= from ? { ...clock, begunAt: clock.begunAt + to - from } : clock)) };
}

function ended({ end: _, ...clocks }: Clocks, event: TicketEvent): Clocks {
  if (isDeletion(event)) return { ...clocks, end: 'deleted' };
  return event.ticket.status === 'closed' ? { ...clocks, end: 'closed' } : clocks;
}

/** What the requester writes is to be answered; what they write while they wait changes nothing. */
function asked(clocks: Clocks, { type, data, version, at }: TicketEvent): Clocks {
  const messages = type === 'ticket.conversation-appended.v1' ? data.messages : type === 'ticket.created.v1' ? (data.conversation?.messages ?? []) : [];
  const isAsked = messages.some(({ role }) => role === 'user');
  if (!isAsked || clocks.clocks.some(({ kind, done }) => kind === 'next-reply' && done === undefined)) return clocks;
  const others = clocks.clocks.filter(({ kind }) => kind !== 'next-reply');
  return { ...clocks, clocks: [...others, { kind: 'next-reply', since: version, begunAt: Date.parse(at) }] };
}

function answered(clocks: Clocks, { type, data, version, at, ticket }: TicketEvent): Clocks {
  const isReply = type === 'ticket.comment-added.v1' && data.comment.kind === 'reply';
  const first = ticket.firstRepliedAt === null ? clocks : finished(clocks, ['first-reply'], { at: Date.parse(ticket.firstRepliedAt), version });
  return isReply ? finished(first, ['first-reply', 'next-reply'], { at: Date.parse(at), version }) : first;
}

/** A resolution that did not last goes on where it was. */
function resolved(clocks: Clocks, { version, at, ticket: { status } }: TicketEvent): Clocks {
  if (status === 'resolved' || status === 'closed') return finished(clocks, ['resolution'], { at: Date.parse(at), version });
  return {
    ...clocks,
    clocks: clocks.clocks.map((clock) => {
      if (clock.kind !== 'resolution' || clock.done === undefined) return clock;
      const { done: _done, isMetTold: _told, ...goesOn } = clock;
      return goesOn;
    }),
  };
}

const finished = (clocks: Clocks, kinds: readonly DeadlineKind[], done: NonNullable<Clock['done']>): Clocks => ({
  ...clocks,
  clocks: clocks.clocks.map((clock) => (kinds.includes(clock.kind) && clock.done === undefined ? { ...clock, done } : clock)),
});
