import type { Actor, Scope } from '#contracts';
import { guarded, type Database } from '#persistence';
import { inTime } from './in-time.js';

/** An API key as it is stored. Of its secret nothing but the digest. */
export interface StoredKey {
  _id: string;
  orgId: string;
  name: string;
  assistantId: string;
  scopes: Scope[];
  digest: string;
  createdAt: string;
  createdBy: Pick<Actor, 'type' | 'id'>;
  expiresAt: string | null;
  lastUsedAt?: string;
  /** Hash of the request that made it; the request's Idempotency-Key made the id. */
  request: string;
  /** Who deleted it by which request. */
  revoked?: Revocation;
}

export interface Revocation {
  at: Date;
  by: Pick<Actor, 'type' | 'id'>;
  /** Id and hash of the request: a repeat meets its first answer. */
  commandId: string;
  request: string;
}

/** What tells whether a key is good, and whom it lets in. */
export type KeyFacts = Pick<StoredKey, '_id' | 'orgId' | 'assistantId' | 'scopes' | 'digest' | 'expiresAt'>;

const facts = { _id: 1, orgId: 1, assistantId: 1, scopes: 1, digest: 1, expiresAt: 1 } as const;
const isLive = { revoked: { $exists: false } };
/** Deleted keys are kept so long: repeats of the requests that made or deleted them meet their first answers, seconds. */
const keptSeconds = 30 * 86_400;
/** How long a request waits, ms. */
const patienceMs = 2_000;

/**
 * API keys. Key and idempotency are one document: the request's Idempotency-Key makes the key's id, so one insert is the whole write, and of two
 * at once one loses. Throws `StoreFault` when the store cannot.
 */
export class ApiKeyStore {
  constructor(
    private readonly database: Pick<Database, 'db'>,
    private readonly patience = patienceMs,
  ) {}

  async prepare(): Promise<void> {
    await guarded(() => this.keys.createIndexes([{ key: { orgId: 1 } }, { key: { 'revoked.at': 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** Adds a key, and answers the one of its id that is stored: this one, or that of a request that was faster. */
  async add(key: StoredKey): Promise<StoredKey> {
    const isAdded = await inTime(guarded(() => this.keys.insertOne(key).then(() => true, unlessThere)), this.patience);
    const stored = isAdded ? key : await this.find(key.orgId, key._id);
    if (stored === null) throw new Error(`the id ${key._id} is taken by nobody`);
    return stored;
  }

  /** A key of an organisation, deleted or not. */
  find(orgId: string, id: string): Promise<StoredKey | null> {
    return inTime(guarded(() => this.keys.findOne({ _id: id, orgId })), this.patience);
  }

  /** Keys of an organisation that were not deleted, oldest first. */
  async list(orgId: string): Promise<StoredKey[]> {
    const found = await inTime(guarded(() => this.keys.find({ orgId, ...isLive }).toArray()), this.patience);
    return found.sort((one, other) => (one.createdAt + one._id < other.createdAt + other._id ? -1 : 1));
  }

  /** How many keys of an organisation were not deleted; counting stops at `most`. */
  count(orgId: string, most: number): Promise<number> {
    return inTime(guarded(() => this.keys.countDocuments({ orgId, ...isLive }, { limit: most })), this.patience);
  }

  /** Of keys of any organisation, those that were not deleted. */
  live(ids: readonly string[]): Promise<KeyFacts[]> {
    return inTime(guarded(() => this.keys.find({ _id: { $in: [...ids] }, ...isLive }, { projection: facts }).toArray()), this.patience);
  }

  /** Deletes a key, and answers how it came to be deleted: this time or by an earlier request. Undefined for a key that there is not. */
  async revoke(orgId: string, id: string, revoked: Revocation): Promise<Revocation | undefined> {
    const { matchedCount } = await inTime(guarded(() => this.keys.updateOne({ _id: id, orgId, ...isLive }, { $set: { revoked } })), this.patience);
    return matchedCount === 1 ? revoked : (await this.find(orgId, id))?.revoked;
  }

  /** Notes when keys were used last; an older time never replaces a newer one. */
  async noteUses(uses: readonly (readonly [id: string, at: string])[]): Promise<void> {
    const operations = uses.map(([_id, lastUsedAt]) => ({ updateOne: { filter: { _id }, update: { $max: { lastUsedAt } } } }));
    await inTime(guarded(() => this.keys.bulkWrite(operations, { ordered: false })), this.patience);
  }

  private get keys() {
    return this.database.db.collection<StoredKey>('api_keys');
  }
}

function unlessThere(error: unknown): false {
  if ((error as { code?: unknown }).code === 11_000) return false;
  throw error;
}
