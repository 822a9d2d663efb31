import mongoose from 'mongoose';
import { commitKey, ticketKey, type Appended, type Commit, type CommitKey, type CommitLog } from './commit-log.js';
import type { Database } from './database.js';
import { guarded } from './fault.js';
import { insertEach } from './insert-each.js';

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

  async append(commits: readonly Commit[]): Promise<Appended> {
    const entries = new Map(commits.map((commit) => [toDocument(commit), commit]));
    const { lost, refused } = await insertEach(this.commits, [...entries.keys()]);
    return {
      lost: lost.map((document) => entries.get(document)!),
      refused: refused.map(({ document, error }) => ({ commit: entries.get(document)!, error })),
    };
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
