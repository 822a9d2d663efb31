import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { DirectoryEntry } from '#contracts';
import { DirectoryCopy } from '../../apps/ticket-command/src/inbound/directory-copy.js';
import { Client, clientOf } from '../support/client.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const [org, twin, fresh] = ['dir', 'twin', 'fresh'].map((name) => `${name}-${randomUUID().slice(0, 8)}`) as [string, string, string];
let stack: Stack;
let tail: TopicTail;
/** Between each gateway and the broker. */
let proxies: CuttingProxy[];
let ada: Client;
let grace: Client;
let linus: Client;
let stranger: Client;

beforeAll(async () => {
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, ['directory.v1']);
  stack = await startStack({ directory: { organisations: [organisation(org), organisation(twin)] }, instances: { gateway: 0 } });
  proxies = await Promise.all([CuttingProxy.toKafka(stack.kafkaBrokers), CuttingProxy.toKafka(stack.kafkaBrokers)]);
  for (const { port } of proxies) await stack.add('gateway', { env: { KAFKA_BROKERS: `127.0.0.1:${port}` } });
  [ada, grace, linus, stranger] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' }), clientOf(stack, { org, sub: 'linus' }), clientOf(stack, { org: twin, sub: 'ada' })];
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tail?.close(), ...(proxies ?? []).map((proxy) => proxy.close())]);
});

const ids = async (client: Client, path: string, at = 0) => ((await client.send('GET', path, undefined, {}, at)).body['items'] as { id: string }[]).map(({ id }) => id);
/** What a reader of the topic holds that has read everything so far, in the order in which it came. */
function reader(): DirectoryCopy {
  const copy = new DirectoryCopy();
  for (const { value } of tail.records('directory.v1')) copy.take(DirectoryEntry.parse(JSON.parse(String(value))));
  return copy;
}
const told = (orgId: string, kind: string, id: string) =>
  tail.records('directory.v1').filter(({ key }) => String(key) === `${orgId}/${kind}/${id}`).map(({ value }) => DirectoryEntry.parse(JSON.parse(String(value))));
/** Asks until something is true; how long after the beginning it was asked for the last time in vain, ms: an answer may come late on a slow machine. */
async function lastInVain(isTrue: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  let last = 0;
  await eventually(async () => {
    const askedAt = performance.now();
    if (await isTrue()) return true;
    last = askedAt - began;
    return false;
  });
  return last;
}

describe('somebody who signs in', () => {
  it('is a member at every gateway and for every service, and can be assigned', async () => {
    const eve = clientOf(stack, { org, sub: 'eve', name: 'Eve', email: 'eve@example.org', role: 'member' });
    expect((await eve.get('/me')).status).toBe(200);
    await eventually(async () => (await ids(ada, '/members', 1)).includes('eve'));
    const ticket = await ada.ticket({ assistantId: 'billing-bot' });
    const assigned = await ada.send('PUT', `/tickets/${ticket['id']}/assignee`, { type: 'member', id: 'eve' }, {}, 1);
    expect(assigned).toMatchObject({ status: 200, body: { assignee: { type: 'member', id: 'eve', name: 'Eve' } } });
    await eventually(() => reader().roster(org).member('eve')?.email === 'eve@example.org');
    expect(told(org, 'member', 'eve').map(({ revision }) => revision)).toContain(1);
    expect(await ids(stranger, '/members')).not.toContain('eve');
  });

  it('makes a new organisation usable: its administrator finds themself and makes its first assistant', async () => {
    const admin = clientOf(stack, { org: fresh, sub: 'first', name: 'First', email: 'first@example.org', role: 'admin' });
    expect((await admin.get('/members')).body['items']).toEqual([{ id: 'first', name: 'First', email: 'first@example.org', role: 'admin' }]);
    expect((await admin.put('/assistants/first-bot', { name: 'First', memberIds: ['first'] })).status).toBe(201);
    expect(await admin.post('/tickets', { title: 'The first', assistantId: 'first-bot' })).toMatchObject({ status: 201 });
  });
});

