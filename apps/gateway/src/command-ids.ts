import { hash, randomUUID } from 'node:crypto';
import { v5 } from 'uuid';
import type { Principal } from '#contracts';

/** Namespaces of the ids that are derived. They are part of what a repeated key finds: never change them. */
const commandNamespace = '5d6f2a0c-9a37-4f0b-8c27-6b1f4b0e7c11';
const ticketNamespace = 'c1a2e7de-3f3d-4f55-9d0a-0b9f3c6d8e42';

/** A request as the ids of its command see it. `route` holds the ids in lower case. */
export interface Keyed {
  principal: Principal;
  method: string;
  route: string;
  idempotencyKey: string | undefined;
}

/** Scope of a key: organisation, principal, method and route; unambiguous whatever the parts hold. */
const scopeOf = ({ principal: { orgId, actor }, method, route, idempotencyKey }: Keyed) =>
  JSON.stringify([orgId, actor.type, actor.id, method, route, idempotencyKey]);

/** Id of the command that a request makes: the same for every repeat under the same key, random without one. */
export const commandIdOf = (request: Keyed) => (request.idempotencyKey === undefined ? randomUUID() : v5(scopeOf(request), commandNamespace));

/** Id of the ticket that a request makes: a repeated create meets its own ticket. */
export const ticketIdOf = (request: Keyed) => (request.idempotencyKey === undefined ? randomUUID() : v5(scopeOf(request), ticketNamespace));

/** Tells a repeat of a request from another request under the same key. */
export const payloadHashOf = (request: { method: string; route: string; body: string | undefined; ifMatch: string | undefined }) =>
  hash('sha256', JSON.stringify([request.method, request.route, request.body ?? null, request.ifMatch ?? null]));
