import { isDeepStrictEqual } from 'node:util';
import { DirectoryEntry, directoryKey } from '#contracts';
import { guarded, type Database } from '#persistence';
import { inTime } from './in-time.js';

export type Kind = DirectoryEntry['kind'];

type Stored = DirectoryEntry & {
  _id: string;
  unpublished: boolean;
  changedAt: Date;
  /** A file set it that answers for what it set, and for nothing else. */
  isSeeded?: boolean;
  /** Requests under an Idempotency-Key that met this entry, the newest last. */
  requests?: Noted[];
};

/** What an entry should be, before the store knows its revision. */
export type Wanted = Pick<DirectoryEntry, 'orgId' | 'kind' | 'id' | 'value'>;

/** All that a part of the directory should consist of. */
export interface Contents {
  /** The part: these kinds in some organisations, or what a file has set of them before. */
  part: { kinds: readonly Kind[]; organisations: readonly string[] | 'seeded' };
  entries: readonly Wanted[];
}

/** A request that edits an entry. */
export interface EditRequest {
  /** The same in every repeat under its Idempotency-Key. */
  id: string;
  /** Tells a repeat from another request under the key. */
  hash: string;
  isKeyed: boolean;
}

/** What came of an edit; of a repeat what came of it the first time. `exists` and `absent` changed nothing. */
export interface Edited {
  outcome: 'done' | 'exists' | 'absent';
  isSeeded: boolean;
  isRepeat: boolean;
  /** Hash of the request that did it. */
  hash: string;
}

interface Noted extends Pick<Edited, 'outcome' | 'isSeeded' | 'hash'> {
  id: string;
  at: Date;
}

interface Change {
  outcome: Edited['outcome'];
  set?: Partial<Pick<Stored, 'deleted' | 'value' | 'isSeeded'>>;
}

/** How long a request waits for the store, ms. */
const patienceMs = 2_000;
/** Requests that an entry remembers: more than anybody makes of one entry in a day. */
const mostRequests = 1_000;

