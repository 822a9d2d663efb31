import { z } from 'zod';
import { Principal } from './principal.js';

/** Claims of the assertion that a gateway signs with `INTERNAL_KEY` (HS256) when it asks another service on somebody's behalf. */
export const AssertionClaims = z.object({ iss: z.literal('gateway'), aud: z.string(), exp: z.number(), principal: Principal });
export type AssertionClaims = z.infer<typeof AssertionClaims>;

/** How long an assertion is valid, seconds. */
export const assertionSeconds = 60;
