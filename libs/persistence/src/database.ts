import mongoose from 'mongoose';

/** A service's own database on the native driver: reads from the primary with majority, writes with majority and journal. */
export interface Database {
  readonly db: mongoose.mongo.Db;
  /** Whether the store answers right now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Names the server; the database is `database`. */
  uri: string;
  database: string;
  /** Connections at most; each costs the server a process on some engines. */
  poolSize?: number;
}

/** How long an operation looks for a server before the trouble is told, ms. */
const serverSelectionTimeoutMS = 3_000;
/** A server that says nothing for so long is taken for gone, ms. No operation of ours works longer. */
const socketTimeoutMS = 20_000;

/** Given to the database, not the connection: there, the address would win over some of them. */
const guarantees: mongoose.mongo.DbOptions = { readPreference: 'primary', readConcern: new mongoose.mongo.ReadConcern('majority'), writeConcern: { w: 'majority', journal: true } };

/** Opens a service's database. Does not wait for the server: a service starts unready and becomes ready when its store answers. */
export function openDatabase({ uri, database, poolSize = 8 }: DatabaseOptions): Database {
  const connection = mongoose.createConnection(uri, {
    dbName: database,
    maxPoolSize: poolSize,
    minPoolSize: 1,
    serverSelectionTimeoutMS,
    socketTimeoutMS,
    connectTimeoutMS: serverSelectionTimeoutMS,
    autoIndex: false,
    autoCreate: false,
  });
  // The first connection may fail: every operation looks for the server again, and health tells.
  connection.asPromise().catch(() => undefined);
  const client = connection.getClient();
  const db = client.db(database, guarantees);
  return { db, healthy: () => answers(db), close: () => connection.close() };
}

const answers = (db: mongoose.mongo.Db) =>
  db.command({ ping: 1 }, { timeoutMS: 1_500 }).then(
    () => true,
    () => false,
  );
