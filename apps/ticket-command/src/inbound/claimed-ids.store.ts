import type mongoose from 'mongoose';
import { guarded, insertEach, type Database } from '#persistence';

/** A command id that a record made, and the ticket that it is about. */
export interface Claim {
  commandId: string;
  ticketId: string;
}

interface ClaimDocument {
  /** The command id, which the organisation is part of. */
  _id: string;
  ticketId: string;
  expireAt: Date;
}

/** Kept as long as answers of commands that changed nothing (contract section 1): what a system sends again after that is new to us. */
const keptMs = 30 * 86_400_000;

/** Makes the collection's index; safe to repeat. */
export async function prepareClaims({ db }: Pick<Database, 'db'>): Promise<void> {
  await guarded(() => db.collection('inbound_ids').createIndexes([{ key: { expireAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }]));
}

/**
 * Which ticket each command id of an outside system belongs to. Commits are unique for each ticket only, and the commands of two records under one `ce_id`
 * may lie in different partitions: without this, an id that is used again for another ticket would be carried out there, too.
 */
export class ClaimedIds {
  private readonly claims: mongoose.mongo.Collection<ClaimDocument>;

  constructor(
    { db }: Pick<Database, 'db'>,
    private readonly clock: () => number = Date.now,
  ) {
    this.claims = db.collection('inbound_ids');
  }

  /**
   * Claims the ids; the first one to come has an id, at whatever instance. One round trip, and another one where an id was claimed before.
   * @returns the ticket of each id
   * @throws StoreFault when the store cannot do it right now
   */
  async claim(asked: readonly Claim[]): Promise<Map<string, string>> {
    const owners = new Map<string, string>();
    for (const { commandId, ticketId } of asked) if (!owners.has(commandId)) owners.set(commandId, ticketId);
    const expireAt = new Date(this.clock() + keptMs);
    const { lost, refused } = await insertEach(this.claims, [...owners].map(([_id, ticketId]) => ({ _id, ticketId, expireAt })));
    if (refused.length > 0) throw refused[0]!.error;
    for (const { _id, ticketId } of await this.read(lost.map(({ _id }) => _id))) owners.set(_id, ticketId);
    return owners;
  }

  private async read(ids: string[]): Promise<ClaimDocument[]> {
    if (ids.length === 0) return [];
    // Without a batch size the first answer holds 101 documents, and the rest costs another round trip.
    return guarded(() => this.claims.find({ _id: { $in: ids } }, { batchSize: ids.length + 1 }).toArray());
  }
}
