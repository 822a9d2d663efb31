import type { Actor, Assignee, Principal, Priority, Status, Ticket } from '#contracts';
import { sightOf } from '#domain';

/**
 * Everything that a ticket can be looked up by as equality, in one list with one index: whom it concerns decides who sees it, too.
 * One index over this list replaces seven, each of which would cost every event a write.
 */
export const key = {
  status: (status: Status) => `status:${status}`,
  assistant: (id: string) => `assistant:${id}`,
  assignee: (who: Pick<Assignee, 'type' | 'id'> | null) => (who === null ? 'assignee:none' : `assignee:${who.type}:${who.id}`),
  creator: (who: Pick<Actor, 'type' | 'id'>) => `creator:${who.type}:${who.id}`,
  requester: (id: string) => `requester:${id}`,
  email: (address: string) => `email:${address.toLowerCase()}`,
  tag: (tag: string) => `tag:${tag}`,
  /** Only together with a status: by itself it has an index of its own, in its order. */
  priority: (priority: Priority) => `priority:${priority}`,
  /** What is in a status and has another key: found without passing over all that has either. */
  inStatus: (status: Status, other: string) => `${status} ${other}`,
} as const;

/** Closed tickets have no key of this and another thing: most tickets are closed, and nobody works on them. */
export const isWorkedOn = (status: Status): boolean => status !== 'closed';

/** By whom a ticket is seen, and whose it is. */
const whoseKeys = ({ assistantId, assignee, createdBy }: Ticket): string[] => [
  ...(assistantId === null ? [] : [key.assistant(assistantId)]),
  key.assignee(assignee),
  // Agents and systems see nothing for having created it, and they create most.
  ...(createdBy.type === 'member' ? [key.creator(createdBy)] : []),
];

/** The keys of a ticket that its moves leave as they are. */
export function lastingKeys(ticket: Ticket): string[] {
  const { requester, tags } = ticket;
  return [
    ...whoseKeys(ticket),
    ...(requester?.id === undefined ? [] : [key.requester(requester.id)]),
    ...(requester?.email === undefined ? [] : [key.email(requester.email)]),
    ...tags.map(key.tag),
  ];
}

/** The keys of a ticket. */
export function keysOf(ticket: Ticket): string[] {
  const { status, priority } = ticket;
  const worked = isWorkedOn(status) ? [...whoseKeys(ticket), key.priority(priority)] : [];
  return [key.status(status), ...lastingKeys(ticket), ...worked.map((other) => key.inStatus(status, other))];
}

/** The keys of which a ticket needs one for somebody to see it; null when they see every ticket of their organisation. */
export function sightKeys(principal: Principal): string[] | null {
  const sight = sightOf(principal);
  if (sight.all) return null;
  const { assistantIds, assignee, createdBy } = sight;
  return [...assistantIds.map(key.assistant), `assignee:${assignee.type}:${assignee.id}`, ...(createdBy ? [key.creator(createdBy)] : [])];
}

/** The keys that the filter `assignee` asks for: `me`, `none`, `agent:<id>`, or a member's id. */
export function assigneeKey(asked: string, { actor }: Principal): string {
  if (asked === 'none') return key.assignee(null);
  if (asked === 'me') return `assignee:${actor.type}:${actor.id}`;
  return asked.startsWith('agent:') ? `assignee:${asked}` : `assignee:member:${asked}`;
}
