import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Scope } from '#contracts';
import { InFlight, ProblemError } from '#observability';
import { presentedKey, type PresentedKey } from './api-key-secret.js';
import type { ApiKeyStore, KeyFacts } from './api-keys.store.js';
import { inTime } from './in-time.js';
import { unavailable } from './unavailable.js';

/** What a key grants; the same object as long as the key is known. */
export interface Grant {
  keyId: string;
  orgId: string;
  assistantId: string;
  scopes: Scope[];
  /** Ms; infinite for a key that does not expire. */
  expiresAt: number;
}

/** A key that was good lately. It counts until `until` (ms) and has to be shown again then. */
export interface Admission {
  grant: Grant;
  until: number;
}

interface Kept {
  grant: Grant | null;
  readAt: number;
}

/** How old an answer of the store may be before it is asked again, and how old when it cannot say: a deletion bites within 5 s, ms. */
const freshMs = 2_000;
const usableMs = 4_000;
/** How long a request waits for the store, ms. */
const patienceMs = 2_000;
/** Good keys kept in memory, and as many bad ones, apart: strangers must not push the good ones out. */
const maxKept = 10_000;
/** Keys that wait for the store at once; more are turned away. */
const maxWaiting = 1_000;

/**
 * Tells good API keys from bad ones. Answers are kept under the digest of the whole key, not under its id: a key with a wrong secret costs the same way
 * to the store as one that does not exist, so time tells nothing about which ids do. While the store cannot be asked, a key that it
 * confirmed in the last four seconds is good, and nobody can tell of any other.
 */
export class KeyRing {
  private readonly good = new LRUCache<string, Kept>({ max: maxKept });
  private readonly bad = new LRUCache<string, Kept>({ max: maxKept });
  private readonly asking = new InFlight<Kept>();
  private lastRead: Promise<unknown> = Promise.resolve();
  private nextRead: { ids: Set<string>; found: Promise<Reading> } | undefined;

  constructor(
    private readonly store: Pick<ApiKeyStore, 'live'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether a key is good, at once when the store said so lately; null for a bad one. @throws ProblemError 503 (as a rejection) when nobody can tell */
  admit(token: string): Admission | null | Promise<Admission | null> {
    const key = presentedKey(token);
    if (key === null) return null;
    const kept = this.good.get(key.digest) ?? this.bad.get(key.digest);
    return kept !== undefined && this.ageOf(kept) < freshMs ? this.judge(kept) : this.ask(key);
  }

  private async ask(key: PresentedKey): Promise<Admission | null> {
    try {
      return this.judge(await inTime(this.renewed(key), patienceMs));
    } catch (error) {
      const kept = this.judge(this.good.get(key.digest));
      if (kept !== null) return kept;
      throw error instanceof ProblemError ? error : unavailable('API keys cannot be checked right now.', error);
    }
  }

  private judge(kept: Kept | undefined): Admission | null {
    if (!kept?.grant || this.ageOf(kept) >= usableMs) return null;
    const until = Math.min(kept.readAt + usableMs, kept.grant.expiresAt);
    return this.now() < until ? { grant: kept.grant, until } : null;
  }

  /** A clock that was put back makes nothing younger. */
  private ageOf({ readAt }: Kept): number {
    return Math.abs(this.now() - readAt);
  }

  /** Those who show the same key at once ask once. */
  private renewed(key: PresentedKey): Promise<Kept> {
    return this.asking.share(key.digest, () => this.read(key));
  }

  private async read(key: PresentedKey): Promise<Kept> {
    const { found, readAt } = await this.inNextRead(key.id);
    const facts = found.get(key.id);
    const isGood = facts !== undefined && isSame(facts.digest, key.digest);
    const kept = { grant: isGood ? (this.good.get(key.digest)?.grant ?? grantOf(facts)) : null, readAt };
    if (!isGood) this.good.delete(key.digest);
    (isGood ? this.good : this.bad).set(key.digest, kept);
    return kept;
  }

  /** One read at a time, for all keys that came during the one before: however many strangers try keys, the store gets one small query after the other. */
  private inNextRead(id: string): Promise<Reading> {
    const { ids, found } = (this.nextRead ??= this.planRead());
    if (ids.size >= maxWaiting) throw new ProblemError('overloaded', 'Too many keys wait to be checked.', {}, { 'retry-after': '1' });
    ids.add(id);
    return found;
  }

  private planRead() {
    const ids = new Set<string>();
    const found = this.lastRead.then(() => {
      this.nextRead = undefined;
      return this.readAll([...ids]);
    });
    this.lastRead = found.catch(() => undefined);
    return { ids, found };
  }

  private async readAll(ids: readonly string[]): Promise<Reading> {
    const readAt = this.now();
    return { found: new Map((await this.store.live(ids)).map((facts) => [facts._id, facts])), readAt };
  }
}

interface Reading {
  found: Map<string, KeyFacts>;
  readAt: number;
}

const isSame = (one: string, other: string) => timingSafeEqual(Buffer.from(one), Buffer.from(other));

const grantOf = ({ _id: keyId, orgId, assistantId, scopes, expiresAt }: KeyFacts): Grant => ({
  keyId,
  orgId,
  assistantId,
  scopes,
  expiresAt: expiresAt === null ? Infinity : Date.parse(expiresAt),
});
