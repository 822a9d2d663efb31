import { createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { AssertionClaims, assertionSeconds, MinVersion, type Principal } from '#contracts';
import { ProblemError } from '#observability';
import type { Reader } from './ticket-view.store.js';

/** The name by which assertions for this service call it. */
export const audience = 'query-search';

const clockToleranceSeconds = 30;

/** The key that assertions are signed with. */
export const INTERNAL_KEY = Symbol('internal key');

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard once the assertion was checked. */
    reader: Reader;
  }
}

/** Lets in who brings a gateway's assertion: it says for whom the gateway asks. Leaves the reader on the request. */
@Injectable()
export class AssertionGuard implements CanActivate {
  private readonly key: KeyObject;
  /** Assertions that were found right; gateways use each for many requests. */
  private readonly known = new LRUCache<string, Principal>({ max: 10_000 });

  constructor(@Inject(INTERNAL_KEY) internalKey: string) {
    this.key = createSecretKey(Buffer.from(internalKey));
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const [, assertion] = /^Bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const principal = assertion === undefined ? refuse() : (this.known.get(assertion) ?? (await this.verified(assertion)));
    request.reader = { principal, minVersion: minVersionIn(request) };
    return true;
  }

  private async verified(assertion: string): Promise<Principal> {
    const { payload } = await jwtVerify(assertion, this.key, { algorithms: ['HS256'], audience, requiredClaims: ['exp'] }).catch(refuse);
    const claims = AssertionClaims.safeParse(payload);
    if (!claims.success) return refuse();
    const { principal, exp } = claims.data;
    const ttl = exp * 1_000 - Date.now();
    // One that is valid for longer is none of a gateway's; its clock may be a little ahead.
    if (ttl > (assertionSeconds + clockToleranceSeconds) * 1_000) return refuse();
    if (ttl > 0) this.known.set(assertion, principal, { ttl });
    return principal;
  }
}

function refuse(): never {
  throw new ProblemError('unauthenticated', 'This needs an assertion of the gateway.');
}

/** `X-Min-Version`: the version of the ticket that the answer must have reached. */
function minVersionIn({ headers }: FastifyRequest): number | undefined {
  const given = headers['x-min-version'];
  if (given === undefined) return undefined;
  const { data } = MinVersion.safeParse(given);
  if (data !== undefined) return Number(data);
  throw new ProblemError('malformed-request', 'X-Min-Version must be a version: 1, 2, 3 …');
}