/** Members, assistants and producers with a revision per entry. What changed is marked until it is on its topic. Throws `StoreFault` when the store cannot. */
export class DirectoryStore {
  constructor(
    private readonly database: Pick<Database, 'db'>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async prepare(): Promise<void> {
    await guarded(() => this.entries.createIndexes([{ key: { orgId: 1 } }, { key: { unpublished: 1 } }, { key: { changedAt: 1 } }, { key: { kind: 1 } }]));
  }

  /** Entries of an organisation that are not deleted. */
  async read(orgId: string, kinds: readonly Kind[]): Promise<DirectoryEntry[]> {
    return (await this.list(orgId, kinds)).map(({ entry }) => entry);
  }

  /** The same, with who set them. */
  async list(orgId: string, kinds: readonly Kind[]): Promise<{ entry: DirectoryEntry; isSeeded: boolean }[]> {
    const found = this.entries.find({ orgId, kind: { $in: [...kinds] }, deleted: false }, { projection: { requests: 0 } });
    return (await inTime(guarded(() => found.toArray()), patienceMs)).map((stored) => ({ entry: entryOf(stored), isSeeded: stored.isSeeded ?? false }));
  }

  /** Ids of a kind's entries that are not deleted, of all organisations, each once. */
  async idsOf(kind: Kind): Promise<string[]> {
    const found = await guarded(() => this.entries.find({ kind, deleted: false }, { projection: { id: 1 } }).toArray());
    return [...new Set(found.map(({ id }) => id))].sort();
  }

  async find(key: string): Promise<DirectoryEntry | null> {
    const stored = await this.stored(key);
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

  /** Adds an entry; one that is there already stays as it is. */
  create(wanted: Wanted, request: EditRequest): Promise<Edited> {
    return this.edit(wanted, request, (current) => (current?.deleted === false ? { outcome: 'exists' } : { outcome: 'done', set: { deleted: false, value: wanted.value, isSeeded: false } }));
  }

  /** Gives an entry that is there another value. */
  change(wanted: Wanted, request: EditRequest): Promise<Edited> {
    return this.edit(wanted, request, (current) => (current?.deleted === false ? { outcome: 'done', set: { value: wanted.value } } : { outcome: 'absent' }));
  }

  delete(named: Omit<Wanted, 'value'>, request: EditRequest): Promise<Edited> {
    return this.edit(named, request, (current) => (current?.deleted === false ? { outcome: 'done', set: { deleted: true } } : { outcome: 'absent' }));
  }

  /** What came of a request that met an entry before, be it another one of the kind; undefined when none did under its key. */
  async earlier({ orgId, kind }: Pick<Wanted, 'orgId' | 'kind'>, { id, isKeyed }: EditRequest): Promise<Edited | undefined> {
    if (!isKeyed) return undefined;
    return repeatOf(await inTime(guarded(() => this.entries.findOne({ orgId, kind, 'requests.id': id })), patienceMs), id);
  }

  /**
   * Makes a part of the directory what it should be: what differs gets its next revision, what is not wanted is marked deleted.
   * Two at once do it once. What is no part of it stays as it is.
   */
  async fill({ part: { kinds, organisations }, entries }: Contents): Promise<void> {
    const isSeeded = organisations === 'seeded';
    const within = isSeeded ? { isSeeded } : { orgId: { $in: [...organisations] } };
    const found = await guarded(() => this.entries.find({ kind: { $in: [...kinds] }, ...within }).toArray());
    const leftovers = new Map(found.map((stored) => [stored._id, stored]));
    for (const entry of entries) {
      const key = directoryKey(entry);
      await this.put({ ...entry, ...(isSeeded && { isSeeded }) }, leftovers.get(key) ?? null);
      leftovers.delete(key);
    }
    for (const stored of leftovers.values()) if (!stored.deleted) await this.replace(stored, { deleted: true });
  }

  private async put(wanted: Wanted & Pick<Stored, 'isSeeded'>, current: Stored | null): Promise<void> {
    const { value, isSeeded } = wanted;
    const set = { deleted: false, value, ...(isSeeded && { isSeeded }) };
    if (current !== null && isSame(current, set)) return;
    if (await (current === null ? this.add(wanted) : this.replace(current, set))) return;
    return this.put(wanted, await this.stored(directoryKey(wanted))); // somebody else was faster: look at what they stored
  }

  /** Change and answer are one write: a repeat finds what came of the request, whichever gateway it met. */
  private async edit(named: Omit<Wanted, 'value'>, request: EditRequest, judge: (current: Stored | null) => Change): Promise<Edited> {
    const key = directoryKey(named);
    const current = await inTime(this.stored(key), patienceMs);
    const earlier = repeatOf(current, request.id);
    if (earlier) return earlier;
    const { outcome, set } = judge(current);
    const came = { outcome, isSeeded: { ...current, ...set }.isSeeded ?? false, hash: request.hash };
    const notes = request.isKeyed ? [{ id: request.id, ...came, at: this.now() }] : [];
    const isWritten = await inTime(current === null ? this.first(named, set, notes) : this.next(current, set, notes), patienceMs);
    return isWritten ? { ...came, isRepeat: false } : this.edit(named, request, judge);
  }

  /** An entry that never was cannot note that it is absent. */
  private async first(named: Omit<Wanted, 'value'>, set: Change['set'], requests: Noted[]): Promise<boolean> {
    return set === undefined || this.add({ ...named, ...set, requests } as Wanted);
  }

  private async next(current: Stored, set: Change['set'], notes: Noted[]): Promise<boolean> {
    if (set === undefined && notes.length === 0) return true;
    return this.replace(current, isSame(current, set) ? undefined : set, notes);
  }

  /** By an insert: of several upserts at once FerretDB says of each that it was the first. */
  private async add(wanted: Wanted): Promise<boolean> {
    const entry = { _id: directoryKey(wanted), ...wanted, revision: 1, deleted: false, unpublished: true, changedAt: this.now() } as Stored;
    return guarded(() => this.entries.insertOne(entry).then(() => true, unlessThere));
  }

  /** Writes unless somebody was faster. Without a change only the requests are noted. */
  private async replace(current: Stored, change: Change['set'], requests: Noted[] = []): Promise<boolean> {
    const update = {
      ...(change && { $set: { ...change, revision: current.revision + 1, unpublished: true, changedAt: this.now() } }),
      ...(requests.length > 0 && { $push: { requests: { $each: requests, $slice: -mostRequests } } }),
    };
    if (Object.keys(update).length === 0) return true;
    const filter = { _id: current._id, revision: current.revision, ...(requests.length > 0 && { 'requests.id': { $ne: requests[0]!.id } }) };
    return (await guarded(() => this.entries.updateOne(filter, update as object))).matchedCount === 1;
  }

  private stored(key: string): Promise<Stored | null> {
    return guarded(() => this.entries.findOne({ _id: key }));
  }

  private get entries() {
    return this.database.db.collection<Stored>('directory');
  }
}

const entryOf = (stored: Stored): DirectoryEntry => DirectoryEntry.parse(stored);

const isSame = (current: Stored, set: Change['set']) =>
  set === undefined || Object.entries(set).every(([name, value]) => isDeepStrictEqual(current[name as keyof Stored], value));

function repeatOf(current: Stored | null, id: string): Edited | undefined {
  const found = current?.requests?.find((noted) => noted.id === id);
  return found && { outcome: found.outcome, isSeeded: found.isSeeded, hash: found.hash, isRepeat: true };
}

function unlessThere(error: unknown): false {
  if ((error as { code?: unknown }).code === 11_000) return false;
  throw error;
}
