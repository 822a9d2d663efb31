import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { unlessThere } from './store.js';

/** Answers to repeats are kept so long, seconds. */
const keptSeconds = 30 * 86_400;

/** A change that somebody asks for, as the gateway names it. */
export interface ChangeRequest {
  /** The same in every repeat under its Idempotency-Key. */
  id: string;
  /** Tells it from another request under that key. */
  hash: string;
  /** The revision that the rules must have; any without it. */
  expected?: number | undefined;
}

/** What a change was answered with; the body is JSON text. */
export interface Outcome {
  status: number;
  body: string;
}

interface StoredOutcome extends Outcome, Pick<ChangeRequest, 'id' | 'hash'> {
  at: Date;
}

interface StoredBook {
  /** The organisation. */
  _id: string;
  revision: number;
  /** JSON text: custom fields in conditions may have any name. */
  rules: string;
  last: StoredOutcome | null;
  /** Whoever acts by the rules has not looked at them since; how often they were told to. */
  news?: number;
}

/** Rules that are to be looked at. */
export interface BookNews extends Pick<StoredBook, 'revision'> {
  orgId: string;
  news: number;
}

/** What a change makes of the rules; without `rules` they stay as they are. */
export interface Change<T> {
  rules?: readonly T[];
  outcome: Outcome;
}

/** The rules of an organisation at a revision; there are none at 0. */
export interface Edition<T> {
  revision: number;
  rules: readonly T[];
}

/** The rules are at another revision than somebody expects. */
export class StaleBook extends Error {
  constructor(readonly current: number) {
    super('the rules have changed meanwhile');
  }
}

/**
 * The rules of organisations. Rules and the answer to who changed them are one document, written by one conditional write: a repeat finds its answer, and of
 * two changes at once the second is made on what the first has left. Before a change takes the last answer's place, that answer is put aside.
 */
export abstract class Book<T> {
  private readonly books: mongoose.mongo.Collection<StoredBook>;
  private readonly outcomes: mongoose.mongo.Collection<{ _id: string } & Omit<StoredOutcome, 'id'>>;

