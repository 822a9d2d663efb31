import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import { openDatabase, type Database } from '#persistence';

/** The server that the test driver started. */
export const serverUri = () => {
  const uri = process.env['MONGODB_URI'];
  if (!uri) throw new Error('MONGODB_URI is not set: integration specs run through npm test');
  return uri;
};

/** A database of its own, as a service opens it. `another` is a second instance's connection; `close` drops it all. */
export function openTestStore(purpose: string) {
  const database = `test_${purpose}_${randomUUID().slice(0, 8)}`;
  const opened: Database[] = [];
  const another = () => {
    const store = openDatabase({ uri: serverUri(), database, poolSize: 4 });
    opened.push(store);
    return store;
  };
  const store = another();
  const close = async () => {
    await store.db.dropDatabase();
    for (const one of opened) await one.close();
  };
  return { store, another, database, close };
}

/** A database whose commands are seen: `seen` names those that reached the server since it was last asked. */
export async function openWatchedStore(database: string) {
  const client = new mongoose.mongo.MongoClient(serverUri(), { monitorCommands: true, readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } });
  const names: string[] = [];
  client.on('commandStarted', ({ commandName }) => names.push(commandName));
  await client.connect();
  const isOfTheWork = (name: string) => !['hello', 'isMaster', 'ping', 'endSessions'].includes(name);
  const store = { db: client.db(database), healthy: () => Promise.resolve(true), close: () => client.close() } as unknown as Database;
  return { store, seen: () => names.splice(0).filter(isOfTheWork) };
}
