import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { problemOf } from '#observability';
import { AuthGuard } from './auth.guard.js';
import { Queries } from './queries.js';
import { queryOf } from './reads.js';
import type { Exchange } from './writes.js';

/** What has been taken away must bite within 5 s (contract section 6), and what the guard says may be 4 s old. */
const recheckMs = 1_000;

/**
 * Passes answers on while they come, as fast as the caller takes them. One that breaks off, because query-search does, the caller's rights have
 * changed or this process stops, ends without its end: nobody takes it for whole.
 */
@Injectable()
export class Downloads implements BeforeApplicationShutdown {
  recheckMs = recheckMs;
  private readonly logger = new Logger('download');
  private readonly running = new Set<Readable>();

  constructor(
    private readonly queries: Queries,
    private readonly guard: AuthGuard,
  ) {}

  /** Passes a read on; `path` is the checked path, the query string stays as it was sent. @throws ProblemError */
  async pass({ request, reply }: Exchange, path: string): Promise<void> {
    const { status, headers, body } = await this.queries.stream(queryOf(request, path));
    void reply.code(status).headers(headers);
    if (request.method === 'HEAD') {
      body.destroy();
      void reply.send();
      return;
    }
    this.watch(request, body);
    void reply.send(body);
  }

  /** query-search lets exports that are nearly done finish; here they would hold up the stop. */
  beforeApplicationShutdown(): void {
    for (const body of this.running) body.destroy(new Error('the gateway stops'));
  }

  private watch(request: FastifyRequest, body: Readable) {
    this.running.add(body);
    const admitted = { until: request.caller.until ?? Infinity };
    const timer = setInterval(() => {
      if (admitted.until <= Date.now()) body.destroy(new Error('nobody can tell whether the API key still counts'));
      else void this.recheck(request, body, admitted);
    }, this.recheckMs);
    body.on('error', (err) => this.logger.debug({ msg: 'download broken off', url: request.url, err }));
    body.once('close', () => {
      clearInterval(timer);
      this.running.delete(body);
    });
  }

  private async recheck(request: FastifyRequest, body: Readable, admitted: { until: number }): Promise<void> {
    try {
      const { principal, until = Infinity } = await this.guard.admit(request);
      admitted.until = until;
      if (!isDeepStrictEqual(principal, request.caller.principal)) body.destroy(new Error('the rights have changed'));
    } catch (error) {
      // Whoever cannot be asked right now has taken nothing away; a key ends by itself.
      if (problemOf(error).problem.status === 401) body.destroy(new Error('the sign-in has ended'));
    }
  }
}
