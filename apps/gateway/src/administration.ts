import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal, ValidationError } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { commandIdOf, payloadHashOf } from './command-ids.js';
import type { Demand } from './directory.policy.js';
import type { Edited, EditRequest } from './directory.store.js';

/** What all writes to the gateway's own store have in common. */

/** @throws ProblemError 403 for everybody but administrators, whatever an Idempotency-Key was answered before */
export function administrator({ caller: { principal } }: FastifyRequest): Principal {
  const missing = lacks(principal, 'administer');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
  return principal;
}

/** The id that a write has, the same in every repeat under its Idempotency-Key, and what tells it from another write under that key. */
export function identityOf({ caller: { principal }, conditions: { idempotencyKey, ifMatch }, method, canonicalBody: body }: FastifyRequest, route: string): EditRequest {
  const id = commandIdOf({ principal, method, route, idempotencyKey });
  return { id, hash: payloadHashOf({ method, route, body, ifMatch }), isKeyed: idempotencyKey !== undefined };
}

/** Marks an answer as that of an earlier request. @throws ProblemError 422 when that was another request under the same key */
export function markRepeat(reply: FastifyReply, first: string, hash: string) {
  if (first !== hash) throw new ProblemError('idempotency-key-reused', 'The Idempotency-Key was used for another request.');
  void reply.header('idempotency-replayed', 'true');
}

/** What `If-Match` demands of an entry of the directory. */
export const demandOf = ({ conditions: { ifMatch, expectedVersion } }: FastifyRequest): Demand => ({ isThere: ifMatch !== undefined, revision: expectedVersion });

/**
 * Marks an answer that an earlier request got, and refuses what the store refused.
 * @param what is not there, as in `There is no such …`
 * @throws ProblemError idempotency-key-reused, not-found, version-conflict
 */
export function answered(reply: FastifyReply, { edited, request, what }: { edited: Edited; request: EditRequest; what: string }): void {
  if (edited.isRepeat) markRepeat(reply, edited.hash, request.hash);
  const { outcome, revision: current } = edited;
  if (outcome === 'absent') throw new ProblemError('not-found', `There is no such ${what}.`);
  if (outcome === 'stale') throw new ProblemError('version-conflict', `The ${what} is at revision ${current}.`, { current });
}

/** A refusal of what no schema can say. */
export const refusal = (...errors: ValidationError[]) => new ProblemError('validation-failed', 'The request is not valid.', { errors: errors.slice(0, 20) });
