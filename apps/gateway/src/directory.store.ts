import { isDeepStrictEqual } from 'node:util';
import { DirectoryEntry, directoryKey } from '#contracts';
import { guarded, type Database } from '#persistence';
import type { Change, Judge, Kept, Outcome } from './directory.policy.js';
import { inTime } from './in-time.js';

export type Kind = DirectoryEntry['kind'];

type Stored = DirectoryEntry &
  Kept & {
    _id: string;
    unpublished: boolean;
    changedAt: Date;
    /** Requests under an Idempotency-Key that met this entry, the newest last. */
    requests?: Noted[];
  };

/** Names an entry. */
export type Named = Pick<DirectoryEntry, 'orgId' | 'kind' | 'id'>;

/** A request that edits an entry. */
export interface EditRequest {
  /** The same in every repeat under its Idempotency-Key. */
  id: string;
  /** Tells a repeat from another request under the key. */
  hash: string;
  isKeyed: boolean;
}

/** What came of an edit; of a repeat what came of it the first time. */
export interface Edited {
  outcome: Outcome;
  /** Of the entry after it; 0 where there never was one. */
  revision: number;
  isSeeded: boolean;
  isRepeat: boolean;
  /** Hash of the request that did it. */
  hash: string;
  /** What the judge told of it. */
  told?: string | undefined;
}

interface Noted extends Pick<Edited, 'outcome' | 'revision' | 'isSeeded' | 'hash' | 'told'> {
  id: string;
  at: Date;
}

/** Where organisations stand with what a file says of their first members and assistants. */
interface Beginning {
  _id: string;
  isOver: boolean;
}

/** How long a request waits for the store, ms. */
const patienceMs = 2_000;
/** Requests that an entry remembers: more than anybody makes of one entry in a day. */
const mostRequests = 1_000;
/** An edit that nobody sent with a key. */
const unkeyed: EditRequest = { id: '', hash: '', isKeyed: false };

/** Members, assistants and producers with a revision per entry. What changed is marked until it is on its topic. Throws `StoreFault` when the store cannot. */
export class DirectoryStore {
  constructor(
    private readonly database: Pick<Database, 'db'>,
    private readonly now: () => Date = () => new Date(),
    private readonly patience = patienceMs,
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
    return (await inTime(guarded(() => found.toArray()), this.patience)).map((stored) => ({ entry: entryOf(stored), isSeeded: stored.isSeeded ?? false }));
  }

  /** Ids of a kind's entries that are not deleted, of all organisations, each once. */
  async idsOf(kind: Kind): Promise<string[]> {
    const found = await guarded(() => this.entries.find({ kind, deleted: false }, { projection: { id: 1 } }).toArray());
    return [...new Set(found.map(({ id }) => id))].sort();
  }

  /** Ids of an organisation's entries of a kind, deleted ones too. */
  async everIn(orgId: string, kind: Kind): Promise<Set<string>> {
    const found = this.entries.find({ orgId, kind }, { projection: { id: 1 } });
    return new Set((await inTime(guarded(() => found.toArray()), this.patience)).map(({ id }) => id));
  }

  /** When members of an organisation were taken out who are not back, ms since the epoch, by their ids. */
  async departures(orgId: string): Promise<Map<string, number>> {
    const found = this.entries.find({ orgId, kind: 'member', deleted: true, knownFrom: { $exists: true } }, { projection: { id: 1, knownFrom: 1 } });
    return new Map((await inTime(guarded(() => found.toArray()), this.patience)).map(({ id, knownFrom }) => [id, knownFrom!]));
  }

  /** An entry, deleted or not. */
  async find(key: string): Promise<DirectoryEntry | null> {
    const stored = await inTime(this.stored(key), this.patience);
    return stored && entryOf(stored);
  }

  /** Of these ids of a kind, those of entries that are there. */
  async known(orgId: string, kind: Kind, ids: readonly string[]): Promise<Set<string>> {
    const keys = ids.map((id) => directoryKey({ orgId, kind, id }));
    const found = this.entries.find({ _id: { $in: keys }, deleted: false }, { projection: { id: 1 } });
    return new Set((await inTime(guarded(() => found.toArray()), this.patience)).map(({ id }) => id));
  }

  /** Assistants that somebody is on. */
  async assistantsOf(orgId: string, memberId: string): Promise<Named[]> {
    const found = this.entries.find({ orgId, kind: 'assistant', 'value.memberIds': memberId, deleted: false }, { projection: { orgId: 1, kind: 1, id: 1 } });
    return inTime(guarded(() => found.toArray()), this.patience);
  }

