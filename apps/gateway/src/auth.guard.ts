import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '#observability';
import type { Caller } from './caller.js';
import { Directory, type Roster } from './directory.js';
import { IssuerUnreachable } from './issuer-keys.js';
import { headerCount } from './request-headers.js';
import { TokenVerifier, type Identity } from './token-verifier.js';

/** Secrets of API keys begin with this; their issue has yet to come. */
const apiKeyPrefix = 'dsk_';
const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Lets requests in by their bearer token; the only reader of `Authorization`. It works before the body is read, which Nest's own guards do
 * not: a stranger must not make us read one.
 */
@Injectable()
export class AuthGuard {
  /** The caller made last of an identity: as long as nothing changes, requests share one. */
  private readonly callers = new WeakMap<Identity, { roster: Roster; caller: Caller }>();

  constructor(
    private readonly tokens: TokenVerifier,
    private readonly directory: Directory,
    private readonly consoleClientId: string,
  ) {}

  /**
   * Who sent this request; at once where nothing has to be fetched.
   * @throws ProblemError 401, or 503 when nobody can tell; thrown or as a rejection
   */
  admit(request: FastifyRequest): Caller | Promise<Caller> {
    const identity = this.tokens.identify(tokenOf(request));
    if (identity === null || identity instanceof Promise) return this.admitLater(identity);
    const roster = this.directory.roster(identity.orgId);
    return roster instanceof Promise ? roster.then((found) => this.callerOf(identity, found)) : this.callerOf(identity, roster);
  }

  private async admitLater(pending: Promise<Identity | null> | null): Promise<Caller> {
    const identity = await Promise.resolve(pending).catch(unavailable);
    if (identity === null) throw unauthenticated('The token is not valid.');
    return this.callerOf(identity, await this.directory.roster(identity.orgId));
  }

  private callerOf(identity: Identity, roster: Roster): Caller {
    const known = this.callers.get(identity);
    if (known?.roster === roster) return known.caller;
    const { orgId, id, name, email, role } = identity;
    const assistantIds = roster.assistantIdsOf(id);
    const isSame = known !== undefined && sameList(known.caller.principal.access.assistantIds, assistantIds);
    const principal = isSame ? known.caller.principal : { orgId, actor: { type: 'member' as const, id, name }, access: { role, assistantIds } };
    const caller: Caller = { principal, channel: identity.clientId === this.consoleClientId ? 'console' : 'api', email };
    this.callers.set(identity, { roster, caller });
    return caller;
  }
}

function tokenOf({ raw }: FastifyRequest): string {
  const header = raw.headers.authorization;
  if (header === undefined) throw unauthenticated('Send a bearer token.');
  const token = bearer.exec(header)?.[1];
  if (token === undefined || headerCount(raw.rawHeaders, 'authorization') > 1) throw unauthenticated('Send one bearer token.');
  if (token.startsWith(apiKeyPrefix)) throw unauthenticated('The token is not valid.');
  return token;
}

function unavailable(error: unknown): never {
  if (!(error instanceof IssuerUnreachable)) throw error;
  throw new ProblemError('dependency-unavailable', 'Sign-ins cannot be checked right now.', {}, { 'retry-after': '2' });
}

const unauthenticated = (detail: string) => new ProblemError('unauthenticated', detail, {}, { 'www-authenticate': 'Bearer' });

const sameList = (one: readonly string[], other: readonly string[]) => one.length === other.length && one.every((item, i) => item === other[i]);
