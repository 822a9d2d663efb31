import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type mongoose from 'mongoose';
import { type Database, duplicates, guarded } from '#persistence';
import type { PlacedEvent } from '#messaging';
import { asking, longestMs } from '../asking.js';
import { STORE } from '../store.js';
import { entryOf, type Candidate, type FeedEntry } from './feed-entry.projection.js';
import type { Place } from './feed-places.js';

/**
 * A piece of an organisation's feed. Its number is the one behind the newest, which only one writer gets: so the blocks are one order without gaps,
 * and whoever writes one has seen all before it.
 */
interface Block {
  /** organisation/number, the number in fifteen digits */
  _id: string;
  /** When it was written. */
  at: Date;
  count: number;
  /** The last record of each partition that is in this block or one before. */
  upTo: Record<string, number>;
  /** `FeedEntry[]` as JSON text. */
  entries: string;
}

/** Where an organisation's feed ends. */
type End = Pick<Block, 'count' | 'upTo'> & { number: number };

/** A block holds no more entries: a page of the feed needs few blocks, and none is read for nothing. */
const blockSize = 100;
/** Blocks that are read first for a page: enough where much happens. */
const firstStep = 4;
/** Blocks that are looked through at once for doubtful events. */
const lookStep = 50;
/** As often another writer may be faster before the round is tried again as a whole. */
const mostTries = 20;
/** An event is fed after it has happened, by clocks that differ by so much at most, ms. */
const clocksDifferMs = 300_000;

/** `_id` of a block. */
export const blockId = (orgId: string, number: number) => `${orgId}/${String(number).padStart(15, '0')}`;
const numberIn = (id: string) => Number(id.slice(id.lastIndexOf('/') + 1));
/** `0` is what follows `/`. */
const ofOrganisation = (orgId: string, after = `${orgId}/`) => ({ _id: { $gt: after, $lt: `${orgId}0` } });
const nameOf = ({ ticketId, version }: Pick<FeedEntry, 'ticketId' | 'version'>) => `${ticketId}:${version}`;
const isBehindEnd = ({ partition, offset }: PlacedEvent, { upTo }: End) => offset > (upTo[partition] ?? -1);

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
  private turn: Promise<unknown> = Promise.resolve();

  constructor(@Inject(STORE) { db }: Database) {
    this.blocks = db.collection('feed');
  }

  /**
   * Adds events of a round, by organisation, each partition's in order. What is there already stays where it is: a record that came before is known
   * by its offset, a doubtful one is looked for. One round after the other: those of this process would only get in each other's way.
   * @throws StoreFault
   */
  async append(round: ReadonlyMap<string, readonly Candidate[]>): Promise<void> {
    const mine = this.turn.then(async () => {
      await Promise.all([...round].map(([orgId, events]) => this.appendTo(orgId, events)));
    });
    this.turn = mine.catch(() => undefined);
    await mine;
  }

  private async appendTo(orgId: string, events: readonly Candidate[]): Promise<void> {
    let end = this.ends.get(orgId) ?? (await guarded(() => this.newest(orgId)));
    let rest: readonly PlacedEvent[] = await this.unfed(orgId, events.filter((one) => isBehindEnd(one, end)));
    for (let tries = 0; rest.length > 0; tries++) {
      if (tries === mostTries) throw Object.assign(new Error('others add to the feed all the time'), { passes: true });
      const block = blockBehind(orgId, end, rest.slice(0, blockSize));
      const isLate = (await guarded(() => this.blocks.insertMany([block]).then(() => [], duplicates))).length > 0;
      // Who was late reads what the winner wrote.
      end = isLate ? await guarded(() => this.newest(orgId)) : { ...block, number: end.number + 1 };
      rest = rest.filter((one) => isBehindEnd(one, end));
    }
    this.ends.set(orgId, end);
  }

  /** Without the doubtful events that the feed has: those are looked for back to before they happened. */
  private async unfed(orgId: string, events: readonly Candidate[]): Promise<readonly PlacedEvent[]> {
    const doubtful = events.filter(({ isDoubtful }) => isDoubtful).map(({ event }) => event);
    if (doubtful.length === 0) return events;
    const since = Math.min(...doubtful.map(({ at }) => Date.parse(at))) - clocksDifferMs;
    const fed = await guarded(() => this.fedSince(orgId, since, new Set(doubtful.map(nameOf))));
    return events.filter(({ event, isDoubtful }) => !isDoubtful || !fed.has(nameOf(event)));
  }

  /** Which of these events are in blocks that were written since. */
  private async fedSince(orgId: string, since: number, wanted: ReadonlySet<string>): Promise<Set<string>> {
    const fed = new Set<string>();
    const options = { projection: { at: 1, entries: 1 }, sort: { _id: -1 }, limit: lookStep, hint: '_id_' } as const;
    for (let [before, isOver] = [`${orgId}0`, false]; !isOver && fed.size < wanted.size; ) {
      const blocks = await this.blocks.find({ _id: { $gt: `${orgId}/`, $lt: before } }, options).toArray();
      const names = blocks.flatMap(({ entries }) => (JSON.parse(entries) as FeedEntry[]).map(nameOf));
      for (const name of names.filter((one) => wanted.has(one))) fed.add(name);
      [before, isOver] = [blocks.at(-1)?._id ?? before, blocks.length < lookStep || blocks.some(({ at }) => at.getTime() < since)];
    }
    return fed;
  }

  private async newest(orgId: string): Promise<End> {
    const options = { projection: { count: 1, upTo: 1 }, sort: { _id: -1 }, maxTimeMS: longestMs } as const;
    const block = await this.blocks.findOne(ofOrganisation(orgId), options);
    return block ? { ...block, number: numberIn(block._id) } : { number: 0, count: 0, upTo: {} };
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
    const options = { projection: { entries: 1 }, sort: { _id: 1 }, limit, maxTimeMS: longestMs } as const;
    return asking(() => this.blocks.find(ofOrganisation(orgId, blockId(orgId, number)), options).toArray());
  }

  /** When the first block behind a place was written; undefined when there is none. @throws ProblemError dependency-unavailable */
  async writtenBehind(orgId: string, { block }: Place): Promise<Date | undefined> {
    const options = { projection: { at: 1 }, sort: { _id: 1 }, maxTimeMS: longestMs } as const;
    return (await asking(() => this.blocks.findOne(ofOrganisation(orgId, blockId(orgId, block)), options)))?.at;
  }

  /** Which of these blocks there are. @throws StoreFault */
  async there(ids: readonly string[]): Promise<Set<string>> {
    const found = await guarded(() => this.blocks.find({ _id: { $in: ids } }, { projection: { _id: 1 }, maxTimeMS: longestMs }).toArray());
    return new Set(found.map(({ _id }) => _id));
  }
}

function blockBehind(orgId: string, { number, upTo }: End, events: readonly PlacedEvent[]): Block {
  const reached = { ...upTo, ...Object.fromEntries(events.map(({ partition, offset }) => [partition, offset])) };
  return { _id: blockId(orgId, number + 1), at: new Date(), count: events.length, upTo: reached, entries: JSON.stringify(events.map(({ event }) => entryOf(event))) };
}
