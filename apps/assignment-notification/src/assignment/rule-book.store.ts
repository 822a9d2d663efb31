import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { AssignmentRule } from '#contracts';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';

/** Answers to repeats are kept so long, seconds. */
const keptSeconds = 30 * 86_400;

/** A change that somebody asks for, as the gateway names it. */
export interface ChangeRequest {
  /** The same in every repeat under its Idempotency-Key. */
  id: string;
  /** Tells it from another request under that key. */
  hash: string;
}

/** What a change was answered with; the body is JSON text. */
export interface Outcome {
  status: number;
  body: string;
}

interface StoredOutcome extends Outcome, ChangeRequest {
  at: Date;
}

interface StoredBook {
  /** The organisation. */
  _id: string;
  revision: number;
  /** JSON text: custom fields in conditions may have any name. */
  rules: string;
  last: StoredOutcome | null;
}

/** What a change makes of the rules; without `rules` they stay as they are. */
export interface Change {
  rules?: readonly AssignmentRule[];
  outcome: Outcome;
}

/**
 * The rules of organisations. Rules and the answer to who changed them are one document, written by one conditional write: a repeat finds its answer, and of
 * two changes at once the second is made on what the first has left. Before a change takes the last answer's place, that answer is put aside.
 */
@Injectable()
export class RuleBook {
  private readonly books: mongoose.mongo.Collection<StoredBook>;
  private readonly outcomes: mongoose.mongo.Collection<{ _id: string } & Omit<StoredOutcome, 'id'>>;

  constructor(@Inject(STORE) { db }: Database) {
    this.books = db.collection('rule_books');
    this.outcomes = db.collection('rule_outcomes');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    await guarded(() => this.outcomes.createIndexes([{ key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** The rules of an organisation in their order. @throws StoreFault */
  async rules(orgId: string): Promise<AssignmentRule[]> {
    return rulesIn(await this.book(orgId));
  }

  /**
   * Changes the rules, or answers what the same request was answered before.
   * @param decide what becomes of the rules as they are; called again where somebody else was faster
   * @returns the answer, with the hash of the request that it was first given to
   * @throws StoreFault, and what `decide` throws: that leaves no trace
   */
  async change(orgId: string, request: ChangeRequest, decide: (rules: readonly AssignmentRule[]) => Change): Promise<Outcome & { hash: string; isRepeat: boolean }> {
    for (;;) {
      const book = await this.book(orgId);
      const earlier = await this.earlier(book, orgId, request.id);
      if (earlier !== undefined) return { ...earlier, isRepeat: true };
      const { rules = rulesIn(book), outcome } = decide(rulesIn(book));
      const next = { rules: JSON.stringify(rules), last: { ...request, ...outcome, at: new Date() } };
      if (await this.replace(orgId, book, next)) return { ...outcome, hash: request.hash, isRepeat: false };
    }
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

const rulesIn = (book: StoredBook | null) => JSON.parse(book?.rules ?? '[]') as AssignmentRule[];
