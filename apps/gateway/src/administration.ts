import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { commandIdOf, payloadHashOf } from './command-ids.js';

/** What all writes of administrators to the gateway's own store have in common. */

/** @throws ProblemError 403 for everybody but administrators, whatever an Idempotency-Key was answered before */
export function administrator({ caller: { principal } }: FastifyRequest): Principal {
  const missing = lacks(principal, 'administer');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
  return principal;
}

/** The id that a write has, the same in every repeat under its Idempotency-Key, and what tells it from another write under that key. */
export function identityOf({ caller: { principal }, conditions: { idempotencyKey, ifMatch }, method, canonicalBody: body }: FastifyRequest, route: string) {
  const id = commandIdOf({ principal, method, route, idempotencyKey });
  return { id, hash: payloadHashOf({ method, route, body, ifMatch }), isKeyed: idempotencyKey !== undefined };
}

/** Marks an answer as that of an earlier request. @throws ProblemError 422 when that was another request under the same key */
export function markRepeat(reply: FastifyReply, first: string, hash: string) {
  if (first !== hash) throw new ProblemError('idempotency-key-reused', 'The Idempotency-Key was used for another request.');
  void reply.header('idempotency-replayed', 'true');
}
