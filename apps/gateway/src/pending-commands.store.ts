import type { Actor, Principal } from '#contracts';
import { guarded, type Database } from '#persistence';
import { inTime } from './in-time.js';

interface Stored {
  _id: string;
  orgId: string;
  actor: Pick<Actor, 'type' | 'id'>;
  ticketId: string;
  at: Date;
}

/** Longer than the command topic keeps a command (7 days), seconds. */
const keptSeconds = 8 * 86_400;
const patienceMs = 1_500;

/** Who was told to ask later for the outcome of what. Throws `StoreFault` when the store cannot. */
export class PendingCommands {
  constructor(
    private readonly database: Pick<Database, 'db'>,
    private readonly patience = patienceMs,
  ) {}

  async prepare(): Promise<void> {
    await guarded(() => this.commands.createIndexes([{ key: { at: 1 }, expireAfterSeconds: keptSeconds }]));
  }

  /** Remembers who sent a command; a repeat leaves the first note. */
  async remember({ orgId, actor: { type, id } }: Principal, commandId: string, ticketId: string): Promise<void> {
    const note = { orgId, actor: { type, id }, ticketId, at: new Date() };
    await inTime(guarded(() => this.commands.updateOne({ _id: commandId }, { $setOnInsert: note }, { upsert: true }).catch(unlessThere)), this.patience);
  }

  /** The ticket of a command that this principal sent; null for anybody else. */
  async ticketOf({ orgId, actor }: Principal, commandId: string): Promise<string | null> {
    const mine = { _id: commandId, orgId, 'actor.type': actor.type, 'actor.id': actor.id };
    return (await inTime(guarded(() => this.commands.findOne(mine)), this.patience))?.ticketId ?? null;
  }

  private get commands() {
    return this.database.db.collection<Stored>('pending_commands');
  }
}

/** Two upserts at once: one of them finds the other's note. */
function unlessThere(error: unknown) {
  if ((error as { code?: unknown }).code !== 11_000) throw error;
}
