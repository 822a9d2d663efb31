import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { openDatabase } from '#persistence';
import { KeysInMemory } from '../testing/keys-in-memory.js';
import { keyStoreSuite } from '../testing/key-store.suite.js';
import { patience } from '../testing/stores.js';
import { ApiKeyStore } from './api-keys.store.js';

describe('API keys in the store', () => {
  const database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `test_keys_${randomUUID().slice(0, 8)}` });
  const store = new ApiKeyStore(database, patience);
  beforeAll(() => store.prepare());
  afterAll(async () => {
    await database.db.dropDatabase();
    await database.close();
  });
  keyStoreSuite(() => store);
});

describe('API keys in memory', () => {
  const twin = new KeysInMemory();
  keyStoreSuite(() => twin);
});
