import { Injectable, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { MinVersion } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import type { Reader } from './ticket-view.store.js';

/** The name by which assertions for this service call it. */
export const audience = 'query-search';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard once the assertion was checked. */
    reader: Reader;
  }
}

/** Lets in who brings a gateway's assertion, and leaves the reader on the request. */
@Injectable()
export class ReaderGuard extends AssertionGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.reader = { principal: request.principal, minVersion: minVersionIn(request) };
    return true;
  }
}

/** `X-Min-Version`: the version of the ticket that the answer must have reached. */
function minVersionIn({ headers }: FastifyRequest): number | undefined {
  const given = headers['x-min-version'];
  if (given === undefined) return undefined;
  const { data } = MinVersion.safeParse(given);
  if (data !== undefined) return Number(data);
  throw new ProblemError('malformed-request', 'X-Min-Version must be a version: 1, 2, 3 …');
}
