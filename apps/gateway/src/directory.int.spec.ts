import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DirectoryEntry, DirectorySeed } from '#contracts';
import type { OutgoingRecord } from '#messaging';
import { openDatabase, type Database } from '#persistence';
import { Directory } from './directory.js';
import { DirectoryPublisher } from './directory.publisher.js';
import { readProducers, readSeed } from './directory.seed.js';
import { DirectoryStore, type Contents, type Wanted } from './directory.store.js';

const opened: Database[] = [];
let database: Database;
let store: DirectoryStore;
beforeEach(async () => {
  database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `test_directory_${randomUUID().slice(0, 8)}` });
  opened.push(database);
  store = new DirectoryStore(database);
  await store.prepare();
});
afterAll(async () => {
  for (const one of opened) {
    await one.db.dropDatabase();
    await one.close();
  }
});

const member = (id: string, name = id): Wanted => ({ orgId: 'acme', kind: 'member', id, value: { id, name, email: `${id}@acme.example`, role: 'member' } });
const assistant = (id: string, memberIds: string[]): Wanted => ({ orgId: 'acme', kind: 'assistant', id, value: { id, name: id, memberIds } });
const people = ['member', 'assistant'] as const;
/** What acme should consist of. */
const filled = (organisations: string[], ...entries: Wanted[]): Contents => ({ part: { kinds: people, organisations }, entries });
const acme = (...entries: Wanted[]) => filled(['acme'], ...entries);
const told = (entries: DirectoryEntry[]) => entries.map(({ id, revision, deleted }) => `${id}:${revision}${deleted ? ':deleted' : ''}`).sort();

/** A topic that keeps what it gets, unless it is away. */
function topic() {
  const records: DirectoryEntry[] = [];
  const state = { isUp: true };
  const send = async ([record]: readonly OutgoingRecord[]) => {
    if (!state.isUp) throw new Error('no broker');
    records.push(JSON.parse(String(record!.value)) as DirectoryEntry);
  };
  return { records, state, producer: { send } };
}

describe('filling the directory', () => {
  it('gives new entries their first revision, changed ones the next, and marks those that are gone', async () => {
    await store.fill(acme(member('ada'), member('grace'), assistant('bot', ['ada'])));
    expect(told(await store.unpublished())).toEqual(['ada:1', 'bot:1', 'grace:1']);
    await store.fill(acme(member('ada'), assistant('bot', ['ada', 'grace'])));
    expect(told(await store.unpublished())).toEqual(['ada:1', 'bot:2', 'grace:2:deleted']);
    expect(told(await store.read('acme', people))).toEqual(['ada:1', 'bot:2']);
    await store.fill(acme(member('ada'), member('grace'), assistant('bot', ['ada', 'grace'])));
    expect(told(await store.read('acme', people))).toEqual(['ada:1', 'bot:2', 'grace:3']);
    await store.fill(acme(member('ada'), member('grace'), assistant('bot', ['ada', 'grace'])));
    expect(told(await store.read('acme', people))).toEqual(['ada:1', 'bot:2', 'grace:3']);
  });

  it('does it once when several instances start at once', async () => {
    const crowd = Array.from({ length: 20 }, (_, i) => member(`m${i}`));
    const others = crowd.map(({ id }) => member(id, `${id} renamed`));
    for (const [wanted, revision] of [[crowd, 1], [others, 2], [[], 3]] as const) {
      await Promise.all([1, 2, 3, 4].map(() => new DirectoryStore(database).fill(acme(...wanted))));
      expect(new Set((await store.unpublished()).map((entry) => entry.revision))).toEqual(new Set([revision]));
    }
    expect(await store.read('acme', people)).toEqual([]);
  });

  it('keeps organisations apart', async () => {
    await store.fill(filled(['acme', 'globex'], member('ada'), { ...member('hank'), orgId: 'globex' }));
    await store.fill(acme());
    expect(told(await store.read('globex', people))).toEqual(['hank:1']);
    expect(await store.read('acme', people)).toEqual([]);
    expect(await store.read('nobody', people)).toEqual([]);
  });

  it('takes a file, and says what is wrong with one', () => {
    const file = join(tmpdir(), `directory-${randomUUID()}.json`);
    const write = (content: unknown) => writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    const ada = { id: 'ada', name: 'Ada', email: 'ada@acme.example', role: 'admin' as const };
    const organisations: DirectorySeed['organisations'] = [{ id: 'acme', members: [ada], assistants: [{ id: 'bot', name: 'Bot', memberIds: ['ada'] }] }];
    write({ organisations });
    const { part, entries } = readSeed(file);
    expect(part.organisations).toEqual(['acme']);
    expect(entries.map(({ orgId, kind, id }) => [orgId, kind, id])).toEqual([['acme', 'member', 'ada'], ['acme', 'assistant', 'bot']]);
    write('{');
    expect(() => readSeed(file)).toThrow(file);
    write({ organisations: [{ id: 'acme', members: [ada, ada], assistants: [] }] });
    expect(() => readSeed(file)).toThrow('acme/member/ada twice');
    write({ organisations: [{ id: 'acme', members: [{ ...ada, secret: 1 }], assistants: [] }] });
    expect(() => readSeed(file)).toThrow();
  });
});

