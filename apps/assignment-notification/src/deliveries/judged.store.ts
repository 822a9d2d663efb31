import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { DeadLetter, IncomingRecord, Round } from '#messaging';
import { guarded, type Database } from '#persistence';
import { STORE, unlessThere } from '../store.js';

/** A record, and the latest time that any up to it was written at, ms since the epoch: those of a topic that was made anew are later. */
interface Place {
  offset: number;
  writtenAt: number;
}

type Places = Readonly<Record<string, Place>>;

/** What of a round nobody has judged yet, and how far its partitions were judged before. */
export interface Unjudged {
  readonly topic: string;
  readonly round: Round;
  readonly before: Places;
}

/**
 * How far the records of topics were judged: whom to tell of them. A group that has lost its place reads from the start what was judged long ago, and today's settings
 * would tell people and systems of it who wanted nothing of it then.
 */
@Injectable()
export class Judged {
  private readonly topics: mongoose.mongo.Collection<{ _id: string; places: Places }>;

  constructor(@Inject(STORE) { db }: Database) {
    this.topics = db.collection('judged');
  }

  /** They are found by their names. */
  async prepare(): Promise<void> {}

  /** Leaves out what was judged before. @throws StoreFault */
  async rest(topic: string, round: Round): Promise<Unjudged> {
    const before = (await guarded(() => this.topics.findOne({ _id: topic })))?.places ?? {};
    return { topic, before, round: { ...round, records: round.records.filter((record) => !isJudged(record, before[record.partition])) } };
  }

  /** What is to be told of these is stored. What is given up is judged once that was stored as well: with what comes behind it. @throws StoreFault */
  async note({ topic, round, before }: Unjudged, dead: readonly DeadLetter[]): Promise<void> {
    const givenUp = new Set(dead.map(({ record }) => record));
    const places = [...Map.groupBy(round.records, ({ partition }) => partition)].flatMap(([partition, records]) => {
      const end = records.findIndex((record) => givenUp.has(record));
      const judged = end < 0 ? records : records.slice(0, end);
      return judged.length === 0 ? [] : [[`places.${partition}`, placeBehind(judged, before[partition])] as const];
    });
    if (places.length > 0) await guarded(() => this.topics.updateOne({ _id: topic }, { $set: Object.fromEntries(places) }, { upsert: true }).catch(unlessThere));
  }
}

const isJudged = ({ offset, timestamp }: IncomingRecord, place: Place | undefined) => place !== undefined && Number(offset) <= place.offset && Number(timestamp) <= place.writtenAt;

function placeBehind(records: readonly IncomingRecord[], before: Place | undefined): Place {
  const isSameLog = before !== undefined && Number(records[0]!.offset) > before.offset;
  const writtenAt = Math.max(isSameLog ? before.writtenAt : 0, ...records.map(({ timestamp }) => Number(timestamp)));
  return { offset: Number(records.at(-1)!.offset), writtenAt };
}
