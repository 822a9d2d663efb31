import type { Channel, Principal } from '#contracts';
import type { WriteConditions } from './request-headers.js';

/** Who sent a request, and through which door. */
export interface Caller {
  principal: Principal;
  channel: Channel;
  /** As the token says it; agents have none. */
  email?: string | undefined;
  /** When to look again whether the caller is still let in, ms: API keys are deleted and expire. Whoever answers for longer asks the guard again before. */
  until?: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the door once the token was checked. */
    caller: Caller;
    /** Set by the door for writes. */
    conditions: WriteConditions;
    /** Canonical text of the body; undefined without one. */
    canonicalBody: string | undefined;
    /** When the request came, ms of `performance.now()`. */
    cameAt: number;
  }
}
