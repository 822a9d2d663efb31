import { commitKey, ticketKey, type Appended, type Commit, type CommitKey, type CommitLog, type Found } from '#persistence';

/** What the log is asked, and whether it has done it already. */
export type Moment = `${'before' | 'after'} ${'find' | 'newest' | 'append'}`;

export interface InMemoryOptions {
  /** The stored commits by key. Two logs over one map are two instances at one store. */
  stored?: Map<string, Commit>;
  /** Called at every moment; it may wait, let another instance win, or throw (a crash, a store that is down). */
  at?: (moment: Moment, commits: readonly CommitKey[]) => void | Promise<void>;
  /** An error for a commit that this store never takes. */
  refuses?: (commit: Commit) => Error | undefined;
  /** How many commits a look-up answers at most. */
  room?: number;
}

/** The commit log in memory: the same promises as the real one, for unit specs. */
export class InMemoryCommitLog implements CommitLog {
  readonly stored: Map<string, Commit>;
  private readonly at: NonNullable<InMemoryOptions['at']>;
  private readonly refuses: NonNullable<InMemoryOptions['refuses']>;
  private readonly room: number;

  constructor({ stored = new Map(), at = () => undefined, refuses = () => undefined, room = Infinity }: InMemoryOptions = {}) {
    this.stored = stored;
    this.at = at;
    this.refuses = refuses;
    this.room = room;
  }

  async find(keys: readonly CommitKey[]): Promise<Found> {
    if (keys.length === 0) return this.found([]);
    await this.at('before find', keys);
    const found = [...new Set(keys.map(commitKey))].flatMap((key) => this.stored.get(key) ?? []).map(copied);
    await this.at('after find', keys);
    return this.found(found);
  }

  async newest(tickets: readonly Omit<CommitKey, 'commandId'>[]): Promise<Found> {
    if (tickets.length === 0) return this.found([]);
    await this.at('before newest', []);
    const wanted = new Set(tickets.map(ticketKey));
    const newest = new Map<string, Commit>();
    for (const commit of this.stored.values()) {
      const key = ticketKey(commit);
      const isNewer = commit.outcome === 'applied' && commit.version! > (newest.get(key)?.version ?? 0);
      if (wanted.has(key) && isNewer) newest.set(key, commit);
    }
    await this.at('after newest', []);
    return this.found([...newest.values()].map(copied));
  }

  async append(commits: readonly Commit[]): Promise<Appended> {
    const result: Appended = { lost: [], refused: [] };
    if (commits.length === 0) return result;
    await this.at('before append', commits);
    for (const commit of commits) {
      const error = this.refuses(commit);
      if (error) result.refused.push({ commit, error });
      else if (this.isTaken(commit)) result.lost.push(commit);
      else this.stored.set(commitKey(commit), copied(commit));
    }
    await this.at('after append', commits);
    return result;
  }

  private found(commits: Commit[]): Found {
    return { commits: commits.slice(0, this.room), isComplete: commits.length <= this.room };
  }

  private isTaken(commit: Commit): boolean {
    if (this.stored.has(commitKey(commit))) return true;
    const isSameVersion = (other: Commit) => other.outcome === 'applied' && other.version === commit.version && ticketKey(other) === ticketKey(commit);
    return commit.outcome === 'applied' && [...this.stored.values()].some(isSameVersion);
  }
}

/** A store keeps bytes, not references. */
const copied = (commit: Commit): Commit => ({ ...(structuredClone({ ...commit, value: null }) as object as Commit), value: Buffer.from(commit.value) });
