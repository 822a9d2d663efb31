import { z } from 'zod';
import { Scope } from './principal.js';
import { distinct, Instant, Slug, trimmedText, Uuid } from './text.js';

/** Every API key begins with it: `dsk_<id>_<secret>`. */
export const apiKeyPrefix = 'dsk_';

/** Id of an API key; it stands in the key itself and is no secret. */
export const ApiKeyId = Uuid;

/** Body of `POST /api-keys`. That `expiresAt` lies in the future and the assistant exists is the door's to check. */
export const NewApiKey = z.strictObject({
  name: trimmedText(200),
  assistantId: Slug.meta({ description: 'The assistant that the agent works for: the agent sees and makes its tickets, under its name.' }),
  scopes: z.array(Scope).min(1).check(distinct).meta({ uniqueItems: true }),
  expiresAt: Instant.nullable().optional().meta({ description: 'When it ends to be valid, in the future; never without it.' }),
});
export type NewApiKey = z.infer<typeof NewApiKey>;

/** An API key as administrators see it. */
export const ApiKey = z.object({
  id: ApiKeyId,
  name: z.string(),
  assistantId: Slug,
  scopes: z.array(Scope),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable().meta({ description: 'When it let somebody in, to about a minute; null before the first time.' }),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** Answer of `POST /api-keys`. The secret is shown this once: no other answer has it, and neither has the answer to a repeat under the same Idempotency-Key. */
export const CreatedApiKey = ApiKey.extend({
  secret: z.string().optional().meta({ description: 'The whole key, `dsk_<id>_<secret>`, to be sent as the bearer token. Missing in a repeat: delete the key and make another one.' }),
});
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

/** Answer of `GET /api-keys`: the keys that were not deleted, oldest first; expired ones are among them. */
export const ApiKeys = z.object({ items: z.array(ApiKey) });
export type ApiKeys = z.infer<typeof ApiKeys>;