describe('whose an assistant is', () => {
  it('decides within 5 s who sees its tickets: in lists, one by one, and on open streams; nobody sees more than that', async () => {
    const [own, hidden, foreign] = [await ada.ticket({ assistantId: 'billing-bot' }), await ada.ticket(), await stranger.ticket({ assistantId: 'billing-bot' })];
    const heard = await Promise.all([EventStream.open(stack.gatewayUrls[0]!, stack.token({ org, sub: 'grace' })), EventStream.open(stack.gatewayUrls[1]!, stack.token({ org, sub: 'linus' }))]);
    const [ofGrace, ofLinus] = heard as [EventStream, EventStream];
    const path = `/tickets/${own['id']}`;
    expect([(await grace.get(path)).status, (await linus.get(path)).status]).toEqual([200, 404]);

    expect((await ada.put('/assistants/billing-bot', { name: 'Billing assistant', memberIds: ['linus'] })).status).toBe(200);
    const sees = async (client: Client, at: number) => {
      const [one, list] = [await client.send('GET', path, undefined, {}, at), await client.send('GET', '/tickets?pageSize=100', undefined, {}, at)];
      return `${one.status} ${(list.body['items'] as { id: string }[]).some(({ id }) => id === own['id'])}`;
    };
    for (const at of [0, 1]) {
      expect(await lastInVain(async () => (await sees(linus, at)) === '200 true')).toBeLessThan(5_000);
      expect(await lastInVain(async () => (await sees(grace, at)) === '404 false')).toBeLessThan(5_000);
    }
    // Open streams look again every second: some time on they tell Linus and not Grace, who hears what comes behind it.
    const heardBy = (stream: EventStream, id: unknown, version: number) => stream.data.some((one: { ticketId: string; version: number }) => one.ticketId === id && one.version === version);
    await eventually(async () => {
      const { version } = (await ada.post(`${path}/comments`, { body: 'Linus hears this' })).body['ticket'] as { version: number };
      const behind = (await ada.post('/tickets', { title: 'Grace hears this', assignee: { type: 'member', id: 'grace' } })).body['id'] as string;
      await eventually(() => heardBy(ofGrace, behind, 1));
      expect([heardBy(ofLinus, own['id'], version), heardBy(ofGrace, own['id'], version)]).toEqual([true, false]);
    }, 120_000);
    for (const client of [grace, linus]) {
      for (const ticket of [hidden, foreign]) expect((await client.get(`/tickets/${ticket['id']}`)).status).toBe(404);
      expect(await ids(client, '/tickets?pageSize=100')).not.toEqual(expect.arrayContaining([foreign['id']]));
    }
    heard.forEach((stream) => stream.close());
    await eventually(() => reader().roster(org).assistantIdsOf('linus').includes('billing-bot'));
  });

  it('is not for members to say', async () => {
    expect(await grace.put('/assistants/billing-bot', { name: 'Mine', memberIds: ['grace'] })).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
    expect((await grace.delete('/assistants/tech-bot')).status).toBe(403);
    expect((await grace.delete('/members/linus')).status).toBe(403);
  });
});

describe('an assistant that is deleted', () => {
  it('lets nobody in by its keys 5 s later; its tickets stay with administrators', async () => {
    const id = `bot-${randomUUID().slice(0, 8)}`;
    await ada.put(`/assistants/${id}`, { name: 'Short-lived', memberIds: ['grace'] });
    const { secret } = await ada.apiKey({ name: 'k', assistantId: id, scopes: ['tickets:read'] });
    const ticket = await ada.ticket({ assistantId: id });
    const agent = new Client(secret as string, stack.gatewayUrls);
    await eventually(async () => (await agent.send('GET', '/me', undefined, {}, 1)).status === 200);
    expect((await ada.delete(`/assistants/${id}`)).status).toBe(204);
    for (const at of [0, 1]) expect(await lastInVain(async () => (await agent.send('GET', '/me', undefined, {}, at)).status === 401)).toBeLessThan(5_000);
    await eventually(async () => (await grace.get(`/tickets/${ticket['id']}`)).status === 404);
    expect(await ada.get(`/tickets/${ticket['id']}`)).toMatchObject({ status: 200, body: { assistantId: id } });
    expect((await ada.post('/tickets', { title: 'x', assistantId: id })).status).toBe(422);
    await eventually(() => told(org, 'assistant', id).some(({ deleted }) => deleted));
    expect(tail.records('directory.v1').filter(({ value }) => value === null)).toEqual([]);
  });
});

