import { afterAll, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { openTestStore, serverUri } from '../testing/test-store.js';
import { openDatabase } from './index.js';

/** An address that asks for less than a service needs, and lets its commands be seen. */
function carelessUri(): string {
  const uri = new URL(serverUri());
  const wishes = { monitorCommands: 'true', readConcernLevel: 'local', readPreference: 'secondaryPreferred', w: '1', journal: 'false' };
  for (const [name, value] of Object.entries(wishes)) uri.searchParams.set(name, value);
  return uri.href;
}

describe('a database of a service, whatever its address asks for', () => {
  const { database, close } = openTestStore('database');
  const { db, close: closeIt } = openDatabase({ uri: carelessUri(), database });
  const sent: mongoose.mongo.CommandStartedEvent[] = [];
  db.client.on('commandStarted', (event) => sent.push(event));
  afterAll(async () => {
    await closeIt();
    await close();
  });
  const things = db.collection<{ _id: number; n?: number }>('things');

  /** The commands that `work` sends. */
  const commandsOf = async (work: () => Promise<unknown>) => {
    sent.length = 0;
    await work();
    return sent.filter(({ databaseName }) => databaseName === database).map(({ commandName: name, command }) => ({ ...command, name }));
  };

  it.each<[string, () => Promise<unknown>]>([
    ['insert', () => things.insertMany([{ _id: 1 }, { _id: 2 }], { ordered: false })],
    ['update', () => things.bulkWrite([{ updateOne: { filter: { _id: 9 }, update: { $set: { n: 1 } }, upsert: true } }])],
    ['findAndModify', () => things.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } })],
    ['delete', () => things.deleteOne({ _id: 2 })],
  ])('takes a write (%s) for done once a majority has it in its journal', async (name, write) => {
    expect(await commandsOf(write)).toMatchObject([{ name, writeConcern: { w: 'majority', j: true } }]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['find', () => things.find().toArray()],
    ['aggregate', () => things.aggregate([{ $match: {} }]).toArray()],
  ])('reads (%s) what a majority has', async (name, read) => {
    expect(await commandsOf(read)).toMatchObject([{ name, readConcern: { level: 'majority' } }]);
  });

  it('reads from the primary', () => {
    expect([db, things].map(({ readPreference }) => readPreference?.mode)).toEqual(['primary', 'primary']);
  });
});