  /** What files set that answer for it, deleted or not. */
  async seeded(kind: Kind): Promise<DirectoryEntry[]> {
    return (await guarded(() => this.entries.find({ kind, isSeeded: true }).toArray())).map(entryOf);
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

  /** What came of a request that met an entry before, be it another one of the kind; undefined when none did under its key. */
  async earlier({ orgId, kind }: Pick<Named, 'orgId' | 'kind'>, { id, isKeyed }: EditRequest): Promise<Edited | undefined> {
    if (!isKeyed) return undefined;
    return repeatOf(await inTime(guarded(() => this.entries.findOne({ orgId, kind, 'requests.id': id })), this.patience), id);
  }

  /**
   * Makes of an entry what a judge says; what differs gets the next revision. Change and answer are one write: a repeat finds what came of the request,
   * whichever gateway it met, and of several at once each is judged on what the one before left.
   */
  async edit(named: Named, judge: Judge, request: EditRequest = unkeyed): Promise<Edited> {
    const key = directoryKey(named);
    const current = await inTime(this.stored(key), this.patience);
    const earlier = repeatOf(current, request.id);
    if (earlier) return earlier;
    const { came, change } = judged(current, judge, request);
    const notes = request.isKeyed ? [{ id: request.id, ...came, at: this.now() }] : [];
    const isWritten = await inTime(current === null ? this.first(named, change, notes) : this.replace(current, change, notes), this.patience);
    return isWritten ? { ...came, isRepeat: false } : this.edit(named, judge, request);
  }

  /**
   * Whether an organisation is to get its first members and assistants from a file: it had none when it was first asked for, and `begun` was not
   * said since. Several gateways may be told yes at once, and one that comes after a crash.
   */
  async isToBegin(orgId: string): Promise<boolean> {
    const isOver = (await guarded(() => this.entries.findOne({ orgId, kind: { $in: ['member', 'assistant'] } }, { projection: { _id: 1 } }))) !== null;
    await guarded(() => this.beginnings.insertOne({ _id: orgId, isOver }).then(() => true, unlessThere));
    return (await guarded(() => this.beginnings.findOne({ _id: orgId })))?.isOver === false;
  }

  /** From now on an organisation is its administrators' affair. */
  async begun(orgId: string): Promise<void> {
    await guarded(() => this.beginnings.updateOne({ _id: orgId }, { $set: { isOver: true } }));
  }

  /** An entry that never was cannot note that it is absent. */
  private async first(named: Named, set: Change['set'], requests: Noted[]): Promise<boolean> {
    if (set === undefined) return true;
    const { orgId, kind, id } = named;
    const entry = { _id: directoryKey(named), orgId, kind, id, ...set, requests, revision: 1, unpublished: true, changedAt: this.now() } as Stored;
    // No upsert: of several at once FerretDB tells each that it was the one.
    return guarded(() => this.entries.insertOne(entry).then(() => true, unlessThere));
  }

  /** Writes unless somebody was faster. Without a change only the requests are noted. */
  private async replace(current: Stored, change: Change['set'], requests: Noted[]): Promise<boolean> {
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

  private get beginnings() {
    return this.database.db.collection<Beginning>('directory_beginnings');
  }
}

/** What comes of an edit, and what is to be written for it: nothing where the entry is so already. */
function judged(current: Kept | null, judge: Judge, { hash }: EditRequest): { came: Omit<Edited, 'isRepeat'>; change: Change['set'] } {
  const { outcome, set, told } = judge(current);
  const { revision, isSeeded = false } = { revision: 0, ...current, ...set };
  const isChange = set !== undefined && !isSame(current ?? {}, set);
  return { came: { outcome, revision: isChange ? revision + 1 : revision, isSeeded, hash, ...(told !== undefined && { told }) }, change: isChange ? set : undefined };
}

const entryOf = (stored: Stored): DirectoryEntry => DirectoryEntry.parse(stored);

const isSame = (current: object, set: object) => Object.entries(set).every(([name, value]) => isDeepStrictEqual(current[name as keyof typeof current], value));

function repeatOf(current: Stored | null, id: string): Edited | undefined {
  const found = current?.requests?.find((noted) => noted.id === id);
  if (found === undefined) return undefined;
  const { outcome, revision, isSeeded, hash, told } = found;
  return { outcome, revision, isSeeded, hash, ...(told !== undefined && { told }), isRepeat: true };
}

function unlessThere(error: unknown): false {
  if ((error as { code?: unknown }).code === 11_000) return false;
  throw error;
}
