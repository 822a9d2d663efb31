import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import { asking, longestMs } from '../asking.js';
import type { SearchEntry } from './search-entry.projection.js';

/** Entries that are looked at; a beginning is common when so many of them have it, a word is frequent when it is in so many. */
const [looked, common] = [100, 10];

/** A beginning that so many tickets have that any order soon meets them. */
export interface CommonBeginning {
  /** The most frequent word that begins so, if it is common itself. */
  frequent?: string;
  /** Whether most tickets have it. */
  isMost: boolean;
}
/** How long what was seen is remembered, ms, and of how many organisations. */
const [memoryMs, mostRemembered] = [60_000, 10];

/** What the newest tickets of an organisation say, to judge by it how common a beginning is. That decides how a search is run, never what it finds. */
export class NewestWords {
  private readonly seen = new LRUCache<string, Promise<readonly string[][]>>({ max: mostRemembered, ttl: memoryMs });

  constructor(private readonly entries: Pick<mongoose.mongo.Collection<SearchEntry>, 'find'>) {}

  /** What is known of a common beginning; undefined of others. @throws ProblemError dependency-unavailable */
  async common(orgId: string, prefix: string): Promise<CommonBeginning | undefined> {
    const seen = await this.ticketsOf(orgId);
    const tickets = seen.map((words) => words.filter((word) => word.startsWith(prefix))).filter((words) => words.length > 0);
    if (tickets.length < common) return undefined;
    const counts = new Map<string, number>();
    for (const word of tickets.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
    const [most] = [...counts].sort(([, one], [, other]) => other - one);
    return { isMost: 2 * tickets.length > seen.length, ...(most![1] >= common && { frequent: most![0] }) };
  }

  private ticketsOf(orgId: string): Promise<readonly string[][]> {
    const known = this.seen.get(orgId);
    if (known) return known;
    const looking = this.look(orgId);
    this.seen.set(orgId, looking);
    looking.catch(() => this.seen.delete(orgId));
    return looking;
  }

  private async look(orgId: string): Promise<string[][]> {
    const options = { projection: { tokens: 1 }, hint: 'byCreation', limit: looked, maxTimeMS: longestMs };
    const found = await asking(() => this.entries.find({ orgId }, options).sort({ createdAt: -1, _id: -1 }).toArray());
    return found.map(({ tokens }) => tokens);
  }
}
