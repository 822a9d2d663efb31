import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { CommandType, InboundEmailAnswer } from '#contracts';
import { guarded, type Database } from '#persistence';
import type { StoredCommand } from '../commands.js';
import { STORE, unlessThere } from '../store.js';

/** What is known of mails so long: a server that could not hand one over tries for days, s. */
const keptSeconds = 30 * 86_400;
/** Mails of one sender that are taken in a time of `rateSeconds`. */
const mostMails = 30;
const rateSeconds = 600;

/** A command that a mail has become. */
export interface MailCommand extends StoredCommand {
  type: CommandType;
}

/** A mail, and what was decided on it: the same whenever it comes again. */
export interface InboundMailRecord {
  _id: string;
  orgId: string;
  messageId: string;
  ticketId: string;
  outcome: InboundEmailAnswer['outcome'];
  /** First the one that carries its words. */
  commands: MailCommand[];
  commandId: string;
  /** The mail as text, for another decision, until its words are seen on a ticket. */
  mail: string | null;
  /** What was decided first, where its ticket took no words: whoever hears of that again has to find it, since who heard of it before may have sent nothing. */
  instead?: Pick<InboundMailRecord, 'ticketId' | 'commandId'>;
  at: Date;
}

/** Mails that came in. */
@Injectable()
export class InboundMails {
  private readonly mails: mongoose.mongo.Collection<InboundMailRecord>;
  private readonly rates: mongoose.mongo.Collection<{ _id: string; count: number; at: Date }>;

  constructor(@Inject(STORE) { db }: Database) {
    this.mails = db.collection('inbound_mails');
    this.rates = db.collection('inbound_rates');
  }

  /** @throws StoreFault */
  async prepare(): Promise<void> {
    const underWay = { key: { ticketId: 1 }, partialFilterExpression: { mail: { $type: 'string' } } } as const;
    const instead = (['ticketId', 'commandId'] as const).map((name) => ({ key: { [`instead.${name}`]: 1 }, sparse: true }) as const);
    await guarded(() => this.mails.createIndexes([{ key: { at: 1 }, expireAfterSeconds: keptSeconds }, { key: { commandId: 1 } }, underWay, ...instead]));
    await guarded(() => this.rates.createIndexes([{ key: { at: 1 }, expireAfterSeconds: rateSeconds }]));
  }

  /** @throws StoreFault */
  find(orgId: string, id: string): Promise<InboundMailRecord | null> {
    return guarded(() => this.mails.findOne({ _id: id, orgId }));
  }

  /** Stores what was decided, unless somebody was faster. @returns what holds @throws StoreFault */
  async add(record: InboundMailRecord): Promise<InboundMailRecord> {
    const isFirst = await guarded(() => this.mails.insertOne(record).then(() => true, unlessThere));
    return isFirst ? record : ((await this.find(record.orgId, record._id)) ?? record);
  }

  /** Another decision takes a decision's place, unless somebody was faster. @returns what holds @throws StoreFault */
  async redecide(before: InboundMailRecord, { _id, ...after }: InboundMailRecord): Promise<InboundMailRecord> {
    const { matchedCount } = await guarded(() => this.mails.replaceOne({ _id, commandId: before.commandId, mail: { $ne: null } }, after));
    return matchedCount === 1 ? { _id, ...after } : ((await this.find(before.orgId, _id)) ?? before);
  }

  /** Message ids of mails by the command that carries their words. @throws StoreFault */
  async byCommand(commandIds: readonly string[]): Promise<Map<string, string>> {
    if (commandIds.length === 0) return new Map();
    const found = await guarded(() => this.mails.find({ commandId: { $in: [...commandIds] } }, { projection: { commandId: 1, messageId: 1 } }).toArray());
    return new Map(found.map(({ commandId, messageId }) => [commandId, `<${messageId}>`]));
  }

  /** Ids of mails by the command that carries their words. @throws StoreFault */
  async idsBy(commandIds: readonly string[]): Promise<Map<string, string>> {
    if (commandIds.length === 0) return new Map();
    const found = await guarded(() => this.mails.find({ commandId: { $in: [...commandIds] } }, { projection: { commandId: 1 } }).toArray());
    return new Map(found.map(({ _id, commandId }) => [commandId, _id]));
  }

  /** Mails by the command that carries their words, or was to, as long as these are under way. @throws StoreFault */
  withWords(commandIds: readonly string[]): Promise<InboundMailRecord[]> {
    return this.carried('commandId', commandIds);
  }

  /** The words of these are on their tickets. @throws StoreFault */
  async seen(commandIds: readonly string[]): Promise<void> {
    if (commandIds.length > 0) await guarded(() => this.mails.updateMany({ commandId: { $in: [...commandIds] } }, { $set: { mail: null } }));
  }

  /** Mails whose words are on their way to tickets, or were before these took none. @throws StoreFault */
  underWay(ticketIds: readonly string[]): Promise<InboundMailRecord[]> {
    return this.carried('ticketId', ticketIds);
  }

  private carried(by: 'ticketId' | 'commandId', ids: readonly string[]): Promise<InboundMailRecord[]> {
    const some = { $in: [...ids] };
    const isUnderWay = { mail: { $type: 'string' } } as const;
    return ids.length === 0 ? Promise.resolve([]) : guarded(() => this.mails.find({ $or: [{ [by]: some, ...isUnderWay }, { [`instead.${by}`]: some, ...isUnderWay }] }).toArray());
  }

  /** Whether a sender may send one more now. @throws StoreFault */
  async mayCome(orgId: string, sender: string): Promise<boolean> {
    const _id = `${orgId}/${sender.toLowerCase()}/${Math.floor(Date.now() / (rateSeconds * 1_000))}`;
    const write = () => this.rates.findOneAndUpdate({ _id }, { $inc: { count: 1 }, $setOnInsert: { at: new Date() } }, { upsert: true, returnDocument: 'after' });
    const rate = await guarded(() => write().catch((error: unknown) => (unlessThere(error) ? null : write())));
    return (rate?.count ?? 1) <= mostMails;
  }
}
