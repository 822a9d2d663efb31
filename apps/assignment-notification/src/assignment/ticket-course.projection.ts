import type { Assignee, TicketEvent } from '#contracts';
import { keyOf } from './choice.policy.js';
import type { TicketFacts } from './condition.policy.js';
import { trackedAfter, type Need, type Tracked } from './need.projection.js';

/**
 * How far a need has come: `fresh` is looked at next, `waits` until somebody is free, `idle` where no rule is for it, `lost` where nothing came of what was
 * chosen: the ticket is for the rules again when something happens to it.
 */
export type NeedState = 'fresh' | 'waits' | 'idle' | 'chosen' | 'lost';

/** A choice as it is stored before its command is sent. */
export interface StoredChoice {
  commandId: string;
  to: Assignee;
  /** Value of the command record, as it is sent however often. */
  command: string;
  at: Date;
  isSent: boolean;
}

export interface StoredNeed extends Need {
  state: NeedState;
  /** Whom it waits for. */
  ruleId?: string | null;
  /** Edition of the rules that it waits or is idle by: those of a newer one are asked again. Without it they are not. */
  edition?: number | null;
  choice?: StoredChoice;
}

/** A ticket as it is stored. */
export interface StoredTicket {
  /** organisation/ticket */
  _id: string;
  orgId: string;
  ticketId: string;
  version: number;
  isWork: boolean;
  assignee: Assignee | null;
  assigneeKey: string | null;
  /** JSON text: custom fields may have any name. */
  facts: string;
  need: StoredNeed | null;
}

/** A ticket that needs somebody, as it was read. */
export interface NeedyTicket {
  orgId: string;
  ticketId: string;
  version: number;
  facts: TicketFacts;
  need: Need;
}

/** A ticket that is no work any more: resolved, closed or deleted. */
export interface EndedWork {
  orgId: string;
  ticketId: string;
  at: string;
}

/** What happened to one ticket in a round. */
export interface Course {
  id: string;
  orgId: string;
  before: StoredTicket | undefined;
  /** Undefined where all of it was known. */
  after: Tracked | undefined;
  begins: NeedyTicket[];
  ends: EndedWork[];
  isRestless: boolean;
}

/** `_id` of a ticket. */
export const idOf = (orgId: string, ticketId: string) => `${orgId}/${ticketId}`;

/** What the events of a round make of a ticket. */
export function courseOf(id: string, before: StoredTicket | undefined, events: readonly TicketEvent[]): Course {
  const { after, begins, ends } = folded(before && { ...before, facts: JSON.parse(before.facts) as TicketFacts, need: before.need?.state === 'lost' ? null : before.need }, events);
  return { id, orgId: events[0]!.orgId, before, after, begins, ends, isRestless: after === undefined || isRestless(before, after) };
}

/** What events make of a ticket; `after` is undefined where all of them are known. */
function folded(before: Tracked | undefined, events: readonly TicketEvent[]): Pick<Course, 'after' | 'begins' | 'ends'> {
  const course: Pick<Course, 'after' | 'begins' | 'ends'> = { after: undefined, begins: [], ends: [] };
  for (const event of events) {
    const earlier = course.after ?? before;
    const next = trackedAfter(earlier, event);
    if (next === undefined) continue;
    course.begins.push(...begun(next));
    course.ends.push(...ended(earlier, next, event.at));
    course.after = next;
  }
  return course;
}

const begun = (next: Tracked): NeedyTicket[] => (next.need?.version === next.version ? [{ ...next, need: next.need }] : []);

const ended = (earlier: Tracked | undefined, { isWork, orgId, ticketId }: Tracked, at: string): EndedWork[] => (earlier?.isWork && !isWork ? [{ orgId, ticketId, at }] : []);

/** Whether somebody is needed, or may be free for something that waits. */
function isRestless(before: StoredTicket | undefined, after: Tracked): boolean {
  if (after.need !== null && (!isSameNeed(before, after) || JSON.stringify(after.facts) !== before?.facts)) return true;
  const counted = before === undefined ? null : countedFor(before);
  return counted !== null && counted !== (after.isWork ? keyOrNull(after.assignee) : null);
}

/** Whose load a ticket was part of. */
const countedFor = ({ need, isWork, assigneeKey }: StoredTicket) => (need?.state === 'chosen' && need.choice ? keyOf(need.choice.to) : isWork ? assigneeKey : null);

/** `keyOf` somebody, if there is somebody. */
export const keyOrNull = (assignee: Assignee | null) => assignee && keyOf(assignee);

/** Whether a ticket still needs somebody for what it did before. */
export const isSameNeed = (before: StoredTicket | undefined, { need }: Tracked) => need !== null && need.version === before?.need?.version;
