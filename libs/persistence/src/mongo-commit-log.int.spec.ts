import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commitLogSuite, commitOf } from '../testing/commit-log.suite.js';
import { openTestStore, openWatchedStore } from '../testing/test-store.js';
import { MongoCommitLog, prepareCommits, StoreFault } from './index.js';

commitLogSuite('MongoDB', async () => {
  const { store, another, close } = openTestStore('commits');
  await prepareCommits(store);
  return { log: new MongoCommitLog(store), other: new MongoCommitLog(another()), close };
});

describe('commit log in MongoDB', () => {
  const { store, database, close } = openTestStore('commit_documents');
  const log = new MongoCommitLog(store);
  beforeAll(() => prepareCommits(store));
  afterAll(close);

  const document = ({ ticketId, commandId }: { ticketId: string; commandId: string }) => store.db.collection<{ _id: string }>('commits').findOne({ _id: `acme/${ticketId}/${commandId}` });

  it('keeps what was accepted for ever, and other answers for 30 days', async () => {
    const [applied, unchanged, rejected] = [commitOf(), commitOf({ outcome: 'unchanged' }), commitOf({ outcome: 'rejected' })];
    await log.append([applied, unchanged, rejected]);
    expect(await document(applied)).not.toHaveProperty('expireAt');
    for (const commit of [unchanged, rejected]) expect(await document(commit)).toMatchObject({ expireAt: new Date('2026-01-31T12:00:00.000Z') });
  });

  it('has a unique index on ticket and version, and one that expires', async () => {
    const indexes = await store.db.collection('commits').indexes();
    expect(indexes.map(({ name, unique, expireAfterSeconds }) => ({ name, unique: unique ?? false, expireAfterSeconds }))).toEqual([
      { name: '_id_', unique: expect.anything(), expireAfterSeconds: undefined },
      { name: 'ticket_version', unique: true, expireAfterSeconds: undefined },
      { name: 'expiry', unique: false, expireAfterSeconds: 0 },
    ]);
  });

  it('may be prepared again', () => prepareCommits(store));

  it('asks the server once to find, twice for the newest, once to append, whatever the number', async () => {
    const watched = await openWatchedStore(database);
    const spied = new MongoCommitLog(watched.store);
    const commits = Array.from({ length: 500 }, () => commitOf({ value: Buffer.alloc(2_000, 'x') }));
    await spied.append(commits);
    expect(watched.seen()).toEqual(['insert']);
    expect((await spied.find(commits)).commits).toHaveLength(500);
    expect(watched.seen()).toEqual(['find']);
    expect((await spied.newest(commits)).commits).toHaveLength(500);
    expect(watched.seen()).toEqual(['find', 'find']);
    await watched.store.close();
  });

  it('answers as much as there is room for, and says that there is more', async () => {
    const commits = Array.from({ length: 90 }, () => commitOf({ value: randomBytes(300_000) }));
    for (let i = 0; i < commits.length; i += 15) await log.append(commits.slice(i, i + 15));
    for (const look of [() => log.find(commits), () => log.newest(commits)]) {
      const { commits: found, isComplete } = await look();
      expect([found.length > 0, found.length < commits.length, isComplete]).toEqual([true, true, false]);
      expect(found.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThan(24 * 1024 * 1024);
    }
  });

  it('tells the one document that the store will never take from those it has taken', async () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
    const [bad, good] = [commitOf({ rules: deep(1_000) }), commitOf()];
    const result = await log.append([bad, good]).catch((error: unknown) => error);
    // Some servers name the document, some refuse the whole command, which is then tried one by one; neither may call it trouble that passes.
    if (result instanceof Error) return expect(result).not.toBeInstanceOf(StoreFault);
    expect(result).toMatchObject({ lost: [], refused: [{ commit: { commandId: bad.commandId } }] });
    expect(await log.find([bad, good])).toMatchObject({ commits: [{ commandId: good.commandId }], isComplete: true });
  });

  it('does not call a document beyond 16 MiB trouble that passes', async () => {
    const huge = commitOf({ ticketId: randomUUID(), value: Buffer.alloc(17 * 1024 * 1024) });
    await expect(log.append([huge])).rejects.not.toBeInstanceOf(StoreFault);
  });
});
