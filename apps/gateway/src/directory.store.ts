import { isDeepStrictEqual } from 'node:util';
import { DirectoryEntry, directoryKey } from '#contracts';
import { guarded, type Database } from '#persistence';
import { inTime } from './in-time.js';

type Stored = DirectoryEntry & { _id: string; unpublished: boolean; changedAt: Date };

/** What an entry should be, before the store knows its revision. */
export type Wanted = Pick<DirectoryEntry, 'orgId' | 'kind' | 'id' | 'value'>;

/** All that some organisations should consist of. */
export interface Contents {
  organisations: readonly string[];
  entries: readonly Wanted[];
}

/** How long a request waits for a roster, ms. */
const patienceMs = 2_000;

/** Members and assistants with a revision per entry. What changed is marked until it is on its topic. Throws `StoreFault` when the store cannot. */
export class DirectoryStore {
  constructor(
    private readonly database: Pick<Database, 'db'>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async prepare(): Promise<void> {
    await guarded(() => this.entries.createIndexes([{ key: { orgId: 1 } }, { key: { unpublished: 1 } }, { key: { changedAt: 1 } }]));
  }

  /** Entries of an organisation that are not deleted. */
  async read(orgId: string): Promise<DirectoryEntry[]> {
    return (await inTime(guarded(() => this.entries.find({ orgId, deleted: false }).toArray()), patienceMs)).map(entryOf);
  }

  async find(key: string): Promise<DirectoryEntry | null> {
    const stored = await guarded(() => this.entries.findOne({ _id: key }));
    return stored && entryOf(stored);
  }

  /** Entries that were not seen on the topic since they changed. */
  async unpublished(): Promise<DirectoryEntry[]> {
    return (await guarded(() => this.entries.find({ unpublished: true }).limit(1_000).toArray())).map(entryOf);
  }

  /** Entries that changed at or after a moment. */
  async changedSince(moment: Date): Promise<DirectoryEntry[]> {
    return (await guarded(() => this.entries.find({ changedAt: { $gte: moment } }).toArray())).map(entryOf);
  }

  /** Marks an entry as published unless it changed meanwhile; answers whether this is still its revision. */
  async markPublished(entry: DirectoryEntry): Promise<boolean> {
    const current = { _id: directoryKey(entry), revision: entry.revision };
    return (await guarded(() => this.entries.updateOne(current, { $set: { unpublished: false } }))).matchedCount === 1;
  }

  /**
   * Makes the directory of some organisations what it should be: what differs gets its next revision, what is not wanted is marked deleted.
   * Two at once do it once. Organisations that are not named stay as they are.
   */
  async fill({ organisations, entries }: Contents): Promise<void> {
    const found = await guarded(() => this.entries.find({ orgId: { $in: [...organisations] } }).toArray());
    const leftovers = new Map(found.map((stored) => [stored._id, entryOf(stored)]));
    for (const entry of entries) {
      const key = directoryKey(entry);
      await this.put(entry, leftovers.get(key) ?? null);
      leftovers.delete(key);
    }
    for (const entry of leftovers.values()) if (!entry.deleted) await this.replace(entry, { deleted: true });
  }

  private async put(wanted: Wanted, current: DirectoryEntry | null): Promise<void> {
    if (current === null) {
      if (await this.add(wanted)) return;
    } else if (!current.deleted && isDeepStrictEqual(current.value, wanted.value)) {
      return;
    } else if (await this.replace(current, { deleted: false, value: wanted.value })) {
      return;
    }
    return this.put(wanted, await this.find(directoryKey(wanted))); // somebody else was faster: look at what they stored
  }

  private async add(wanted: Wanted): Promise<boolean> {
    const entry = { _id: directoryKey(wanted), ...wanted, revision: 1, deleted: false, unpublished: true, changedAt: this.now() } as Stored;
    const { upsertedCount } = await guarded(() => this.entries.updateOne({ _id: entry._id }, { $setOnInsert: entry }, { upsert: true }).catch(lostRace));
    return upsertedCount === 1;
  }

  private async replace(current: DirectoryEntry, change: Partial<Pick<DirectoryEntry, 'deleted' | 'value'>>): Promise<boolean> {
    const update = { $set: { ...change, revision: current.revision + 1, unpublished: true, changedAt: this.now() } };
    const filter = { _id: directoryKey(current), revision: current.revision };
    return (await guarded(() => this.entries.updateOne(filter, update as object))).matchedCount === 1;
  }

  private get entries() {
    return this.database.db.collection<Stored>('directory');
  }
}

const entryOf = (stored: Stored): DirectoryEntry => DirectoryEntry.parse(stored);

function lostRace(error: unknown): { upsertedCount: number } {
  if ((error as { code?: unknown }).code === 11_000) return { upsertedCount: 0 };
  throw error;
}
