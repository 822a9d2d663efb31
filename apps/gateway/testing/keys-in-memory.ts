import type { ApiKeyStore, Revocation, StoredKey } from '../src/api-keys.store.js';

/** API keys without a store; passes the same suite. */
export class KeysInMemory implements Pick<ApiKeyStore, 'add' | 'find' | 'list' | 'count' | 'live' | 'revoke' | 'noteUses'> {
  readonly stored = new Map<string, StoredKey>();

  async add(key: StoredKey): Promise<StoredKey> {
    const there = this.stored.get(key._id);
    if (there === undefined) this.stored.set(key._id, structuredClone(key));
    return there ?? key;
  }

  async find(orgId: string, id: string): Promise<StoredKey | null> {
    const key = this.stored.get(id);
    return key?.orgId === orgId ? structuredClone(key) : null;
  }

  async list(orgId: string): Promise<StoredKey[]> {
    return this.alive.filter((key) => key.orgId === orgId).sort((one, other) => (one.createdAt + one._id < other.createdAt + other._id ? -1 : 1));
  }

  async count(orgId: string, most: number): Promise<number> {
    return Math.min(most, (await this.list(orgId)).length);
  }

  async live(ids: readonly string[]): Promise<StoredKey[]> {
    return this.alive.filter(({ _id }) => ids.includes(_id));
  }

  async revoke(orgId: string, id: string, revoked: Revocation): Promise<Revocation | undefined> {
    const key = this.stored.get(id);
    if (key?.orgId !== orgId) return undefined;
    return (key.revoked ??= revoked);
  }

  async noteUses(uses: readonly (readonly [id: string, at: string])[]): Promise<void> {
    for (const [id, at] of uses) {
      const key = this.stored.get(id);
      if (key !== undefined && at > (key.lastUsedAt ?? '')) key.lastUsedAt = at;
    }
  }

  private get alive(): StoredKey[] {
    return [...this.stored.values()].filter(({ revoked }) => revoked === undefined).map((key) => structuredClone(key));
  }
}