async function allUp(): Promise<void> {
  for (const gateway of stack.apps.gateway) if (!gateway.isRunning) gateway.start();
  await Promise.all(stack.apps.gateway.map((gateway) => gateway.untilReady()));
}

/** An assistant that was made by a gateway which did not live to publish it: nothing comes through to the broker until all are dead. */
async function answeredAndUnpublished(): Promise<string> {
  for (const proxy of proxies) proxy.fate = (request) => (request === 'produce' ? 'cut before' : 'pass');
  const id = `bot-${randomUUID().slice(0, 8)}`;
  expect((await ada.put(`/assistants/${id}`, { name: 'Survivor', memberIds: ['linus'] })).status).toBe(201);
  await Promise.all(stack.apps.gateway.map((gateway) => gateway.kill()));
  for (const proxy of proxies) proxy.fate = () => 'pass';
  await tail.readToEnd();
  expect(told(org, 'assistant', id)).toEqual([]);
  return id;
}

describe('what readers of the topic know', () => {
  it('is what was answered, also when every gateway dies between storing and publishing it', async () => {
    const id = await answeredAndUnpublished();
    const heir = await stack.add('gateway'); // another instance than those that died
    await eventually(() => expect(told(org, 'assistant', id)[0]).toMatchObject({ revision: 1, value: { name: 'Survivor', memberIds: ['linus'] } }));
    expect(await (await fetch(`${heir.url}/v1/assistants/${id}`, { headers: { authorization: `Bearer ${stack.token({ org, sub: 'ada' })}` } })).json()).toEqual({ id, name: 'Survivor', memberIds: ['linus'] });
    await allUp();
  });

  it('is not changed by an older revision that comes late', async () => {
    const path = '/assistants/tech-bot';
    await ada.put(path, { name: 'Second', memberIds: ['linus'] });
    await ada.put(path, { name: 'Third', memberIds: [] });
    const newest = await eventually(() => told(org, 'assistant', 'tech-bot').find(({ value }) => value.name === 'Third') ?? false);
    const late = { ...newest, revision: newest.revision - 1, value: { ...newest.value, name: 'Late', memberIds: ['grace'] } };
    const producer = new Kafka({ brokers: stack.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const [record] = tail.records('directory.v1').filter(({ key }) => String(key) === `${org}/assistant/tech-bot`);
    await producer.send({ topic: 'directory.v1', messages: [{ key: record!.key!, value: JSON.stringify(late), headers: record!.headers! }] });
    await producer.disconnect();
    await eventually(() => told(org, 'assistant', 'tech-bot').some(({ value }) => value.name === 'Late'));
    expect(reader().roster(org).assistants.find(({ id }) => id === 'tech-bot')).toMatchObject({ name: 'Third', memberIds: [] });
    expect((await grace.get('/me')).body['assistantIds']).not.toContain('tech-bot');
  });
});

describe('the file with the first members and assistants', () => {
  it('undoes nothing that administrators changed when a gateway starts again', async () => {
    await ada.put('/assistants/billing-bot', { name: 'Theirs', memberIds: [] });
    await ada.delete('/assistants/tech-bot');
    await stack.apps.gateway[0]!.restart();
    expect((await ada.get('/assistants/billing-bot')).body).toEqual({ id: 'billing-bot', name: 'Theirs', memberIds: [] });
    expect((await ada.get('/assistants/tech-bot')).status).toBe(404);
  });
});
