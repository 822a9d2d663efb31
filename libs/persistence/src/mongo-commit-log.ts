import mongoose from 'mongoose';
import { commitKey, ticketKey, type Appended, type Commit, type CommitKey, type CommitLog, type Found } from './commit-log.js';
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

  async find(keys: readonly CommitKey[]): Promise<Found> {
    return this.read(keys.map(commitKey));
  }

  /**
   * Two round trips: the versions of all commits of these tickets, then the newest commits by `_id`. On either kind of server that beat one
   * grouping by the server, and a ticket with thousands of commits costs tens of milliseconds.
   */
  async newest(tickets: readonly Omit<CommitKey, 'commandId'>[]): Promise<Found> {
    if (tickets.length === 0) return { commits: [], isComplete: true };
    return this.read(await guarded(() => this.newestIds(tickets.map(ticketKey))));
  }

  /** Tickets of thousands of versions: what was compared is let go batch by batch. */
  private async newestIds(keys: readonly string[]): Promise<string[]> {
    const newest = new Map<string, Pick<CommitDocument, '_id' | 'version'>>();
    const versions = this.commits.find({ ticket: { $in: [...keys] }, version: { $exists: true } }, { hint: 'ticket_version', projection: { ticket: 1, version: 1 }, batchSize: oneBatch });
    for (let batch = await batchOf(versions); batch.length > 0; batch = await batchOf(versions)) {
      for (const { _id, ticket, version } of batch) if (version! > (newest.get(ticket)?.version ?? 0)) newest.set(ticket, { _id, version: version! });
    }
    return [...newest.values()].map(({ _id }) => _id);
  }

  /** One answer of the server: it ends at 16 MiB, and whoever wants more asks for that. */
  private async read(ids: readonly string[]): Promise<Found> {
    if (ids.length === 0) return { commits: [], isComplete: true };
    return guarded(async () => {
      // Without a batch size the first answer holds 101 documents.
      const cursor = this.commits.find({ _id: { $in: [...ids] } }, { batchSize: ids.length + 1 });
      try {
        const commits = (await batchOf(cursor)).map(fromDocument);
        return { commits, isComplete: cursor.id === undefined || cursor.id.isZero() };
      } finally {
        await cursor.close();
      }
    });
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

/** What the server answers at once; nothing at the end. */
async function batchOf<T>(cursor: mongoose.mongo.FindCursor<T>): Promise<T[]> {
  const first = await cursor.next();
  return first === null ? [] : [first, ...cursor.readBufferedDocuments()];
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
