import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { CommandStatus, Principal, Problem } from '#contracts';
import { type Database, duplicates, guarded } from '#persistence';
import { STORE } from './store.js';

/** Days that a command's answer can be asked for. */
const resultDays = 7;

/** The answer that a command got. */
export interface StoredResult {
  /** organisation/command */
  _id: string;
  /** type:id of who sent it */
  actor: string;
  state: Exclude<CommandStatus['state'], 'pending'>;
  ticketId: string;
  version?: number;
  /** JSON text */
  problem?: string;
  /** When it was told; decides when it goes. */
  at: Date;
}

/** `_id` of a command's answer. */
export const resultId = (orgId: string, commandId: string) => `${orgId}/${commandId}`;
/** Who sent a command, as answers keep it. */
export const senderOf = ({ type, id }: Principal['actor']) => `${type}:${id}`;

/** What became of commands, for who sent them. */
@Injectable()
export class CommandResultStore {
  private readonly results: mongoose.mongo.Collection<StoredResult>;
  private preparation: Promise<unknown> | undefined;

  constructor(@Inject(STORE) { db }: Database) {
    this.results = db.collection('command_results');
  }

  /** Makes the index once per process. @throws StoreFault */
  async prepare(): Promise<void> {
    const expiry = { key: { at: 1 }, name: 'expiry', expireAfterSeconds: resultDays * 86_400 } as const;
    this.preparation ??= guarded(() => this.results.createIndexes([expiry])).catch((error: unknown) => {
      this.preparation = undefined;
      throw error;
    });
    await this.preparation;
  }

  /** Keeps each command's first answer. Only `failed` gives way: a replay of the dead letter may still succeed. @throws StoreFault */
  async put(results: readonly StoredResult[]): Promise<void> {
    if (results.length === 0) return;
    const again = await guarded(() => this.results.insertMany([...results], { ordered: false }).then(() => [], duplicates));
    const better = again.map((i) => results[i]!).filter(({ state }) => state !== 'failed');
    if (better.length === 0) return;
    const writes = better.map(({ _id, ...answer }) => ({ replaceOne: { filter: { _id, state: 'failed' as const }, replacement: answer } }));
    await guarded(() => this.results.bulkWrite(writes, { ordered: false }));
  }

  /** The answer to a command that this principal sent; undefined for others' and unknown ones. @throws StoreFault */
  async find({ orgId, actor }: Principal, commandId: string): Promise<CommandStatus | undefined> {
    const found = await guarded(() => this.results.findOne({ _id: resultId(orgId, commandId), actor: senderOf(actor) }, { maxTimeMS: 2_000 }));
    if (!found) return undefined;
    const { state, ticketId, version, problem } = found;
    return { id: commandId, state, ticketId, ...(version !== undefined && { version }), ...(problem !== undefined && { problem: JSON.parse(problem) as Problem }) };
  }
}
