import type { FastifyReply, FastifyRequest } from 'fastify';
import { changeHeaders, ForwardedChange, type Principal } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { isPassing } from '#persistence';

/** The write that a gateway forwards. @throws ProblemError 400 where it does not name it */
export function changeOf({ headers }: FastifyRequest): ForwardedChange {
  const { data } = ForwardedChange.safeParse({ id: headers[changeHeaders.id], hash: headers[changeHeaders.hash], expected: headers[changeHeaders.expected] });
  if (data !== undefined) return data;
  throw new ProblemError('malformed-request', 'The change is not named.');
}

/** @throws ProblemError 403 for everybody but administrators */
export function administrator({ principal }: FastifyRequest): Principal {
  const missing = lacks(principal, 'administer');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
  return principal;
}

/** Marks an answer as that of an earlier request. @throws ProblemError 422 when that was another request under the same key */
export function markRepeat(reply: FastifyReply, first: string, hash: string): void {
  if (first !== hash) throw new ProblemError('idempotency-key-reused', 'The Idempotency-Key was used for another request.');
  void reply.header('idempotency-replayed', 'true');
}

/** Runs what somebody waits for. @throws ProblemError dependency-unavailable where the store cannot */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isPassing(error)) throw error;
    throw Object.assign(new ProblemError('dependency-unavailable', 'This cannot be read or changed right now. A retry with the same Idempotency-Key is safe.', {}, { 'retry-after': '2' }), { cause: error });
  }
}
