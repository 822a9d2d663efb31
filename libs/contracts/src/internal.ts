import { z } from 'zod';
import { Principal } from './principal.js';

/** Claims of the assertion that a gateway signs with `INTERNAL_KEY` (HS256) when it asks another service on somebody's behalf. */
export const AssertionClaims = z.object({ iss: z.literal('gateway'), aud: z.string(), exp: z.number(), principal: Principal });
export type AssertionClaims = z.infer<typeof AssertionClaims>;

/** How long an assertion is valid, seconds. */
export const assertionSeconds = 60;

/** How a gateway names a write that it forwards, in headers. */
export const changeHeaders = { id: 'x-change-id', hash: 'x-change-hash', expected: 'x-change-expected' } as const;

/** A write that a gateway forwards: its id is the same in every repeat under an Idempotency-Key, its hash tells it from another request under that key, and it may expect what it changes to be at a revision. */
export const ForwardedChange = z.object({ id: z.uuid(), hash: z.string().min(1).max(128), expected: z.string().regex(/^\d{1,15}$/).transform(Number).pipe(z.number()).optional() });
export type ForwardedChange = z.infer<typeof ForwardedChange>;
