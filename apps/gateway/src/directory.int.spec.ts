import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DirectoryEntry, DirectorySeed, Producer } from '#contracts';
import type { OutgoingRecord } from '#messaging';
import { openDatabase, type Database } from '#persistence';
import { storeOf } from '../testing/stores.js';
import { Directory } from './directory.js';
import { DirectoryPublisher } from './directory.publisher.js';
import { settleDeparture } from './departures.js';
import { changed, created, left, put, removed, signedIn } from './directory.policy.js';
import { fill, readProducers, readSeed, type Seed, type Wanted, type WantedProducer } from './directory.seed.js';
import type { DirectoryStore } from './directory.store.js';

const opened: Database[] = [];
let database: Database;
let store: DirectoryStore;
beforeEach(async () => {
  database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `test_directory_${randomUUID().slice(0, 8)}` });
  opened.push(database);
  store = storeOf(database);
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
/** What a file says of first members and assistants. */
const first = (...entries: Wanted[]) => ({ of: 'beginnings' as const, entries });
const set = (...entries: Wanted[]) => Promise.all(entries.map((entry) => store.edit(entry, put(entry.value))));
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
  it('gives organisations that are new their first members and assistants', async () => {
    await fill(store, first(member('ada'), member('grace'), assistant('bot', ['ada']), { ...member('hank'), orgId: 'globex' }));
    expect(told(await store.unpublished())).toEqual(['ada:1', 'bot:1', 'grace:1', 'hank:1']);
    expect(told(await store.read('acme', people))).toEqual(['ada:1', 'bot:1', 'grace:1']);
    expect(told(await store.read('globex', people))).toEqual(['hank:1']);
    expect(await store.read('nobody', people)).toEqual([]);
  });

  it('never undoes what administrators changed', async () => {
    const seed = first(member('ada'), member('grace'), assistant('bot', ['ada']), assistant('other', []));
    await fill(store, seed);
    await store.edit(assistant('bot', []), changed({ id: 'bot', name: 'Theirs', memberIds: ['grace'] }));
    await store.edit(assistant('other', []), removed());
    await store.edit(member('ada'), left(Date.now()));
    await fill(store, first(...seed.entries, member('late'), assistant('late-bot', [])));
    expect(told(await store.read('acme', people))).toEqual(['bot:2', 'grace:1']);
    expect(await store.find('acme/assistant/bot')).toMatchObject({ value: { name: 'Theirs' } });
  });

  it('leaves alone an organisation that somebody signed in to before, and one whose entries are all deleted', async () => {
    await set(member('new'));
    await store.edit(member('new'), left(Date.now()));
    await fill(store, first(member('ada')));
    expect(await store.read('acme', people)).toEqual([]);
  });

  it('goes on after a crash, and leaves alone what happened meanwhile', async () => {
    let left = 1;
    const dying = storeOf(database);
    const edit = dying.edit.bind(dying);
    dying.edit = (...edited) => ((left -= 1) < 0 ? Promise.reject(new Error('dead')) : edit(...edited));
    const seed = first(member('ada'), member('grace'), assistant('bot', ['ada']));
    await expect(fill(dying, seed)).rejects.toThrow('dead');
    await store.edit(member('ada'), changed({ ...(member('ada').value as object), name: 'Countess' } as never));
    await fill(store, seed);
    expect(told(await store.read('acme', people))).toEqual(['ada:2', 'bot:1', 'grace:1']);
  });

  it('does it once when several instances start at once', async () => {
    const crowd = Array.from({ length: 20 }, (_, i) => member(`m${i}`));
    await Promise.all([1, 2, 3, 4].map(() => fill(storeOf(database), first(...crowd))));
    expect(new Set((await store.unpublished()).map(({ revision }) => revision))).toEqual(new Set([1]));
    expect(await store.read('acme', people)).toHaveLength(20);
  });

  it('takes a file, and says what is wrong with one', () => {
    const file = join(tmpdir(), `directory-${randomUUID()}.json`);
    const write = (content: unknown) => writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    const ada = { id: 'ada', name: 'Ada', email: 'ada@acme.example', role: 'admin' as const };
    const organisations: DirectorySeed['organisations'] = [{ id: 'acme', members: [ada], assistants: [{ id: 'bot', name: 'Bot', memberIds: ['ada'] }] }];
    write({ organisations });
    const { of, entries } = readSeed(file);
    expect(of).toBe('beginnings');
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
  const producer = (id: string, commands = ['create'], orgId = 'acme') => ({ orgId, kind: 'producer' as const, id, value: { id, name: id, commands, assistantIds: [] as string[] } });
  const named = (...entries: WantedProducer[]): Seed => ({ of: 'producers', entries });
  const producers = async (orgId = 'acme') => told(await store.read(orgId, ['producer']));

  it('sets what the file names, and withdraws what it names no longer', async () => {
    await fill(store, named(producer('crm'), producer('erp'), producer('erp', ['create'], 'globex')));
    expect([await producers(), await producers('globex')]).toEqual([['crm:1', 'erp:1'], ['erp:1']]);
    await fill(store, named(producer('erp', ['create', 'assign'])));
    expect([await producers(), await producers('globex')]).toEqual([['erp:2'], []]);
    expect(await store.find('acme/producer/crm')).toMatchObject({ revision: 2, deleted: true });
    await fill(store, named(producer('erp', ['create', 'assign'])));
    expect(await producers()).toEqual(['erp:2']);
  });

  it('lets a system that is to be told, and of which it says no time, begin when it first said so', async () => {
    const { value, ...erp } = producer('erp');
    const asking = named({ ...erp, value: { ...value, outbound: { notes: false } } });
    const outbound = async () => ((await store.find('acme/producer/erp'))!.value as Producer).outbound;
    await Promise.all([1, 2, 3].map(() => fill(store, asking)));
    const first = await outbound();
    expect(first).toEqual({ from: expect.stringMatching(/^\d{4}-.+Z$/), notes: false });
    await fill(store, asking);
    expect([await outbound(), await producers()]).toEqual([first, ['erp:1']]);
    await fill(store, named(producer('erp')));
    expect(await outbound()).toBeUndefined();
    await fill(store, named({ ...erp, value: { ...value, outbound: { from: '2026-01-01T00:00:00.000Z', notes: true } } }));
    expect(await outbound()).toEqual({ from: '2026-01-01T00:00:00.000Z', notes: true });
  });

  it('leaves alone what administrators registered, and puts back what they changed of it', async () => {
    await store.edit(producer('mine'), created(producer('mine').value));
    await fill(store, named(producer('erp'), producer('crm')));
    await store.edit(producer('erp'), changed(producer('erp', ['delete']).value));
    await store.edit(producer('crm'), removed());
    await fill(store, named(producer('erp'), producer('crm')));
    expect(await producers()).toEqual(['crm:3', 'erp:3', 'mine:1']);
    expect(await store.find('acme/producer/erp')).toMatchObject({ value: { commands: ['create'] } });
    await fill(store, named());
    expect(await producers()).toEqual(['mine:1']);
  });

  it('answers from then on for what administrators had registered, once the file names it', async () => {
    await store.edit(producer('erp'), created(producer('erp').value));
    await fill(store, named(producer('erp')));
    expect(await store.list('acme', ['producer'])).toMatchObject([{ isSeeded: true }]);
    await fill(store, named());
    expect(await producers()).toEqual([]);
    await store.edit(producer('erp'), created(producer('erp').value));
    await fill(store, named());
    expect(await producers()).toHaveLength(1);
  });

  it('does it once when several gateways start at once', async () => {
    const systems = (commands: string[]) => Array.from({ length: 10 }, (_, n) => producer(`s${n}`, commands));
    for (const [wanted, revision] of [[systems(['create']), 1], [systems(['assign']), 2], [[], 3]] as const) {
      await Promise.all([1, 2, 3, 4].map(() => fill(storeOf(database), named(...wanted))));
      expect(new Set((await store.unpublished()).map((entry) => entry.revision))).toEqual(new Set([revision]));
    }
  });

  it('is no affair of the file with the people, nor the other way around', async () => {
    await fill(store, named(producer('erp')));
    await fill(store, first(member('ada')));
    await fill(store, named(producer('erp')));
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

describe('several gateways that change one entry at once', () => {
  const others = () => [1, 2, 3, 4].map(() => storeOf(database));
  const identity = (id: string, name: string, issuedAt: number) => ({ orgId: 'acme', id, name, email: `${id}@acme.example`, role: 'member' as const, issuedAt, clientId: undefined });

  it('change it one after the other: every change has a revision of its own', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `name ${n}`);
    const edits = await Promise.all(names.map((name, n) => others()[n % 4]!.edit(assistant('bot', []), put({ id: 'bot', name, memberIds: [] }))));
    expect(edits.map(({ revision }) => revision).sort((one, other) => one - other)).toEqual(names.map((_, n) => n + 1));
    const last = edits.findIndex(({ revision }) => revision === names.length);
    expect(await store.find('acme/assistant/bot')).toMatchObject({ revision: names.length, value: { name: names[last] } });
  });

  it('put somebody down once who signs in at all of them', async () => {
    await Promise.all(others().map((one) => one.edit(member('eve'), signedIn(identity('eve', 'Eve', 1_000)))));
    expect(told(await store.unpublished())).toEqual(['eve:1']);
    await Promise.all(others().map((one) => one.edit(member('eve'), signedIn(identity('eve', 'Eva', 2_000)))));
    expect(told(await store.unpublished())).toEqual(['eve:2']);
  });

  it('let the first of two decide that go by the same revision', async () => {
    await set(assistant('bot', []));
    const value = (name: string) => ({ id: 'bot', name, memberIds: [] });
    const edits = await Promise.all(others().map((one, n) => one.edit(assistant('bot', []), put(value(`${n}`), { isThere: true, revision: 1 }))));
    expect(edits.map(({ outcome, revision }) => `${outcome} ${revision}`).sort()).toEqual(['done 2', 'stale 2', 'stale 2', 'stale 2']);
  });
});

describe('somebody who was taken out', () => {
  it('is taken off their assistants by whoever publishes it, when the one who took them out died between the two', async () => {
    const { records, producer } = topic();
    await set(member('ada'), member('grace'), assistant('bot', ['ada', 'grace']), assistant('other', ['grace']), { ...assistant('bot', ['ada']), orgId: 'globex' });
    await store.edit(member('ada'), left(Date.now()));
    const heir = storeOf(database);
    await new DirectoryPublisher(heir, producer, Date.now, async (entry) => settleDeparture(heir, entry).then(() => true)).publishWaiting();
    expect(await store.find('acme/assistant/bot')).toMatchObject({ revision: 2, value: { memberIds: ['grace'] } });
    expect(await store.find('acme/assistant/other')).toMatchObject({ revision: 1 });
    expect(await store.find('globex/assistant/bot')).toMatchObject({ revision: 1, value: { memberIds: ['ada'] } });
    expect(told(records)).toContain('ada:2:deleted');
  });

  it('keeps the assistants that they were put on after they came back', async () => {
    await set(member('ada'), assistant('bot', ['ada']));
    const gone = { ...(await store.find('acme/member/ada'))!, deleted: true };
    await settleDeparture(store, gone);
    expect(await store.find('acme/assistant/bot')).toMatchObject({ value: { memberIds: ['ada'] } });
  });
});

describe('publishing what is stored', () => {
  it('tells of an entry when it is ready, and keeps no other waiting for it', async () => {
    const { records, producer } = topic();
    await set(member('ada'), member('grace'));
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
    await set(member('ada'), assistant('bot', []));
    state.isUp = false;
    await expect(new DirectoryPublisher(store, producer).publishWaiting()).rejects.toThrow();
    state.isUp = true;
    await new DirectoryPublisher(storeOf(database), producer).publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'bot:1']);
    await new DirectoryPublisher(store, producer).publishWaiting();
    expect(records).toHaveLength(2);
    await store.edit(assistant('bot', []), removed());
    await new DirectoryPublisher(store, producer).publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'bot:1', 'bot:2:deleted']);
  });

  it('may die between topic and mark: it says the same again', async () => {
    const { records, producer } = topic();
    await set(member('ada'));
    const dying = { find: store.find.bind(store), unpublished: store.unpublished.bind(store), changedSince: store.changedSince.bind(store), markPublished: () => Promise.reject(new Error('dead')) };
    await expect(new DirectoryPublisher(dying, producer).publishWaiting()).rejects.toThrow('dead');
    await new DirectoryPublisher(store, producer).publishWaiting();
    expect(told(records)).toEqual(['ada:1', 'ada:1']);
  });

  it('says recent changes again when it starts: an older revision may have come behind them', async () => {
    const { records, producer } = topic();
    await set(member('ada'));
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
    await set(assistant('bot', ['ada']));
    expect((await directory.roster('acme')).assistantIdsOf('ada')).toEqual(['bot']);
    await set(assistant('bot', []));
    now.ms += 2_000;
    expect((await directory.roster('acme')).assistantIdsOf('ada')).toEqual([]);
  });
});
