import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { apiKeyPrefix } from '#contracts';
import type { Agents } from './agents.js';
import type { Caller } from './caller.js';
import type { People } from './people.js';
import { headerCount } from './request-headers.js';
import { unauthenticated } from './unauthenticated.js';

const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Lets requests in by their bearer token, a sign-in's or an API key; the only reader of `Authorization`. It works before the body is read, which
 * Nest's own guards do not: a stranger must not make us read one.
 */
@Injectable()
export class AuthGuard {
  constructor(
    private readonly people: Pick<People, 'admit'>,
    private readonly agents: Pick<Agents, 'admit'>,
  ) {}

  /**
   * Who sent this request; at once where nothing has to be fetched.
   * @throws ProblemError 401, or 503 when nobody can tell; thrown or as a rejection
   */
  admit(request: FastifyRequest): Caller | Promise<Caller> {
    const token = tokenOf(request);
    return token.startsWith(apiKeyPrefix) ? this.agents.admit(token) : this.people.admit(token);
  }
}

function tokenOf({ raw }: FastifyRequest): string {
  const header = raw.headers.authorization;
  if (header === undefined) throw unauthenticated('Send a bearer token.');
  const token = bearer.exec(header)?.[1];
  if (token === undefined || headerCount(raw.rawHeaders, 'authorization') > 1) throw unauthenticated('Send one bearer token.');
  return token;
}
