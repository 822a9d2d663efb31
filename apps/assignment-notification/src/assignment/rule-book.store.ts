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
  /** How often the rules have changed. */
  edition: number;
  /** Whether tickets are known to be looked at again since then. */
  isTold: boolean;
  last: StoredOutcome | null;
}

/** The rules of an organisation as they are. */
export interface Rules {
  rules: AssignmentRule[];
  edition: number;
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
    await guarded(() => Promise.all([this.books.createIndexes([{ key: { isTold: 1 } }]), this.outcomes.createIndexes([{ key: { at: 1 }, expireAfterSeconds: keptSeconds }])]));
  }

  /** The rules of an organisation in their order. @throws StoreFault */
  async read(orgId: string): Promise<Rules> {
    const book = await this.book(orgId);
    return { rules: rulesIn(book), edition: book?.edition ?? 0 };
  }

  /** Organisations whose rules have changed, and nobody said so: who changed them may have died. @throws StoreFault */
  async untold(): Promise<{ orgId: string; edition: number }[]> {
    const found = await guarded(() => this.books.find({ isTold: false }, { projection: { edition: 1 } }).toArray());
    return found.map(({ _id: orgId, edition }) => ({ orgId, edition }));
  }

  /** Notes that tickets are looked at again since an edition. @throws StoreFault */
  async told(orgId: string, edition: number): Promise<void> {
    await guarded(() => this.books.updateOne({ _id: orgId, edition }, { $set: { isTold: true } }));
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
      const { rules, outcome } = decide(rulesIn(book));
      const { edition, isTold, rules: before } = book ?? { edition: 0, isTold: true, rules: '[]' };
      const changed = rules === undefined ? { rules: before, edition, isTold } : { rules: JSON.stringify(rules), edition: edition + 1, isTold: false };
      const next = { ...changed, last: { ...request, ...outcome, at: new Date() } };
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