  /** @param name of what is in it, as collections begin with it @param isFollowed whether changes stay news until somebody has heard of them */
  protected constructor({ db }: Database, name: string, private readonly isFollowed = false) {
    this.books = db.collection(`${name}_books`);
    this.outcomes = db.collection(`${name}_outcomes`);
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.outcomes.createIndexes([{ key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
    if (this.isFollowed) await guarded(() => this.books.createIndexes([{ key: { news: 1 }, partialFilterExpression: { news: { $exists: true } } }]));
  }

  /** The rules of an organisation in their order. @throws StoreFault */
  async rules(orgId: string): Promise<T[]> {
    return rulesIn(await this.book(orgId));
  }

  /** The same, with their revision. @throws StoreFault */
  async edition(orgId: string): Promise<Edition<T>> {
    const book = await this.book(orgId);
    return { revision: book?.revision ?? 0, rules: rulesIn(book) };
  }

  /** What is in several books; of those that nobody ever wrote in nothing is answered. @throws StoreFault */
  async some(ids: readonly string[]): Promise<Map<string, T[]>> {
    if (ids.length === 0) return new Map();
    const found = await guarded(() => this.books.find({ _id: { $in: [...ids] } }, { projection: { rules: 1 } }).toArray());
    return new Map(found.map((book) => [book._id, rulesIn<T>(book as StoredBook)]));
  }

  /** Revisions by organisation, of those that ever had rules. @throws StoreFault */
  async revisions(orgIds: readonly string[]): Promise<Map<string, number>> {
    const found = await guarded(() => this.books.find({ _id: { $in: [...orgIds] } }, { projection: { revision: 1 } }).toArray());
    return new Map(found.map(({ _id, revision }) => [_id, revision]));
  }

  /** Rules that nobody has looked at since they were changed. @param behind only of organisations behind this one, in the order of their ids @throws StoreFault */
  async news(limit: number, behind = ''): Promise<BookNews[]> {
    const some = { news: { $exists: true }, _id: { $gt: behind } };
    const found = await guarded(() => this.books.find(some, { projection: { revision: 1, news: 1 } }).sort({ _id: 1 }).hint({ news: 1 }).limit(limit).toArray());
    return found.map(({ _id: orgId, revision, news }) => ({ orgId, revision, news: news! }));
  }

  /** Has the rules looked at once more. @throws StoreFault */
  async tellAgain(orgId: string): Promise<void> {
    await guarded(() => this.books.updateOne({ _id: orgId }, { $inc: { news: 1 } }));
  }

  /** They were looked at; who told of them meanwhile has them looked at once more. @throws StoreFault */
  async heard({ orgId, revision, news }: BookNews): Promise<void> {
    await guarded(() => this.books.updateOne({ _id: orgId, revision, news }, { $unset: { news: '' } }));
  }

  /**
   * Changes the rules, or answers what the same request was answered before.
   * @param decide what becomes of the rules as they are; called again where somebody else was faster
   * @returns the answer, with the hash of the request that it was first given to
   * @throws StoreFault, StaleBook, and what `decide` throws: that leaves no trace
   */
  async change(orgId: string, request: ChangeRequest, decide: (rules: readonly T[]) => Change<T>): Promise<Outcome & { hash: string; isRepeat: boolean }> {
    for (;;) {
      const book = await this.book(orgId);
      const earlier = await this.earlier(book, orgId, request.id);
      if (earlier !== undefined) return { ...earlier, isRepeat: true };
      const { outcome, next } = this.changed(book, request, decide);
      if (await this.replace(orgId, book, next)) return { ...outcome, hash: request.hash, isRepeat: false };
    }
  }

  private changed(book: StoredBook | null, { id, hash, expected }: ChangeRequest, decide: (rules: readonly T[]) => Change<T>): { outcome: Outcome; next: Omit<StoredBook, '_id' | 'revision'> } {
    const { revision } = book ?? { revision: 0 };
    if (expected !== undefined && expected !== revision) throw new StaleBook(revision);
    const { rules = rulesIn<T>(book), outcome } = decide(rulesIn(book));
    return { outcome, next: { rules: JSON.stringify(rules), last: { id, hash, ...outcome, at: new Date() }, ...(this.isFollowed && { news: 1 }) } };
  }

  /** What stands in the book was read first: it is put aside before it leaves it. */
  private async earlier(book: StoredBook | null, orgId: string, id: string): Promise<(Outcome & { hash: string }) | undefined> {
    if (book?.last?.id === id) return book.last;
    return (await guarded(() => this.outcomes.findOne({ _id: `${orgId}/${id}` }))) ?? undefined;
  }

  private async putAside(orgId: string, last: StoredOutcome | null): Promise<void> {
    if (last === null) return;
    const { id, ...outcome } = last;
    await guarded(() => this.outcomes.updateOne({ _id: `${orgId}/${id}` }, { $setOnInsert: outcome }, { upsert: true }).catch(unlessThere));
  }

  /** Whether nobody else was faster. */
  private async replace(orgId: string, book: StoredBook | null, next: Omit<StoredBook, '_id' | 'revision'>): Promise<boolean> {
    if (book === null) return guarded(() => this.books.insertOne({ _id: orgId, revision: 1, ...next }).then(() => true, unlessThere));
    await this.putAside(orgId, book.last);
    const { revision } = book;
    const { matchedCount } = await guarded(() => this.books.replaceOne({ _id: orgId, revision }, { revision: revision + 1, ...next }));
    return matchedCount === 1;
  }

  private book(orgId: string): Promise<StoredBook | null> {
    return guarded(() => this.books.findOne({ _id: orgId }));
  }
}

const rulesIn = <T>(book: StoredBook | null) => JSON.parse(book?.rules ?? '[]') as T[];
