import { hash } from 'node:crypto';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { PersonId, Role, Slug, text } from '#contracts';
import { InFlight } from '#observability';
import { IssuerUnreachable, type IssuerKeys } from './issuer-keys.js';

const Claims = z.object({
  sub: PersonId,
  name: text(255, 1),
  email: text(320, 1),
  org: Slug,
  role: Role,
  exp: z.number(),
  iat: z.number().optional(),
  client_id: z.string().optional(),
  azp: z.string().optional(),
});

/** What a valid token says about a person. */
export interface Identity {
  orgId: string;
  id: string;
  name: string;
  email: string;
  role: Role;
  /** When the token was made, ms; when it was seen first where it does not say. */
  issuedAt: number;
  /** The client that the token was made for. */
  clientId: string | undefined;
}

interface Known {
  identity: Identity;
  until: number;
}

/** How long a verified token is taken without looking again, ms. */
const trustMs = 60_000;
const maxKnown = 10_000;
/** A token longer than this is not one of ours. */
const maxLength = 8_192;

/** Verifies tokens of one issuer for one audience, and remembers for a minute which ones were good: verifying is on every request's way. */
export class TokenVerifier {
  private readonly known = new LRUCache<string, Known>({ max: maxKnown });
  /** A page begins with many requests at once, all with the same token. */
  private readonly verifying = new InFlight<Identity | null>();

  constructor(
    private readonly keys: Pick<IssuerKeys, 'find'>,
    private readonly expected: { issuer: string; audience: string },
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The person of a token, at once when it was seen lately; null for a token that is not valid.
   * @throws IssuerUnreachable (as a rejection) when nobody can tell
   */
  identify(token: string): Identity | null | Promise<Identity | null> {
    if (token.length > maxLength) return null;
    const digest = hash('sha256', token, 'base64');
    const known = this.known.get(digest);
    return known !== undefined && known.until > this.now() ? known.identity : this.verifying.share(digest, () => this.verify(token, digest));
  }

  private async verify(token: string, digest: string): Promise<Identity | null> {
    const claims = await this.claims(token);
    if (claims === null) return null;
    const { sub: id, name, email, org: orgId, role, exp, iat, client_id, azp } = claims;
    const issuedAt = Math.min((iat ?? Infinity) * 1_000, this.now()); // an issuer's clock that is ahead must not outlast later sign-ins
    const identity = { orgId, id, name, email, role, issuedAt, clientId: client_id ?? azp };
    this.known.set(digest, { identity, until: Math.min(exp * 1_000, this.now() + trustMs) });
    return identity;
  }

  private async claims(token: string): Promise<z.infer<typeof Claims> | null> {
    try {
      const { payload } = await jwtVerify(token, this.keys.find, {
        ...this.expected,
        algorithms: ['RS256', 'ES256'],
        requiredClaims: ['exp', 'iss', 'aud', 'sub'],
        currentDate: new Date(this.now()),
      });
      return Claims.safeParse(payload).data ?? null;
    } catch (error) {
      if (error instanceof IssuerUnreachable) throw error;
      return null;
    }
  }
}
