import { z } from 'zod';
import { Assistant, Member } from './directory.js';
import { Actor, Role, Scope } from './principal.js';
import { Slug } from './text.js';

/** What `GET /v1/me` answers. */
export const Me = Actor.extend({
  email: z.string().optional().meta({ description: 'Of a person.' }),
  orgId: Slug,
  role: Role.optional().meta({ description: 'Of a person.' }),
  assistantIds: z.array(Slug).meta({ description: 'The assistants whose tickets one sees; administrators see all.' }),
  scopes: z.array(Scope).optional().meta({ description: 'Of an agent: what its API key was granted.' }),
});
export type Me = z.infer<typeof Me>;

/** What `GET /v1/members` and `GET /v1/assistants` answer. */
export const Members = z.object({ items: z.array(Member) });
export const Assistants = z.object({ items: z.array(Assistant) });
