import mongoose from 'mongoose';
import { commitKey, ticketKey, type Appended, type Commit, type CommitKey, type CommitLog } from './commit-log.js';
import type { Database } from './database.js';
import { guarded, isPassing, StoreFault } from './fault.js';

const { MongoBulkWriteError, MongoServerError } = mongoose.mongo;

/** A commit as it is stored. `_id` is organisation/ticket/command, so no second index is needed for that. */
interface CommitDocument {
  _id: string;
  /** organisation/ticket */
  ticket: string;
  version?: number;
  outcome: Commit['outcome'];
  payloadHash: string;
  type: string;
  at: string;
  traceparent?: string;
  value: mongoose.mongo.Binary;
  rules?: unknown;
  origin?: unknown;
  source: Commit['source'];
  /** Only refused and unchanged commands go, a while after their answer can still be asked for. */
  expireAt?: Date;
}

/** Answers of commands that changed nothing are kept so long (contract section 1). */
const answersKeptMs = 30 * 86_400_000;
const duplicateKey = 11_000;
/** So many short documents at most come in one answer; it ends earlier at 16 MiB. */
const oneBatch = 200_000;

/** Makes the collection's indexes; safe to repeat. */
export async function prepareCommits({ db }: Pick<Database, 'db'>): Promise<void> {
  await guarded(() =>
    db.collection('commits').createIndexes([
      { key: { ticket: 1, version: 1 }, name: 'ticket_version', unique: true, partialFilterExpression: { version: { $exists: true } } },
      { key: { expireAt: 1 }, name: 'expiry', expireAfterSeconds: 0, partialFilterExpression: { expireAt: { $exists: true } } },
    ]),
  );
}

/** The commit log in MongoDB (or what speaks its protocol). */
export class MongoCommitLog implements CommitLog {
  private readonly commits: mongoose.mongo.Collection<CommitDocument>;

  constructor({ db }: Pick<Database, 'db'>) {
    this.commits = db.collection('commits');
  }

  async find(keys: readonly CommitKey[]): Promise<Commit[]> {
    return this.read(keys.map(commitKey));
  }

  /**
   * Two round trips: the versions of all commits of these tickets, then the newest commits by `_id`. On either kind of server that beat one
   * grouping by the server, and a ticket with thousands of commits costs tens of milliseconds.
   */
  async newest(tickets: readonly Omit<CommitKey, 'commandId'>[]): Promise<Commit[]> {
    if (tickets.length === 0) return [];
    const keys = tickets.map(ticketKey);
    const versions = await guarded(() =>
      this.commits
        .find(
          { ticket: { $in: keys }, version: { $exists: true } },
          { hint: 'ticket_version', projection: { ticket: 1, version: 1 }, batchSize: oneBatch },
        )
        .toArray(),
    );
    return this.read(newestIds(versions));
  }

  private async read(ids: readonly string[]): Promise<Commit[]> {
    if (ids.length === 0) return [];
    // Without a batch size the first answer holds 101 documents, and the rest costs another round trip.
    const found = await guarded(() => this.commits.find({ _id: { $in: ids } }, { batchSize: ids.length + 1 }).toArray());
    return found.map(fromDocument);
  }

  /**
   * In the order of the keys, whoever appends: two instances that insert the same commits in different order would wait for each other, which
   * PostgreSQL-based engines break up one document a second.
   */
  async append(commits: readonly Commit[]): Promise<Appended> {
    if (commits.length === 0) return { lost: [], refused: [] };
    const entries = commits.map((commit) => ({ commit, document: toDocument(commit) })).sort((one, other) => (one.document._id < other.document._id ? -1 : 1));
    return guarded(() =>
      this.commits.insertMany(entries.map(({ document }) => document), { ordered: false, ignoreUndefined: true }).then(
        () => ({ lost: [], refused: [] }),
        (error: unknown) => sortedOut(error, entries.map(({ commit }) => commit)),
      ),
    );
  }
}

function newestIds(versions: readonly Pick<CommitDocument, '_id' | 'ticket' | 'version'>[]): string[] {
  const newest = new Map<string, (typeof versions)[number]>();
  for (const commit of versions) {
    const known = newest.get(commit.ticket);
    if (known === undefined || commit.version! > known.version!) newest.set(commit.ticket, commit);
  }
  return [...newest.values()].map(({ _id }) => _id);
}

/** Tells the commits that lost a race from those the store refuses; anything that is not about single documents is thrown on. */
function sortedOut(error: unknown, commits: readonly Commit[]): Appended {
  const failures = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
  if (!(error instanceof MongoBulkWriteError) || failures.length === 0) throw error;
  // What went in may not survive a fail-over, or what did not goes in when tried again: the round is, either way.
  if (error.result.getWriteConcernError() !== undefined) throw new StoreFault(error);
  const trouble = failures.map(asError).find(isPassing);
  if (trouble !== undefined) throw new StoreFault(trouble);
  const of = (isLost: boolean) => failures.filter(({ code }) => (code === duplicateKey) === isLost);
  return {
    lost: of(true).map(({ index }) => commits[index]!),
    refused: of(false).map((failure) => ({ commit: commits[failure.index]!, error: asError(failure) })),
  };
}

const asError = ({ code, errmsg }: mongoose.mongo.WriteError) => new MongoServerError({ message: errmsg ?? `refused with code ${code}`, code });

function toDocument(commit: Commit): CommitDocument {
  const { outcome, payloadHash, version, type, at, traceparent, value, rules, origin, source } = commit;
  return {
    _id: commitKey(commit),
    ticket: ticketKey(commit),
    ...(version !== undefined && { version }),
    outcome,
    payloadHash,
    type,
    at,
    ...(traceparent !== undefined && { traceparent }),
    value: new mongoose.mongo.Binary(value),
    ...(rules !== undefined && { rules }),
    ...(origin !== undefined && { origin }),
    source,
    ...(outcome !== 'applied' && { expireAt: new Date(Date.parse(at) + answersKeptMs) }),
  };
}

function fromDocument({ _id, outcome, payloadHash, version, type, at, traceparent, value, rules, origin, source }: CommitDocument): Commit {
  const [orgId = '', ticketId = '', ...command] = _id.split('/');
  const bytes = Buffer.from(value.buffer.buffer, value.buffer.byteOffset, value.length());
  return { orgId, ticketId, commandId: command.join('/'), outcome, payloadHash, version, type, at, traceparent, value: bytes, rules, origin, source };
}
