import { createLocalJWKSet, errors, type JWSHeaderParameters, type FlattenedJWSInput } from 'jose';
import { z } from 'zod';

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** Keys older than this are fetched again, in the background: a withdrawn key must not be trusted for ever, ms. */
const maxAge = 600_000;
/** An unknown `kid` asks the issuer again, at most this often: tokens of strangers must not become requests to it, ms. */
const cooldown = 10_000;
const timeout = 3_000;

/** The issuer cannot be asked and there are no keys from before: nobody can be let in or turned away. */
export class IssuerUnreachable extends Error {
  constructor(cause: unknown) {
    super('the issuer of tokens cannot be reached', { cause });
    this.name = 'IssuerUnreachable';
  }
}

/** Public keys of an OpenID Connect issuer, found by discovery and kept. */
export class IssuerKeys {
  private keys: LocalKeys | undefined;
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private fetching: Promise<void> | undefined;

  constructor(
    private readonly issuer: string,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The key that a token names.
   * @throws IssuerUnreachable without any keys; a jose error when there is no such key
   */
  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    if (this.keys === undefined) await this.fetchOrThrow();
    else if (this.now() - this.fetchedAt > maxAge && this.mayTry()) void this.fetch().catch(() => undefined);
    try {
      return await this.keys!(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.mayTry()) throw error;
      await this.fetch().catch(() => undefined);
      return this.keys!(header, token);
    }
  };

  private mayTry() {
    return this.fetching !== undefined || this.now() - this.triedAt >= cooldown;
  }

  private async fetchOrThrow() {
    try {
      await this.fetch();
    } catch (error) {
      throw new IssuerUnreachable(error);
    }
  }

  private fetch(): Promise<void> {
    this.triedAt = this.now();
    this.fetching ??= this.load().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async load() {
    const found = Discovery.parse(await getJson(`${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
    if (found.issuer !== this.issuer) throw new Error(`${this.issuer} calls itself ${found.issuer}`);
    this.keys = createLocalJWKSet(KeySet.parse(await getJson(found.jwks_uri)));
    this.fetchedAt = this.now();
  }
}

async function getJson(address: string): Promise<unknown> {
  const response = await fetch(address, { signal: AbortSignal.timeout(timeout), headers: { accept: 'application/json' }, redirect: 'error' });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.json();
}
