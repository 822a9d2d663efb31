import { createSecretKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { assertionSeconds, type Principal } from '#contracts';

/** An assertion is used again for so long, well within its validity, ms. */
const reuseMs = 30_000;

/** Says for whom a gateway asks another service, in words that only holders of the internal key can have written. */
export class Assertions {
  private readonly key: KeyObject;
  private readonly known = new WeakMap<Principal, { signed: Promise<string>; until: number }>();

  /** @param audience the service that is asked */
  constructor(
    internalKey: string,
    private readonly audience: string,
  ) {
    this.key = createSecretKey(Buffer.from(internalKey));
  }

  /** The assertion for a principal; the same one for half a minute. */
  for(principal: Principal): Promise<string> {
    const known = this.known.get(principal);
    if (known !== undefined && known.until > Date.now()) return known.signed;
    const signed = new SignJWT({ principal })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('gateway')
      .setAudience(this.audience)
      .setIssuedAt()
      .setExpirationTime(`${assertionSeconds}s`)
      .sign(this.key);
    this.known.set(principal, { signed, until: Date.now() + reuseMs });
    return signed;
  }
}
