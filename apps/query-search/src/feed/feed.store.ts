import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { asking } from '../asking.js';
import type { PlacedEvent } from '../events.js';
import { duplicates } from '../newer-only.store.js';
import { longestMs } from '../planned-reads.store.js';
import { STORE } from '../store.js';
import { entryOf, type FeedEntry } from './feed-entry.projection.js';
import type { Place } from './feed-places.js';

/**
 * A piece of an organisation's feed. Its number is the one behind the newest, which only one writer gets: so the blocks are one order without gaps,
 * and whoever writes one has seen all before it.
 */
interface Block {
  /** organisation/number, the number in fifteen digits */
  _id: string;
  count: number;
  /** The last record of each partition that is in this block or one before. */
  upTo: Record<string, number>;
  /** `FeedEntry[]` as JSON text. */
  entries: string;
}

/** Where an organisation's feed ends. */
interface End {
  number: number;
  count: number;
  upTo: Record<string, number>;
}

/** A block holds no more entries: a page of the feed needs few blocks, and none is read for nothing. */
const blockSize = 100;
/** Blocks that are read first for a page: enough where much happens. */
const firstStep = 4;
/** As often another writer may be faster before the round is tried again as a whole. */
const mostTries = 20;

const blockId = (orgId: string, number: number) => `${orgId}/${String(number).padStart(15, '0')}`;
const numberIn = (id: string) => Number(id.slice(id.lastIndexOf('/') + 1));
/** `0` is what follows `/`. */
const ofOrganisation = (orgId: string, after = '') => ({ _id: { $gt: after || `${orgId}/`, $lt: `${orgId}0` } });

/** Entries that were found, each with the place behind it. */
export interface Found {
  entry: FeedEntry;
  place: Place;
}

/**
 * Every organisation's events in one order that never changes. It is no part of a generation of the read model: a rebuild finds its events in it, and
 * who reads it goes on where they were.
 */
@Injectable()
export class FeedStore {
  private readonly blocks: mongoose.mongo.Collection<Block>;
  private readonly ends = new LRUCache<string, End>({ max: 2_000 });
  private readonly listeners = new Map<string, Set<() => void>>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(@Inject(STORE) { db }: Database) {
    this.blocks = db.collection('feed');
  }

  /**
   * Adds events of a round, by organisation, each partition's in order. What is there already stays where it is: a record that came before, by its
   * offset. One round after the other: those of this process would only get in each other's way.
   * @throws StoreFault
   */
  async append(fresh: ReadonlyMap<string, readonly PlacedEvent[]>): Promise<void> {
    const mine = this.turn.then(() => this.appendAll(fresh));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async appendAll(fresh: ReadonlyMap<string, readonly PlacedEvent[]>): Promise<void> {
    let rest = [...fresh];
    for (let tries = 0; rest.length > 0 && tries < mostTries; tries++) {
      await this.learnEnds(rest.map(([orgId]) => orgId).filter((orgId) => !this.ends.has(orgId)));
      const written = rest.map(([orgId, events]) => ({ orgId, block: this.nextBlock(orgId, events) }));
      const blocks = written.flatMap(({ block }) => block ?? []);
      const late = blocks.length === 0 ? [] : await guarded(() => this.blocks.insertMany(blocks, { ordered: false }).then(() => [], duplicates));
      const lost = new Set(late.map((place) => blocks[place]!._id));
      for (const { orgId, block } of written) if (block) this.learn(orgId, lost.has(block._id) ? undefined : block);
      // Who lost reads what the winner wrote; what did not fit into one block goes into the next.
      rest = rest.filter(([orgId, events]) => !this.ends.has(orgId) || this.isNewIn(orgId, events));
    }
    if (rest.length > 0) throw Object.assign(new Error('others add to the feed all the time'), { passes: true });
  }

  private isNewIn(orgId: string, events: readonly PlacedEvent[]): boolean {
    const { upTo } = this.ends.get(orgId)!;
    return events.some(({ partition, offset }) => offset > (upTo[partition] ?? -1));
  }

  private nextBlock(orgId: string, events: readonly PlacedEvent[]): Block | undefined {
    const { number, upTo } = this.ends.get(orgId)!;
    const added = events.filter(({ partition, offset }) => offset > (upTo[partition] ?? -1)).slice(0, blockSize);
    if (added.length === 0) return undefined;
    const reached = { ...upTo, ...Object.fromEntries(added.map(({ partition, offset }) => [partition, offset])) };
    return { _id: blockId(orgId, number + 1), count: added.length, upTo: reached, entries: JSON.stringify(added.map(({ event }) => entryOf(event))) };
  }

  private learn(orgId: string, block: Block | undefined) {
    if (!block) return this.ends.delete(orgId);
    this.ends.set(orgId, { number: numberIn(block._id), count: block.count, upTo: block.upTo });
    for (const tell of this.listeners.get(orgId) ?? []) tell();
    return true;
  }

  private async learnEnds(orgIds: readonly string[]): Promise<void> {
    await Promise.all(orgIds.map(async (orgId) => this.ends.set(orgId, await guarded(() => this.newest(orgId)))));
  }

  private async newest(orgId: string): Promise<End> {
    const options = { projection: { count: 1, upTo: 1 }, sort: { _id: -1 }, hint: '_id_', maxTimeMS: longestMs } as const;
    const block = await this.blocks.findOne(ofOrganisation(orgId), options);
    return block ? { number: numberIn(block._id), count: block.count, upTo: block.upTo } : { number: 0, count: 0, upTo: {} };
  }

  /** Where the feed ends now. @throws ProblemError dependency-unavailable */
  async end(orgId: string): Promise<Place> {
    const { number, count } = await asking(() => this.newest(orgId));
    return { block: number, entry: count };
  }

  /** Entries behind a place, in order: out of few blocks of busy times, or of many of quiet ones. @throws ProblemError dependency-unavailable */
  async after(orgId: string, { block, entry }: Place, limit: number): Promise<Found[]> {
    const found: Found[] = [];
    let last = Math.max(0, block - 1); // the place may lie within its block
    for (let step = firstStep; found.length < limit; step *= 4) {
      const blocks = await this.blocksBehind(orgId, last, step);
      for (const { _id, entries } of blocks) {
        last = numberIn(_id);
        const all = (JSON.parse(entries) as FeedEntry[]).map((one, i) => ({ entry: one, place: { block: last, entry: i + 1 } }));
        found.push(...(last === block ? all.slice(entry) : all));
      }
      if (blocks.length < step) break;
    }
    return found.slice(0, limit);
  }

  private blocksBehind(orgId: string, number: number, limit: number): Promise<Pick<Block, '_id' | 'entries'>[]> {
    const options = { projection: { entries: 1 }, sort: { _id: 1 }, limit, hint: '_id_', maxTimeMS: longestMs } as const;
    return asking(() => this.blocks.find(ofOrganisation(orgId, blockId(orgId, number)), options).toArray());
  }

  /** Resolves when this process has added to the feed, when `ms` have passed, or when the signal is given. What others add is found by looking. */
  async next(orgId: string, ms: number, signal: AbortSignal): Promise<void> {
    const tellers = this.listeners.get(orgId) ?? new Set();
    this.listeners.set(orgId, tellers);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        tellers.delete(wake);
        if (tellers.size === 0 && this.listeners.get(orgId) === tellers) this.listeners.delete(orgId);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      tellers.add(wake);
      if (signal.aborted) wake();
    });
  }
}
