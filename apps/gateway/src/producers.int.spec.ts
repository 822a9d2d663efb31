import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Producers, type DirectoryEntry, type RegisteredProducer } from '#contracts';
import { createTopics, listTopics, readSystemTopics, type TopicSpec } from '#messaging';
import { openDatabase, type Database } from '#persistence';
import { Client, expectProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { storeOf } from '../testing/stores.js';
import { created } from './directory.policy.js';
import type { DirectoryStore } from './directory.store.js';
import { clusterAt, SystemTopics } from './system-topics.js';

const brokers = process.env['KAFKA_BROKERS']!.split(',');
const path = '/v1/producers';
const under = (key: string) => ({ 'idempotency-key': key });

let database: Database;
let store: DirectoryStore;
let ofSystem: (system: string) => TopicSpec[];
/** Away: asked for topics, it does not answer. */
const cluster = { isAway: false, ...clusterAt(brokers) };
const gateways: TestGateway[] = [];
let ada: Client;
let elsewhere: Client;
let hank: Client;
let grace: Client;

beforeAll(async () => {
  database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `test_producers_${randomUUID().slice(0, 8)}` });
  store = storeOf(database);
  await store.prepare();
  await store.edit({ orgId: 'acme', kind: 'assistant', id: 'billing-bot' }, created({ id: 'billing-bot', name: 'Billing', memberIds: [] }));
  ofSystem = await readSystemTopics('deploy/topics.yaml', 'local');
  const guarded = { names: cluster.names, create: (topics: readonly TopicSpec[]) => (cluster.isAway ? Promise.reject(new Error('away')) : cluster.create(topics)) };
  for (const _ of [1, 2]) {
    const gatewayStore = storeOf(database);
    gateways.push(await openGateway({ store: gatewayStore, systems: new SystemTopics(guarded, ofSystem, gatewayStore) }));
  }
  const [first, second] = gateways as [TestGateway, TestGateway];
  ada = new Client(first.url, await first.token());
  elsewhere = new Client(second.url, await second.token());
  hank = new Client(first.url, await first.token({ claims: { org: 'globex', sub: 'hank' } }));
  grace = new Client(first.url, await first.token({ claims: { sub: 'grace', role: 'member' } }));
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  await database.db.dropDatabase();
  await database.close();
});

const freshSystem = () => `s-${randomUUID().slice(0, 8)}`;
const grant = { name: 'ERP', commands: ['create', 'add-comment'], assistantIds: ['billing-bot'] };
const put = (client: Client, id: string, body: object, headers: Record<string, string> = {}) => client.call(`${path}/${id}`, { method: 'PUT', body: JSON.stringify(body), headers });
const remove = (client: Client, id: string, headers: Record<string, string> = {}) => client.call(`${path}/${id}`, { method: 'DELETE', headers });
const listed = async (client: Client) => Producers.parse(await (await client.call(path)).json()).items.map(({ id }) => id);

async function registered(client = ada, id = freshSystem(), headers: Record<string, string> = {}) {
  const answer = await client.post(path, { id, ...grant, ...(client === hank && { assistantIds: [] }) }, headers);
  expect([answer.status, await answer.clone().text()]).toEqual([201, expect.any(String)]);
  return { answer, body: (await answer.json()) as RegisteredProducer };
}

