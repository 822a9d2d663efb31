import { z } from 'zod';
import { PersonId, Slug, text } from './text.js';

/** What an API key may be granted (contract section 6). */
export const Scope = z.enum([
  'tickets:read',
  'tickets:write',
  'tickets:transition',
  'tickets:assign',
  'replies:write',
  'notes:read',
  'notes:write',
]);
export type Scope = z.infer<typeof Scope>;

/** A person's role in their organisation. */
export const Role = z.enum(['admin', 'member']);
export type Role = z.infer<typeof Role>;

/** Who did something, as histories show it. An agent's id is its assistant's id. */
export const Actor = z.object({ type: z.enum(['member', 'agent', 'system']), id: PersonId, name: text(255) });
export type Actor = z.infer<typeof Actor>;

/** Who a ticket is assigned to. */
export const Assignee = z.object({ type: z.enum(['member', 'agent']), id: PersonId, name: text(255) });
export type Assignee = z.infer<typeof Assignee>;

/** What a principal may do, as the door that let it in knew it: a person has a role, an agent has scopes, a system neither. */
export const Access = z.object({
  role: Role.optional(),
  assistantIds: z.array(Slug).max(10_000),
  scopes: z.array(Scope).optional(),
});
export type Access = z.infer<typeof Access>;

/** Somebody who was let in: of which organisation, who, and with which rights. */
export const Principal = z.object({ orgId: Slug, actor: Actor, access: Access });
export type Principal = z.infer<typeof Principal>;

/** The door a ticket came through. */
export const Channel = z.enum(['console', 'api', 'agent', 'mcp', 'kafka', 'email']);
export type Channel = z.infer<typeof Channel>;