describe('registering outside systems by a file', () => {
  const producer = (id: string, commands = ['create'], orgId = 'acme'): Wanted => ({ orgId, kind: 'producer', id, value: { id, name: id, commands, assistantIds: [] } });
  const named = (...entries: Wanted[]): Contents => ({ part: { kinds: ['producer'], organisations: 'seeded' }, entries });
  const request = () => ({ id: randomUUID(), hash: 'x', isKeyed: false });
  const producers = async (orgId = 'acme') => told(await store.read(orgId, ['producer']));

  it('sets what the file names, and withdraws what it names no longer', async () => {
    await store.fill(named(producer('crm'), producer('erp'), producer('erp', ['create'], 'globex')));
    expect([await producers(), await producers('globex')]).toEqual([['crm:1', 'erp:1'], ['erp:1']]);
    await store.fill(named(producer('erp', ['create', 'assign'])));
    expect([await producers(), await producers('globex')]).toEqual([['erp:2'], []]);
    expect(await store.find('acme/producer/crm')).toMatchObject({ revision: 2, deleted: true });
    await store.fill(named(producer('erp', ['create', 'assign'])));
    expect(await producers()).toEqual(['erp:2']);
  });

  it('leaves alone what administrators registered, and puts back what they changed of it', async () => {
    await store.create(producer('mine'), request());
    await store.fill(named(producer('erp'), producer('crm')));
    await store.change(producer('erp', ['delete']), request());
    await store.delete(producer('crm'), request());
    await store.fill(named(producer('erp'), producer('crm')));
    expect(await producers()).toEqual(['crm:3', 'erp:3', 'mine:1']);
    expect(await store.find('acme/producer/erp')).toMatchObject({ value: { commands: ['create'] } });
    await store.fill(named());
    expect(await producers()).toEqual(['mine:1']);
  });

  it('answers from then on for what administrators had registered, once the file names it', async () => {
    await store.create(producer('erp'), request());
    await store.fill(named(producer('erp')));
    expect(await store.list('acme', ['producer'])).toMatchObject([{ isSeeded: true }]);
    await store.fill(named());
    expect(await producers()).toEqual([]);
    await store.create(producer('erp'), request());
    await store.fill(named());
    expect(await producers()).toHaveLength(1);
  });

  it('does it once when several gateways start at once', async () => {
    const systems = (commands: string[]) => Array.from({ length: 10 }, (_, n) => producer(`s${n}`, commands));
    for (const [wanted, revision] of [[systems(['create']), 1], [systems(['assign']), 2], [[], 3]] as const) {
      await Promise.all([1, 2, 3, 4].map(() => new DirectoryStore(database).fill(named(...wanted))));
      expect(new Set((await store.unpublished()).map((entry) => entry.revision))).toEqual(new Set([revision]));
    }
  });

  it('is no affair of the file with the people, nor the other way around', async () => {
    await store.fill(named(producer('erp')));
    await store.fill(acme(member('ada')));
    await store.fill(acme(member('ada')));
    await store.fill(named(producer('erp')));
    expect(told(await store.read('acme', ['member', 'assistant', 'producer']))).toEqual(['ada:1', 'erp:1']);
    expect((await new Directory(store).roster('acme')).members).toHaveLength(1);
  });

  it('takes a file, and says what is wrong with one', () => {
    const file = join(tmpdir(), `producers-${randomUUID()}.json`);
    const erp = { id: 'erp', name: 'ERP', commands: ['create'] };
    const write = (...producers: object[]) => writeFileSync(file, JSON.stringify({ organisations: [{ id: 'acme', producers }] }));
    write(erp);
    expect(readProducers(file)).toEqual(named({ orgId: 'acme', kind: 'producer', id: 'erp', value: { ...erp, assistantIds: [] } }));
    write(erp, erp);
    expect(() => readProducers(file)).toThrow('acme/producer/erp twice');
    write({ ...erp, commands: ['erase'] });
    expect(() => readProducers(file)).toThrow(file);
    write({ ...erp, id: 'gateway' });
    expect(() => readProducers(file)).toThrow('is the name of a part of Deskstream');
    expect(readProducers('deploy/demo-producers.json').entries).toMatchObject([{ orgId: 'acme', id: 'erp' }]);
  });
});

