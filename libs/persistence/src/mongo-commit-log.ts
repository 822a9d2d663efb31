import mongoose from 'mongoose';
import { commitKey, ticketKey, type Appended, type Commit, type CommitKey, type CommitLog } from './commit-log.js';
import type { Database } from './database.js';
import { guarded, isPassing } from './fault.js';

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
    if (keys.length === 0) return [];
    const found = await guarded(() => this.commits.find({ _id: { $in: keys.map(commitKey) } }).toArray());
    return found.map(fromDocument);
  }

  async newest(tickets: readonly Omit<CommitKey, 'commandId'>[]): Promise<Commit[]> {
    if (tickets.length === 0) return [];
    const keys = tickets.map(ticketKey);
    const newest = await guarded(() =>
      this.commits
        .aggregate<{ commit: CommitDocument }>(
          [
            { $match: { ticket: { $in: keys }, version: { $exists: true } } },
            { $sort: { ticket: 1, version: -1 } },
            { $group: { _id: '$ticket', commit: { $first: '$$ROOT' } } },
          ],
          { hint: 'ticket_version' },
        )
        .toArray(),
    );
    return newest.map(({ commit }) => fromDocument(commit));
  }

  async append(commits: readonly Commit[]): Promise<Appended> {
    const result: Appended = { lost: [], refused: [] };
    if (commits.length === 0) return result;
    try {
      await this.commits.insertMany(commits.map(toDocument), { ordered: false, ignoreUndefined: true });
    } catch (error) {
      await guarded(() => Promise.resolve(sort(error, commits, result)));
    }
    return result;
  }
}

/** Tells the commits that lost a race from those the store refuses; anything that is not about single documents is thrown on. */
function sort(error: unknown, commits: readonly Commit[], result: Appended): void {
  for (const failure of failuresIn(error)) {
    const commit = commits[failure.index]!;
    if (failure.code === duplicateKey) result.lost.push(commit);
    else if (isPassing(new mongoose.mongo.MongoServerError({ message: failure.errmsg ?? '', code: failure.code }))) throw error;
    else result.refused.push({ commit, error: new Error(failure.errmsg ?? `the store refused it with code ${failure.code}`) });
  }
}

function failuresIn(error: unknown): mongoose.mongo.WriteError[] {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) throw error;
  const failures = [error.writeErrors].flat();
  if (failures.length === 0 || error.result.getWriteConcernError() !== undefined) throw error;
  return failures;
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