describe('registering an outside system', () => {
  it('answers with its topics, which are there by then, and can be read back at any gateway', async () => {
    const id = freshSystem();
    const { answer, body } = await registered(ada, id);
    const topics = { inbound: `ticket.inbound.${id}.v1`, results: `ticket.inbound-results.${id}.v1` };
    expect(body).toEqual({ id, ...grant, topics, managedBy: 'administrators' });
    expect(answer.headers.get('location')).toBe(`${path}/${id}`);
    expect(await listTopics(brokers)).toEqual(expect.arrayContaining([topics.inbound, topics.results, `dead.ticket-command.ticket.inbound.${id}.v1`]));
    expect(await (await elsewhere.call(`${path}/${id}`)).json()).toEqual(body);
  });

  it('stands in the directory with its revision, to be published', async () => {
    const { body } = await registered();
    await put(ada, body.id, { ...grant, name: 'New' });
    await put(ada, body.id, { ...grant, name: 'New' });
    const entry = (await store.find(`acme/producer/${body.id}`)) as DirectoryEntry;
    expect(entry).toEqual({ orgId: 'acme', kind: 'producer', id: body.id, revision: 2, deleted: false, value: { id: body.id, ...grant, name: 'New' } });
    expect(await store.unpublished()).toContainEqual(entry);
  });

  it('that is registered is refused, also when two do it at once', async () => {
    const id = freshSystem();
    const answers = await Promise.all([ada, elsewhere, ada, elsewhere].map((client) => client.post(path, { id, ...grant })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    await expectProblem(ada.post(path, { id, ...grant }), 409, 'already-exists');
  });

  it.each<[string, object, string, string]>([
    ['an assistant that there is not', { assistantIds: ['billing-bot', 'nobody-bot'] }, '/assistantIds/1', 'unknown_assistant'],
    ['an assistant twice', { assistantIds: ['billing-bot', 'billing-bot'] }, '/assistantIds/1', 'duplicate'],
    ['no command', { commands: [] }, '/commands', 'too_small'],
    ['an unknown command', { commands: ['erase'] }, '/commands/0', 'invalid_value'],
    ['no name', { name: ' ' }, '/name', 'too_small'],
    ['an id that topics cannot have', { id: 'a/b' }, '/id', 'invalid_format'],
    ['an id of 65 characters', { id: 'x'.repeat(65) }, '/id', 'invalid_format'],
    ['an id of our own', { id: 'Ticket-Command' }, '/id', 'reserved'],
    ['an unknown field', { orgId: 'globex' }, '/orgId', 'unknown_field'],
    ['a time that is none', { outbound: { from: '2026-13-01' } }, '/outbound/from', 'invalid_format'],
    ['a time without a zone', { outbound: { from: '2026-01-01T00:00:00' } }, '/outbound/from', 'invalid_format'],
    ['notes that are no answer', { outbound: { notes: 'yes' } }, '/outbound/notes', 'invalid_type'],
    ['an unknown field of what it is told', { outbound: { since: '2026-01-01T00:00:00Z' } }, '/outbound/since', 'unknown_field'],
  ])('with %s is refused, and makes no topic', async (_, fields, pointer, code) => {
    const id = freshSystem();
    const { errors } = await expectProblem(ada.post(path, { id, ...grant, ...fields }), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer, code }]);
    expect((await listTopics(brokers)).filter((name) => name.includes(id))).toEqual([]);
  });

  it('of the longest name works', async () => {
    const id = `L${randomUUID()}`.padEnd(64, '-');
    expect((await registered(ada, id)).body.id).toBe(id);
  });

  it('is refused when Kafka would take its topics for those of another one', async () => {
    const id = freshSystem();
    await registered(hank, `${id}.eu`);
    const { errors } = await expectProblem(ada.post(path, { id: `${id}_eu`, ...grant }), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer: '/id', code: 'name_taken' }]);
    expect(await listed(ada)).not.toContain(`${id}_eu`);
  });

  it('while Kafka is away registers nothing, and a retry under the same key does', async () => {
    const [id, key] = [freshSystem(), under(randomUUID())];
    cluster.isAway = true;
    const refused = ada.post(path, { id, ...grant }, key);
    await expectProblem(refused, 503, 'dependency-unavailable').finally(() => (cluster.isAway = false));
    expect(await listed(ada)).not.toContain(id);
    const { answer } = await registered(ada, id, key);
    expect(answer.headers.get('idempotency-replayed')).toBeNull();
  });
});

