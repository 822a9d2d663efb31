import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { brokers, createTopics, readTopic } from '../../../messaging/testing/kafka-broker.js';
import { OutsideSystem } from './outside-system.js';
import { topicsOf, type InboundRecord } from './record.js';

const kafka = new Kafka({ clientId: 'spec-outside-system', brokers, logLevel: logLevel.NOTHING });
const orgId = 'acme';
const create: InboundRecord = { type: 'create', orgId, externalId: 'order-1', data: { title: 'Broken' } };

let system: string;
let product: Producer;
let desk: OutsideSystem;
beforeAll(async () => {
  product = kafka.producer();
  await product.connect();
});
afterAll(() => product.disconnect());
beforeEach(async () => {
  system = `spec-${randomUUID().slice(0, 8)}`;
  await createTopics(Object.values(topicsOf(system)));
  desk = await OutsideSystem.connect({ kafka, system, timeoutMs: 60_000 });
});
afterEach(() => desk.close());

/** Says what became of records, as the product does. */
const tell = (...told: (readonly [id: string, result: object | string])[]) =>
  product.send({ topic: topicsOf(system).results, messages: told.map(([key, result]) => ({ key, value: typeof result === 'string' ? result : JSON.stringify(result) })) });
const applied = { outcome: 'applied', actor: { type: 'system', id: 'x', name: 'X' }, version: 1 };

const published = () => readTopic(topicsOf(system).inbound);

describe('an outside system', () => {
  it('publishes CloudEvents, records of one ticket in order in one partition', async () => {
    const all: InboundRecord[] = [create, { type: 'change-status', orgId, externalId: 'order-1', expectedVersion: 1, data: { to: 'pending' } }, { type: 'delete', orgId, ticketId: randomUUID(), data: {} }];
    const began = new Date().toISOString();
    const sent = all.map((record, index) => desk.send(record, { id: `r${index}` }));
    await tell(...all.map((_, index) => [`r${index}`, applied] as const));
    await Promise.all(sent);
    const records = await published();
    expect(records.map(({ headers }) => headers['ce_id']).sort()).toEqual(['r0', 'r1', 'r2']);
    const [first, second] = records.filter(({ key }) => key?.toString() === 'acme/order-1');
    expect(second!.partition).toBe(first!.partition);
    expect(first!.headers).toMatchObject({ ce_specversion: '1.0', ce_id: 'r0', ce_type: 'ticket.create.v1', ce_orgid: orgId, 'content-type': 'application/json' });
    expect(first!.headers['ce_time']! >= began).toBe(true);
    expect(JSON.parse(String(first!.value))).toEqual({ orgId, externalId: 'order-1', data: { title: 'Broken' } });
    expect(second!.headers).toMatchObject({ ce_id: 'r1', ce_type: 'ticket.change-status.v1' });
    expect(JSON.parse(String(second!.value))).toEqual({ orgId, externalId: 'order-1', expectedVersion: 1, data: { to: 'pending' } });
  });

  it('is told that it is not registered where it has no topics', async () => {
    await expect(OutsideSystem.connect({ kafka, system: `not-${system}` })).rejects.toThrow(`the system not-${system} is not registered`);
  });

  it('is told what became of each, refusals too', async () => {
    const sent = Promise.all([desk.send(create, { id: 'good' }), desk.send(create, { id: 'bad' })]);
    await tell(['bad', { ...applied, outcome: 'rejected', problem: { type: '/problems/already-exists', title: 'x', status: 409 } }], ['good', { ...applied, duplicate: true }]);
    expect(await sent).toMatchObject([{ id: 'good', outcome: 'applied', duplicate: true, version: 1 }, { id: 'bad', outcome: 'rejected', problem: { status: 409 } }]);
  });

  it('hears the outcome of what another process of it sent under the same id, and nothing of before its time', async () => {
    await tell(['same', { ...applied, version: 7 }]);
    const late = await OutsideSystem.connect({ kafka, system, timeoutMs: 60_000 });
    const sent = [late.send(create, { id: 'same' }), late.send(create, { id: 'same' }), desk.send(create, { id: 'same' })];
    await tell(['same', { ...applied, version: 8 }]);
    expect(await Promise.all(sent)).toMatchObject([{ version: 8 }, { version: 8 }, { version: 8 }]);
    await late.close();
  });

  it('does not wait for ever for what nobody answers', async () => {
    const hasty = await OutsideSystem.connect({ kafka, system, timeoutMs: 500 });
    await expect(hasty.send(create, { id: 'unheard' })).rejects.toMatchObject({ name: 'DeskstreamNoAnswer', idempotencyKey: 'unheard' });
    await hasty.close();
  });

  it('passes over what no outcome can be read of', async () => {
    const sent = desk.send(create, { id: 'a' });
    await tell(['a', 'not json'], ['a', 'null'], ['a', { outcome: 3 }], ['b', applied], ['a', { ...applied, version: 3 }]);
    expect(await sent).toMatchObject({ version: 3 });
  });

  it('sends as many as there are in few requests', async () => {
    const told: Promise<unknown>[] = [];
    let requests = 0;
    const counting = new Kafka({ clientId: 'spec-counting', brokers, logLevel: logLevel.NOTHING });
    const producer = counting.producer();
    producer.on(producer.events.REQUEST, ({ payload: { apiName } }) => (requests += Number(apiName === 'Produce')));
    counting.producer = () => producer;
    const busy = await OutsideSystem.connect({ kafka: counting, system, timeoutMs: 60_000 });
    for (let index = 0; index < 1_200; index++) told.push(busy.send({ ...create, externalId: `order-${index}` }, { id: `n${index}` }));
    await tell(...told.map((_, index) => [`n${index}`, applied] as const));
    expect(await Promise.all(told)).toHaveLength(1_200);
    await busy.close();
    expect(await published()).toHaveLength(1_200);
    expect(requests).toBeLessThan(12);
  });

  it('ends the wait when told to, and says so', async () => {
    const leave = new AbortController();
    const sent = desk.send(create, { id: 'a', signal: leave.signal });
    leave.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    await expect(desk.send(create, { signal: leave.signal })).rejects.toThrow('enough');
    const last = desk.send(create, { id: 'b' });
    const [, outcome] = await Promise.all([desk.close(), last.catch((error: unknown) => error)]);
    expect(outcome).toMatchObject({ name: 'DeskstreamNoAnswer', idempotencyKey: 'b' });
    expect((await published()).map(({ headers }) => headers['ce_id'])).toEqual(expect.arrayContaining(['b']));
    await expect(desk.send(create)).rejects.toMatchObject({ name: 'DeskstreamNoAnswer' });
  });

  it('names the record that could not be published', async () => {
    const record: InboundRecord = { ...create, data: { title: 'x'.repeat(3_000_000) } };
    await expect(desk.send(record, { id: 'huge' })).rejects.toMatchObject({ name: 'DeskstreamNoAnswer', idempotencyKey: 'huge', message: expect.stringContaining('huge') });
    const sent = desk.send(create, { id: 'next' });
    await tell(['next', applied]);
    expect(await sent).toMatchObject({ id: 'next' });
  });

  it('does not connect where its topics are not', async () => {
    await expect(OutsideSystem.connect({ kafka, system: 'nobody' })).rejects.toThrow();
  });
});
