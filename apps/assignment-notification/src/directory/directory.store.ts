import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { directoryKey, type AssigneeInput, type Assistant, type DirectoryEntry, type KnownMember } from '#contracts';
import { guarded, putNewer, type Database } from '#persistence';
import { STORE } from '../store.js';

/** People of one name, or of some, whom anybody asks for at once. */
const mostNamed = 1_000;

interface StoredEntry {
  _id: string;
  orgId: string;
  /** The entry's revision. */
  version: number;
  deleted: boolean;
  kind: DirectoryEntry['kind'];
  value: KnownMember | Assistant;
}

/** People and assistants of one organisation. */
export interface People {
  members: ReadonlyMap<string, KnownMember>;
  assistants: ReadonlyMap<string, Assistant>;
}

/** What is known of `directory.v1`. Of an entry the newest revision stays, whatever the order of arrival; so deleted ones are kept. */
@Injectable()
export class DirectoryStore {
  private readonly entries: mongoose.mongo.Collection<StoredEntry>;

  constructor(@Inject(STORE) { db }: Database) {
    this.entries = db.collection('directory');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.entries.createIndexes([{ key: { orgId: 1 } }, { key: { orgId: 1, 'value.name': 1 } }]));
  }

  /** @throws StoreFault */
  async put(entries: readonly Exclude<DirectoryEntry, { kind: 'producer' }>[]): Promise<void> {
    const newest = new Map<string, StoredEntry>();
    for (const entry of entries) {
      const { orgId, kind, revision: version, deleted, value } = entry;
      const _id = directoryKey(entry);
      if ((newest.get(_id)?.version ?? 0) < version) newest.set(_id, { _id, orgId, version, deleted, kind, value });
    }
    await putNewer(this.entries, [...newest.values()].map((document) => ({ document, isNew: true })));
  }

  /** Entries by `directoryKey`, of those that are there. @throws StoreFault */
  async some(keys: ReadonlySet<string>): Promise<Map<string, KnownMember | Assistant>> {
    if (keys.size === 0) return new Map();
    const found = await guarded(() => this.entries.find({ _id: { $in: [...keys] }, deleted: false }).toArray());
    return new Map(found.map(({ _id, value }) => [_id, value]));
  }

  /** People who are called so, letter by letter. @throws StoreFault */
  async named(orgId: string, names: readonly string[]): Promise<KnownMember[]> {
    const found = await guarded(() => this.entries.find({ orgId, kind: 'member', deleted: false, 'value.name': { $in: [...names] } } as object).limit(mostNamed).toArray());
    return found.map(({ value }) => value as KnownMember);
  }

  /** Whoever administers an organisation. @throws StoreFault */
  async administrators(orgId: string): Promise<KnownMember[]> {
    const found = await guarded(() => this.entries.find({ orgId, kind: 'member', deleted: false, 'value.role': 'admin' } as object).toArray());
    return found.map(({ value }) => value as KnownMember);
  }

  /** Those of these who are there; without them everybody: an organisation may have thousands, and who asks mostly wants few. @throws StoreFault */
  async people(orgId: string, whom?: readonly AssigneeInput[]): Promise<People> {
    const keys = whom && new Set(whom.map(({ type, id }) => directoryKey({ orgId, kind: type === 'member' ? 'member' : 'assistant', id })));
    const found = await guarded(() => this.entries.find({ ...(keys && { _id: { $in: [...keys] } }), orgId, deleted: false }).toArray());
    const of = <T extends { id: string }>(kind: string) => new Map(found.filter((entry) => entry.kind === kind).map(({ value }) => [value.id, value as unknown as T]));
    return { members: of<KnownMember>('member'), assistants: of<Assistant>('assistant') };
  }
}
