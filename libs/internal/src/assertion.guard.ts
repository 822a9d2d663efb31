import { createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { AssertionClaims, assertionSeconds, type Principal } from '#contracts';
import { ProblemError } from '#observability';

const clockToleranceSeconds = 30;

/** What a service needs to know whom it is asked for. */
export interface InternalDoor {
  /** The name by which assertions for this service call it. */
  audience: string;
  /** The key that assertions are signed with. */
  key: string;
}
export const INTERNAL_DOOR = Symbol('internal door');

declare module 'fastify' {
  interface FastifyRequest {
    /** For whom the gateway asks; set by the guard once the assertion was checked. */
    principal: Principal;
  }
}

/** Lets in who brings a gateway's assertion: it says for whom the gateway asks. Leaves the principal on the request. */
@Injectable()
export class AssertionGuard implements CanActivate {
  private readonly key: KeyObject;
  private readonly audience: string;
  /** Assertions that were found right; gateways use each for many requests. */
  private readonly known = new LRUCache<string, Principal>({ max: 10_000 });

  constructor(@Inject(INTERNAL_DOOR) { audience, key }: InternalDoor) {
    this.key = createSecretKey(Buffer.from(key));
    this.audience = audience;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const [, assertion] = /^Bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
    request.principal = assertion === undefined ? refuse() : (this.known.get(assertion) ?? (await this.verified(assertion)));
    return true;
  }

  private async verified(assertion: string): Promise<Principal> {
    const { audience } = this;
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
