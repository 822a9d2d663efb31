import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'undici';
import { changeHeaders, type Principal } from '#contracts';
import { Assertions } from '#internal';
import { identityOf } from './administration.js';
import { again } from './queries.js';
import { unavailable } from './unavailable.js';
import { wholeAnswer } from './whole-answer.js';
import type { Exchange } from './writes.js';

const passedOn = ['content-type', 'etag', 'idempotency-replayed', 'location', 'retry-after'] as const;
/** How long an answer may take, ms. */
const patienceMs = 8_000;
const connections = 32;

/** Forwards what is kept by assignment-notification to it, in the caller's name, and its answers to the caller, byte for byte. */
export class Forwards {
  private readonly pool: Pool;
  private readonly assertions: Assertions;

  constructor(address: string, internalKey: string, timeoutMs = patienceMs) {
    this.assertions = new Assertions(internalKey, 'assignment-notification');
    this.pool = new Pool(new URL(address).origin, { connections, connect: { timeout: 1_000 }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  /** @param path the checked path, as the public door names it @throws ProblemError 503 where the service does not answer */
  async pass({ request, reply }: Exchange, path: string): Promise<void> {
    const { method, caller, canonicalBody: body } = request;
    const headers: Record<string, string> = {
      authorization: `Bearer ${await this.assertions.for(caller.principal)}`,
      accept: 'application/json',
      'x-request-id': request.id,
      ...(method !== 'GET' && changeIn(request, path)),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const answer = await this.asked({ path, method: method as 'GET', headers, ...(body !== undefined && { body }) });
    send(reply, answer);
  }

  /** Hands on what is no JSON, in a name of our own. @throws ProblemError 503 where the service does not answer */
  async handOn(reply: FastifyReply, path: string, { principal, body, type }: { principal: Principal; body: Buffer; type: string }): Promise<void> {
    const headers = { authorization: `Bearer ${await this.assertions.for(principal)}`, accept: 'application/json', 'content-type': type };
    send(reply, await this.asked({ path, method: 'POST', headers, body }));
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  private async asked(options: Parameters<Pool['request']>[0]) {
    try {
      // Writes, too: the change is named, and the service makes it once.
      return await again(() => wholeAnswer(this.pool, options));
    } catch (error) {
      throw notForwarded(error);
    }
  }
}

/** What a write is called by, and the revision that it expects. */
function changeIn(request: FastifyRequest, path: string): Record<string, string> {
  const { id, hash } = identityOf(request, path);
  const { expectedVersion: expected } = request.conditions;
  return { [changeHeaders.id]: id, [changeHeaders.hash]: hash, ...(expected !== undefined && { [changeHeaders.expected]: String(expected) }) };
}

function send(reply: FastifyReply, { statusCode, headers, body }: { statusCode: number; headers: Record<string, unknown>; body: Buffer }) {
  // What the service refuses of us is not the caller's doing.
  if (statusCode === 401) throw notForwarded(new Error('assignment-notification does not take our assertion'));
  void reply.code(statusCode);
  for (const name of passedOn) if (typeof headers[name] === 'string') void reply.header(name, headers[name]);
  void (body.length === 0 ? reply.send() : reply.send(body));
}

const notForwarded = (cause: unknown) => unavailable('This cannot be read or changed right now. A retry with the same Idempotency-Key is safe.', cause);
