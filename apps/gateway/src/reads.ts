import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PendingCommands } from './pending-commands.store.js';
import { Queries, type Query, type QueryAnswer } from './queries.js';
import { minVersion } from './request-headers.js';
import { unavailable } from './unavailable.js';
import type { Exchange } from './writes.js';

/** Answers reads with what query-search says, byte for byte. */
@Injectable()
export class Reads {
  constructor(
    private readonly queries: Queries,
    private readonly pending: PendingCommands,
  ) {}

  /** Passes a read on; `path` is the checked path, the query string stays as it was sent. @throws ProblemError */
  async pass({ request, reply }: Exchange, path: string): Promise<void> {
    send(reply, await this.ask(request, path));
  }

  /** The state of a command: what is stored of it, else that it is under way, for who sent it. @throws ProblemError */
  async command({ request, reply }: Exchange, id: string): Promise<void> {
    const stored = await this.ask(request, `/v1/commands/${id}`);
    const ticketId = stored.status === 404 ? await this.pendingTicket(request, id) : null;
    if (ticketId === null) return send(reply, stored);
    void reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({ id, state: 'pending', ticketId }));
  }

  private ask(request: FastifyRequest, path: string): Promise<QueryAnswer> {
    return this.queries.ask(queryOf(request, path));
  }

  private async pendingTicket({ caller }: FastifyRequest, id: string): Promise<string | null> {
    try {
      return await this.pending.ticketOf(caller.principal, id);
    } catch (cause) {
      throw unavailable('Commands cannot be looked up right now.', cause);
    }
  }
}

/** A read as it is passed on: the checked path, and the query string as it was sent. @throws ProblemError 400 */
export function queryOf({ url, caller, id, raw }: FastifyRequest, path: string): Query {
  const start = url.indexOf('?');
  return { principal: caller.principal, path: path + (start < 0 ? '' : url.slice(start)), requestId: id, minVersion: minVersion(raw) };
}

const send = (reply: FastifyReply, { status, headers, body }: QueryAnswer) => void reply.code(status).headers(headers).send(body);
