import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import { addMissing, type Database, guarded, readOnce } from '#persistence';
import { asking, longestMs } from '../asking.js';
import type { Collections } from '../collections.js';
import { keptLately } from '../kept-lately.js';
import { mostWays } from '../list-conditions.js';
import { COLLECTIONS, STORE } from '../store.js';
import type { SearchEntry } from './search-entry.projection.js';
import { isNoted } from './words.js';

/** With up to so many words that begin like it, a prefix is looked up word by word. Where there are more, so many tickets match that any order soon meets them. */
export const mostBeginnings = mostWays;

/** Words that are known to be noted, in this process. */
const mostRemembered = 50_000;
const notedAtOnce = 5_000;

/** A word of an organisation; or the mark of a vocabulary that has every word, which no word's key can be. */
interface Noted {
  _id: string;
}
const whole = 'whole';

/** Words by their organisation: `org/word`. */
const wordKey = (orgId: string, word: string) => `${orgId}/${word}`;
/** Behind everything that begins with something. */
const last = '\u{10FFFF}';

/**
 * The words that entries have, so that the few that begin with what somebody types are asked for one by one: an index over words has the
 * tickets of one word in order of creation, those of a range in none. A word stays when no ticket has it any more.
 */
@Injectable()
export class Vocabulary {
  private readonly db: Database['db'];
  private readonly words: mongoose.mongo.Collection<Noted>;
  private readonly entries: mongoose.mongo.Collection<SearchEntry>;
  private readonly remembered = keptLately<true>(mostRemembered);
  /** Beginnings of many words. */
  private readonly long = new LRUCache<string, true>({ max: 5_000 });
  /** What was read lately, and when that began. */
  private readonly told = new LRUCache<string, { words: readonly string[]; at: number }>({ max: 1_000 });
  private isWhole: boolean | undefined;

  constructor(
    @Inject(STORE) { db }: Pick<Database, 'db'>,
    @Inject(COLLECTIONS) private readonly collections: Collections,
  ) {
    this.db = db;
    this.words = db.collection(collections.words);
    this.entries = db.collection(collections.search);
  }

  /** Marks it as whole before there is an entry. Entries that were stored without it leave it useless until the read model is built anew. @throws StoreFault */
  async prepare(): Promise<void> {
    const entry = await guarded(() => this.entries.findOne({}, { projection: { _id: 1 } }));
    if (!entry) await addMissing(this.words, [{ _id: whole }]);
  }

  /** Notes the words of entries that are about to be stored: before them, so whatever can be found has its words here. @throws StoreFault */
  async note(entries: readonly Pick<SearchEntry, 'orgId' | 'tokens'>[]): Promise<void> {
    const keys = new Set(entries.flatMap(({ orgId, tokens }) => tokens.filter(isNoted).map((word) => wordKey(orgId, word))));
    const fresh = [...keys].filter((key) => !this.remembered.get(key));
    for (let at = 0; at < fresh.length; at += notedAtOnce) await this.add(fresh.slice(at, at + notedAtOnce));
  }

  /** Most of what a process does not remember is there all the same: reading it costs less than writing it again. */
  private async add(keys: readonly string[]): Promise<void> {
    const found = await guarded(() => this.words.find({ _id: { $in: [...keys] } }, { projection: { _id: 1 } }).toArray());
    const known = new Set(found.map(({ _id }) => _id));
    await addMissing(this.words, keys.filter((key) => !known.has(key)).map((_id) => ({ _id })));
    for (const key of keys) this.remembered.set(key, true);
  }

  /**
   * The words of an organisation that begin like this; undefined when there are many, or not all of them are known.
   * @param askedAt when somebody asked, of `performance.now()`: what was read since is told them again, as to a page and its total
   * @throws ProblemError dependency-unavailable
   */
  async beginnings(orgId: string, prefix: string, askedAt = performance.now()): Promise<readonly string[] | undefined> {
    const from = wordKey(orgId, prefix);
    if (!isNoted(prefix) || this.long.get(from) || !(await this.hasAll())) return undefined;
    const told = this.told.get(from);
    if (told && told.at >= askedAt) return told.words;
    const at = performance.now();
    const question = { filter: { _id: { $gte: from, $lt: `${from}${last}` } }, projection: { _id: 1 }, limit: mostBeginnings + 1, maxTimeMS: longestMs } as const;
    const found = await asking(() => readOnce<Noted>(this.db, this.collections.words, question));
    if (found.length > mostBeginnings) return void this.long.set(from, true); // words stay, so there will always be as many
    const words = found.map(({ _id }) => _id.slice(wordKey(orgId, '').length));
    this.told.set(from, { words, at });
    return words;
  }

  /** It never becomes whole later. */
  private async hasAll(): Promise<boolean> {
    this.isWhole ??= (await asking(() => this.words.findOne({ _id: whole }, { maxTimeMS: longestMs }))) !== null;
    return this.isWhole;
  }
}
