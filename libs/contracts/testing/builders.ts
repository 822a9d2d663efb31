import type { Access, Actor, CommandData, CommandType, Principal, Scope, Ticket, TicketCommand } from '#contracts';

export const orgId = 'acme';
export const ticketId = '0196f0a0-0000-7000-8000-000000000001';
export const commandId = '0196f0a0-0000-7000-8000-0000000000c1';

const person = (role: 'admin' | 'member', id: string, name: string, assistantIds: string[] = []): Principal => ({
  orgId,
  actor: { type: 'member', id, name },
  access: { role, assistantIds },
});

/** An agent of an API key: it has what its scopes say. */
export const agent = (assistantId: string, ...scopes: Scope[]): Principal => ({
  orgId,
  actor: { type: 'agent', id: assistantId, name: assistantId },
  access: { assistantIds: [assistantId], scopes },
});

export const ada = person('admin', 'ada', 'Ada');
export const grace = person('member', 'grace', 'Grace', ['billing-bot']);
export const linus = person('member', 'linus', 'Linus', ['tech-bot']);
export const everyScope: Scope[] = [
  'tickets:read',
  'tickets:write',
  'tickets:transition',
  'tickets:assign',
  'replies:write',
  'notes:read',
  'notes:write',
];
export const billingBot = agent('billing-bot', ...everyScope);

/** Whom somebody is assigned as. */
export const assigneeOf = ({ actor }: { actor: Actor }) => ({ type: actor.type as 'member' | 'agent', id: actor.id, name: actor.name });

type Overrides = Partial<Omit<TicketCommand, 'type' | 'data'>> & { by?: { actor: Actor; access: Access } };

/** A valid command of an administrator; `by` says who sends it instead. */
export function commandOf<T extends CommandType>(type: T, data: CommandData<T>, { by = ada, ...others }: Overrides = {}): Extract<TicketCommand, { type: T }> {
  const { actor, access } = by;
  return { type, commandId, orgId, ticketId, actor, access, channel: 'api', payloadHash: 'hash', data, ...others } as unknown as Extract<TicketCommand, { type: T }>;
}

/** A whole ticket, open and new, of nobody's assistant. */
export const ticketOf = (changes: Partial<Ticket> = {}): Ticket => ({
  id: ticketId,
  number: 1042,
  title: 'Printer on fire',
  description: '',
  status: 'open',
  priority: 'normal',
  assistantId: null,
  requester: null,
  assignee: null,
  tags: [],
  customFields: {},
  channel: 'api',
  createdBy: ada.actor,
  externalId: null,
  followUpOf: null,
  createdAt: '2026-01-01T10:00:00.000Z',
  updatedAt: '2026-01-01T10:00:00.000Z',
  firstRepliedAt: null,
  resolvedAt: null,
  closedAt: null,
  commentCount: 0,
  version: 1,
  ...changes,
});