describe('an outside system that asks to be told', () => {
  const value = async (id: string) => ((await store.find(`acme/producer/${id}`)) as Extract<DirectoryEntry, { kind: 'producer' }>).value.outbound;

  it('is told since the time that it chose, in UTC, on a topic that is there by then', async () => {
    const id = freshSystem();
    const answer = await ada.post(path, { id, ...grant, outbound: { from: '2026-01-01T01:00:00+01:00', notes: true } });
    const body = (await answer.json()) as RegisteredProducer;
    expect([answer.status, body.outbound, body.topics.outbound]).toEqual([201, { from: '2026-01-01T00:00:00.000Z', notes: true }, `ticket.outbound.${id}.v1`]);
    expect(await listTopics(brokers)).toContain(body.topics.outbound);
    expect(await value(id)).toEqual(body.outbound);
    expect(await (await elsewhere.call(`${path}/${id}`)).json()).toEqual(body);
  });

  it('and names no time is told since it asked, however often it is changed, until it asks no longer', async () => {
    const [id, began] = [freshSystem(), new Date().toISOString()];
    await registered(ada, id);
    expect(await value(id)).toBeUndefined();
    const key = under(randomUUID());
    const first = (await (await put(ada, id, { ...grant, outbound: {} }, key)).json()) as RegisteredProducer;
    expect(first.outbound!.from >= began).toBe(true);
    const renamed = (await (await put(elsewhere, id, { ...grant, name: 'New', outbound: { notes: true } })).json()) as RegisteredProducer;
    expect(renamed.outbound).toEqual({ from: first.outbound!.from, notes: true });
    const silent = (await (await put(ada, id, grant)).json()) as RegisteredProducer;
    expect([silent.outbound, silent.topics.outbound, await value(id)]).toEqual([undefined, undefined, undefined]);
    const again = (await (await put(ada, id, { ...grant, outbound: {} })).json()) as RegisteredProducer;
    expect(again.outbound!.from > first.outbound!.from).toBe(true);
    const repeat = await put(elsewhere, id, { ...grant, outbound: {} }, key);
    expect([repeat.headers.get('idempotency-replayed'), await repeat.json()]).toEqual(['true', first]);
  });
});

