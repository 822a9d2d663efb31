import type { Actor, Principal, Scope, Status, Ticket } from '#contracts';
import { transitions } from './transitions.js';

/** Who asks, as the policy needs them: a principal without its organisation, which every store checks first. */
export type Asker = Pick<Principal, 'actor' | 'access'>;

/** What may be done, beside seeing a ticket at all. `administer` is what belongs to the organisation: keys, assistants, producers. */
export type Action = 'read' | 'create' | 'edit' | 'comment' | 'note' | 'reply' | 'read-notes' | 'transition' | 'assign' | 'delete' | 'restore' | 'report-delivery' | 'administer';

type ForAdministrators = 'restore' | 'report-delivery' | 'administer';
const isForAdministrators = (action: Action): action is ForAdministrators => action === 'restore' || action === 'report-delivery' || action === 'administer';

/** What somebody may see: everything of the organisation, or tickets that match one of three things. Queries and single checks both come from it. */
export type Sight = { all: true } | { all: false; assistantIds: string[]; assignee: Pick<Actor, 'type' | 'id'>; createdBy?: Pick<Actor, 'type' | 'id'> };

const scopeFor: Record<Exclude<Action, 'delete' | ForAdministrators>, Scope> = {
  read: 'tickets:read',
  create: 'tickets:write',
  edit: 'tickets:write',
  comment: 'tickets:write',
  note: 'notes:write',
  reply: 'replies:write',
  'read-notes': 'notes:read',
  transition: 'tickets:transition',
  assign: 'tickets:assign',
};

/** Which tickets of the organisation somebody sees (contract section 6). */
export function sightOf({ actor, access }: Asker): Sight {
  if (access.role === 'admin') return { all: true };
  const who = { type: actor.type, id: actor.id };
  const own = { all: false as const, assistantIds: access.assistantIds, assignee: who };
  return actor.type === 'agent' ? own : { ...own, createdBy: who };
}

/** Whether somebody sees this ticket. */
export function sees(asker: Asker, ticket: Pick<Ticket, 'assistantId' | 'assignee' | 'createdBy'>): boolean {
  const sight = sightOf(asker);
  if (sight.all) return true;
  if (ticket.assistantId !== null && sight.assistantIds.includes(ticket.assistantId)) return true;
  return is(sight.assignee, ticket.assignee) || is(sight.createdBy, ticket.createdBy);
}

/** What somebody lacks for an action (a scope or a role), or null when they may. */
export function lacks({ actor, access }: Asker, action: Action): string | null {
  if (access.role === 'admin') return null;
  if (actor.type === 'system') return lacksAsSystem(action);
  if (isForAdministrators(action)) return 'role admin';
  return access.role === 'member' ? null : lacksAsAgent(access, action);
}

function lacksAsAgent({ scopes = [] }: Asker['access'], action: Exclude<Action, ForAdministrators>): string | null {
  if (action === 'delete') return 'role member';
  const scope = scopeFor[action];
  return scopes.includes(scope) ? null : `scope ${scope}`;
}

/** The door of an outside system has let nothing through but the commands that the organisation lets it send. */
const lacksAsSystem = (action: Action) => (action === 'administer' ? 'role admin' : null);

/** Whether somebody may file a ticket under this assistant: members under their own, agents under themselves, outside systems under those named to them or none. */
export function mayFileUnder({ actor, access }: Asker, assistantId: string | null): boolean {
  if (access.role === 'admin') return true;
  if (actor.type === 'agent') return assistantId === actor.id;
  return assistantId === null ? actor.type === 'system' : access.assistantIds.includes(assistantId);
}

/** The moves that somebody may make now on a ticket they see. */
export const allowedTransitions = (asker: Asker, { status }: Pick<Ticket, 'status'>): Status[] =>
  lacks(asker, 'transition') === null ? [...transitions[status]] : [];

/** Whether two references name the same person or assistant. */
export const is = (one: Pick<Actor, 'type' | 'id'> | null | undefined, other: Pick<Actor, 'type' | 'id'> | null | undefined) =>
  one != null && other != null && one.type === other.type && one.id === other.id;