describe('publishing what is stored', () => {
  it('tells of an entry when it is ready, and keeps no other waiting for it', async () => {
    const { records, producer } = topic();
    await store.fill(acme(member('ada'), member('grace')));
    const waiting = new Set(['ada']);
    const publisher = new DirectoryPublisher(store, producer, Date.now, async ({ id }) => !waiting.has(id));
    await publisher.publishWaiting();
    expect(told(records)).toEqual(['grace:1']);
    waiting.clear();
    await publisher.publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'grace:1']);
  });

  it('publishes every change once, and what was left after a death', async () => {
    const { records, state, producer } = topic();
    await store.fill(acme(member('ada'), assistant('bot', [])));
    state.isUp = false;
    await expect(new DirectoryPublisher(store, producer).publishWaiting()).rejects.toThrow();
    state.isUp = true;
    await new DirectoryPublisher(new DirectoryStore(database), producer).publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'bot:1']);
    await new DirectoryPublisher(store, producer).publishWaiting();
    expect(records).toHaveLength(2);
    await store.fill(acme(member('ada')));
    await new DirectoryPublisher(store, producer).publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'bot:1', 'bot:2:deleted']);
  });

  it('may die between topic and mark: it says the same again', async () => {
    const { records, producer } = topic();
    await store.fill(acme(member('ada')));
    const dying = { find: store.find.bind(store), unpublished: store.unpublished.bind(store), changedSince: store.changedSince.bind(store), markPublished: () => Promise.reject(new Error('dead')) };
    await expect(new DirectoryPublisher(dying, producer).publishWaiting()).rejects.toThrow('dead');
    await new DirectoryPublisher(store, producer).publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'ada:1']);
  });

  it('says recent changes again when it starts: an older revision may have come behind them', async () => {
    const { records, producer } = topic();
    await store.fill(acme(member('ada')));
    await new DirectoryPublisher(store, producer).publishWaiting();
    const publisher = new DirectoryPublisher(store, producer);
    publisher.start();
    await publisher.stop();
    expect(told(records)).toEqual(['ada:1', 'ada:1']);
  });
});

describe('reading the directory', () => {
  it('shows a change within two seconds', async () => {
    const now = { ms: 0 };
    const directory = new Directory(store, () => now.ms);
    await store.fill(acme(assistant('bot', ['ada'])));
    expect((await directory.roster('acme')).assistantIdsOf('ada')).toEqual(['bot']);
    await store.fill(acme(assistant('bot', [])));
    now.ms += 2_000;
    expect((await directory.roster('acme')).assistantIdsOf('ada')).toEqual([]);
  });
});