describe('a repeat under the same Idempotency-Key', () => {
  it('gets the first answer at any gateway, whatever became of the system', async () => {
    const [id, create, change, end] = [freshSystem(), under(randomUUID()), under(randomUUID()), under(randomUUID())] as const;
    const { body } = await registered(ada, id, create);
    const changed = (await (await put(ada, id, { ...grant, name: 'New' }, change)).json()) as RegisteredProducer;
    expect((await remove(ada, id, end)).status).toBe(204);
    const again = await elsewhere.post(path, { id, ...grant }, create);
    expect([again.status, again.headers.get('idempotency-replayed'), await again.json()]).toEqual([201, 'true', body]);
    expect(await (await put(elsewhere, id, { ...grant, name: 'New' }, change)).json()).toEqual(changed);
    const ended = await remove(elsewhere, id, end);
    expect([ended.status, ended.headers.get('idempotency-replayed')]).toEqual([204, 'true']);
    expect(await listed(ada)).not.toContain(id);
  });

  it('with another body is refused', async () => {
    const [id, key] = [freshSystem(), under(randomUUID())];
    await registered(ada, id, key);
    await expectProblem(ada.post(path, { id, ...grant, name: 'Other' }, key), 422, 'idempotency-key-reused');
    await expectProblem(elsewhere.post(path, { id: freshSystem(), ...grant }, key), 422, 'idempotency-key-reused');
    await put(ada, id, grant, key);
    await expectProblem(put(ada, id, { ...grant, name: 'Other' }, key), 422, 'idempotency-key-reused');
  });

  it('keeps its refusal when what stood in its way is gone', async () => {
    const [id, key] = [freshSystem(), under(randomUUID())];
    await registered(ada, id);
    await expectProblem(ada.post(path, { id, ...grant }, key), 409, 'already-exists');
    await remove(ada, id);
    await expectProblem(elsewhere.post(path, { id, ...grant }, key), 409, 'already-exists');
    await registered(ada, id);
  });

  it('registers once when several come at once', async () => {
    const [id, key] = [freshSystem(), under(randomUUID())];
    const answers = await Promise.all([ada, elsewhere, ada, elsewhere].map((client) => client.post(path, { id, ...grant }, key)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    expect(await store.find(`acme/producer/${id}`)).toMatchObject({ revision: 1 });
  });
});

describe('what an administrator registered', () => {
  it('takes every change of those that come at once, one after the other', async () => {
    const { body } = await registered();
    const names = Array.from({ length: 8 }, (_, n) => `Name ${n}`);
    const answers = await Promise.all(names.map((name, n) => put(n % 2 === 0 ? ada : elsewhere, body.id, { ...grant, name })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(await store.find(`acme/producer/${body.id}`)).toMatchObject({ revision: 1 + names.length });
  });

  it('is theirs alone: another organisation registers the same system for itself', async () => {
    const { body } = await registered();
    await expectProblem(hank.call(`${path}/${body.id}`), 404, 'not-found');
    await expectProblem(put(hank, body.id, { ...grant, assistantIds: [] }), 404, 'not-found');
    await expectProblem(remove(hank, body.id), 404, 'not-found');
    await registered(hank, body.id);
    await remove(hank, body.id);
    expect(await (await ada.call(`${path}/${body.id}`)).json()).toEqual(body);
    expect(await listed(hank)).not.toContain(body.id);
  });

  it('is no business of members', async () => {
    const { body } = await registered();
    for (const answer of [grace.call(path), grace.call(`${path}/${body.id}`), grace.post(path, { id: freshSystem(), ...grant }), put(grace, body.id, grant), remove(grace, body.id)]) {
      await expectProblem(answer, 403, 'forbidden');
    }
  });

  it('can be ended and registered again, and is listed by id', async () => {
    const { body } = await registered();
    await remove(ada, body.id);
    await expectProblem(ada.call(`${path}/${body.id}`), 404, 'not-found');
    await expectProblem(remove(ada, body.id), 404, 'not-found');
    await expectProblem(put(ada, body.id, grant), 404, 'not-found');
    await registered(ada, body.id);
    expect(await store.find(`acme/producer/${body.id}`)).toMatchObject({ revision: 3, deleted: false });
    const ids = await listed(ada);
    expect(ids).toEqual([...ids].sort());
  });

  it('is no more than 100 systems', async () => {
    const org = `full-${randomUUID().slice(0, 8)}`;
    const [first] = gateways as [TestGateway];
    const full = new Client(first.url, await first.token({ claims: { org } }));
    const value = { id: 's', name: 's', commands: ['create'], assistantIds: [] };
    for (let n = 0; n < 100; n++) await store.edit({ orgId: org, kind: 'producer', id: `s${n}` }, created({ ...value, id: `s${n}` }));
    const { errors } = await expectProblem(full.post(path, { ...grant, id: freshSystem(), assistantIds: [] }), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer: '', code: 'too_many' }]);
    await expectProblem(full.post(path, { ...grant, id: 's7', assistantIds: [] }), 409, 'already-exists');
  });

  it('is no more than 300 with those that it deleted, whose topics stay; one of them may come back', async () => {
    const org = `ever-${randomUUID().slice(0, 8)}`;
    const [first] = gateways as [TestGateway];
    const full = new Client(first.url, await first.token({ claims: { org } }));
    const value = { name: 's', commands: ['create'], assistantIds: [] };
    const ids = Array.from({ length: 300 }, (_, n) => `${org}-${n}`);
    for (const id of ids) await store.edit({ orgId: org, kind: 'producer', id }, created({ ...value, id }));
    for (const id of ids.slice(1)) expect((await remove(full, id)).status).toBe(204);
    const { errors } = await expectProblem(full.post(path, { ...grant, id: freshSystem(), assistantIds: [] }), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer: '/id', code: 'too_many_ever' }]);
    expect((await full.post(path, { ...value, id: ids[7] })).status).toBe(201);
  });
});

describe('the topics of systems', () => {
  it('are made again where they are missing, and a name that is taken keeps no other waiting', async () => {
    const [taken, id] = [freshSystem(), freshSystem()];
    await createTopics(brokers, ofSystem(`a.${taken}`));
    const systems = new SystemTopics(clusterAt(brokers), ofSystem, { idsOf: async () => [`a_${taken}`, id] });
    await systems.repair();
    expect(await listTopics(brokers)).toEqual(expect.arrayContaining(ofSystem(id).map(({ name }) => name)));
  });

  it('are made once when two gateways repair at once', async () => {
    const id = freshSystem();
    const systems = [1, 2].map(() => new SystemTopics(clusterAt(brokers), ofSystem, { idsOf: async () => [id] }));
    await Promise.all(systems.map((one) => one.repair()));
    await Promise.all(systems.map((one) => one.make(id)));
  });
});
