import { Inject, Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { guarded, type Database } from '#persistence';
import { Arrivals } from './arrivals.js';
import { collections, prepareViews } from './collections.js';
import { STORE } from './store.js';
import { foundBy, viewOf, type Folded, type Known, type TicketView, type TimelineRow } from './ticket-view.projection.js';

type Write = mongoose.mongo.AnyBulkWriteOperation<TicketView>;
interface Change extends Folded {
  _id: string;
  isNew: boolean;
}

const duplicateKey = 11_000;
/** A bulk is divided between so many connections: the store works on one bulk with one process. */
const connections = 2;

/** What the projector writes. Reads for people are `TicketViewStore`'s. Every operation may come again, late, or from two instances at once. */
@Injectable()
export class ProjectionStore {
  private readonly views: mongoose.mongo.Collection<TicketView>;
  private readonly timeline: mongoose.mongo.Collection<TimelineRow>;
  private preparation: Promise<void> | undefined;

  constructor(
    @Inject(STORE) private readonly store: Database,
    private readonly arrivals: Arrivals,
  ) {
    this.views = store.db.collection(collections.views);
    this.timeline = store.db.collection(collections.timeline);
  }

  /** Makes the indexes once per process. Queries name them, so nothing is written or read before. @throws StoreFault */
  async prepare(): Promise<void> {
    this.preparation ??= prepareViews(this.store).catch((error: unknown) => {
      this.preparation = undefined;
      throw error;
    });
    await this.preparation;
  }

  /** What is stored of tickets, by `_id`. @throws StoreFault */
  async known(ids: readonly string[]): Promise<Map<string, Known>> {
    const projection = { version: 1, said: 1, noted: 1 };
    const found = await guarded(() => this.views.find({ _id: { $in: [...ids] } }, { projection }).toArray());
    return new Map(found.map((view) => [view._id, view]));
  }

  /** Adds what is not there yet. @throws StoreFault */
  async append(rows: readonly TimelineRow[]): Promise<void> {
    const sorted = [...rows].sort(byId);
    await inParts(sorted, (part) => guarded(() => this.timeline.insertMany(part, { ordered: false }).then(nothing, ignoreDuplicates)));
  }

  /** Stores views; none ever replaces a newer one. @throws StoreFault */
  async put(changes: readonly Change[]): Promise<void> {
    const sorted = [...changes].sort(byId);
    await inParts(sorted, (part) => this.putPart(part));
    this.arrivals.announce(sorted.map(({ _id }) => _id));
  }

  private async putPart(part: readonly Change[]): Promise<void> {
    const lost = await this.write(part.map((change) => (change.isNew ? { insertOne: { document: whole(change) } } : guardedUpdate(change))));
    // Somebody else inserted these first, perhaps an older version of them; the guard decides.
    if (lost.length > 0) await this.write(lost.map((i) => guardedUpdate({ ...part[i]!, reworded: true })));
  }

  /** Runs all operations and answers the places of those that found a document of their key. */
  private async write(operations: Write[]): Promise<number[]> {
    return guarded(() => this.views.bulkWrite(operations, { ordered: false }).then(() => [], duplicates));
  }
}

const byId = (one: { _id: string }, other: { _id: string }) => (one._id < other._id ? -1 : 1);
const nothing = () => undefined;
const ignoreDuplicates = (error: unknown) => void duplicates(error);

const whole = (change: Change): TicketView => ({ ...viewOf(change), ...foundBy(change) });

/** Only over an older version. What the ticket is found by is left as it is where no event touched it. */
function guardedUpdate(change: Change): Write {
  const { _id, ...view } = viewOf(change);
  const words = change.reworded ? foundBy(change) : {};
  const isOpen = change.reworded && !('open' in words);
  const update = { $set: { ...view, ...words }, ...(isOpen && { $unset: { open: true as const } }) };
  return { updateOne: { filter: { _id, version: { $lt: view.version } }, update } };
}

/** Places of the operations of an unordered bulk that met a document of their key. @throws any other trouble, as the server told it */
export function duplicates(error: unknown): number[] {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) throw error;
  const failed = [error.writeErrors].flat();
  const other = failed.find(({ code }) => code !== duplicateKey);
  if (other) throw new mongoose.mongo.MongoServerError({ message: other.errmsg, code: other.code });
  return failed.map(({ index }) => index);
}

async function inParts<T>(all: readonly T[], work: (part: T[]) => Promise<unknown>): Promise<void> {
  if (all.length === 0) return;
  const size = Math.max(50, Math.ceil(all.length / connections));
  const parts = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
  await Promise.all(parts.map(work));
}
