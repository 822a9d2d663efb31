import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { inboundResultsTopic, topics, type EventValue, type InboundResult } from '#contracts';
import { RecordProducer } from '#messaging';
import type { RunningServers } from '#servers';
import type { AppHandle } from '../support/app-handle.js';
import { eventually } from '../support/eventually.js';
import { watchHealth, type HealthWatch } from '../support/health-watch.js';
import { deadInbound, freshSystem, grantOf, inboundRecord, makeSystemTopics, publishEntries, systemTopics } from '../support/inbound.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';
import { ownServers } from '../support/write-path.js';

Logger.overrideLogger(false);

describe('topics of outside systems that come and go, while the service is ready', () => {
  const neighbour = freshSystem('neighbour');
  let servers: RunningServers;
  let stack: Stack;
  let app: AppHandle;
  let producer: RecordProducer;
  let admin: Admin;
  let watch: HealthWatch;

  beforeAll(async () => {
    servers = await ownServers();
    stack = await startStack({ servers, instances: { gateway: 0, 'query-search': 0 } });
    app = stack.apps['ticket-command'][0]!;
    producer = await connected();
    admin = new Kafka({ brokers: servers.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).admin();
    await Promise.all([admin.connect(), makeSystemTopics(servers.kafkaBrokers, neighbour)]);
    watch = watchHealth(app.managementUrl, ({ kafka }) => kafka !== 'up'); // its store may be too slow to answer at times, whatever becomes of topics
    await publishEntries(producer, grantOf(neighbour, 'acme'));
  });

  afterAll(async () => {
    await watch.stop();
    await Promise.all([producer.close(), admin.disconnect(), stack.stop()]);
    await servers.stop();
  });

  async function connected(): Promise<RecordProducer> {
    const opened = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'outside' });
    await opened.connect();
    return opened;
  }

  /** Sends a new ticket with a producer that never met topics that are gone; returns the record's id. */
  async function create(system: string, ceId: string = randomUUID()): Promise<string> {
    const fresh = await connected();
    await fresh.send([inboundRecord(system, { verb: 'create', data: { title: ceId } }, ceId)]);
    await fresh.close();
    return ceId;
  }

  const tailOf = (...watched: string[]) => TopicTail.open(servers.kafkaBrokers, watched);
  async function told(tail: TopicTail, system: string, ceId: string, timeoutMs = 120_000): Promise<InboundResult> {
    const result = await eventually(async () => {
      await tail.readToEnd();
      return tail.records(inboundResultsTopic(system)).findLast(({ key }) => key!.toString() === ceId) ?? false;
    }, timeoutMs);
    return JSON.parse(result.value!.toString()) as InboundResult;
  }
  /** Whatever systems come and go, whatever their topics lack: the service has been ready all the time. */
  const wasReady = () => expect([watch.ready, watch.live]).toEqual([[200], [200]]);

  /** A record of the neighbour is answered, whatever others wait for. */
  async function neighbourIsServed() {
    const tail = await tailOf(inboundResultsTopic(neighbour));
    expect((await told(tail, neighbour, await create(neighbour))).outcome).toBe('applied');
    await tail.close();
  }

  afterEach(wasReady);

  it('a system whose topics are not all there is waited for, and nobody minds; it is read once they are', async () => {
    const system = freshSystem('early');
    await publishEntries(producer, grantOf(system, 'acme'));
    const [inbound, ...others] = systemTopics(system);
    await makeSystemTopics(servers.kafkaBrokers, system, { names: [inbound!] });
    await create(system);
    await neighbourIsServed();
    await makeSystemTopics(servers.kafkaBrokers, system, { names: others });
    const tail = await TopicTail.open(servers.kafkaBrokers, [inboundResultsTopic(system)]);
    expect((await told(tail, system, await create(system))).outcome).toBe('applied');
    await eventually(async () => expect((await admin.fetchOffsets({ groupId: `ticket-command.inbound.${system}`, topics: [inbound!] }))[0]!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)).toBe(2));
    await tail.close();
  });

  it('a results topic that is gone holds nobody up: commands go on, those of its system too, and a repeat is told once it is there again', async () => {
    const system = freshSystem('untold');
    await makeSystemTopics(servers.kafkaBrokers, system);
    await publishEntries(producer, grantOf(system, 'acme'));
    const before = await tailOf(inboundResultsTopic(system));
    expect((await told(before, system, await create(system))).outcome).toBe('applied');
    await before.close();
    await admin.deleteTopics({ topics: [inboundResultsTopic(system)] });
    const events = await tailOf(topics.events);
    const ceId = await create(system);
    await eventually(async () => {
      await events.readToEnd();
      return events.records(topics.events).some(({ value }) => (JSON.parse(value!.toString()) as EventValue).ticket.title === ceId);
    });
    await neighbourIsServed();
    await makeSystemTopics(servers.kafkaBrokers, system);
    const after = await tailOf(inboundResultsTopic(system));
    await eventually(async () => {
      await create(system, ceId);
      return told(after, system, ceId, 3_000);
    });
    expect(await told(after, system, ceId)).toMatchObject({ outcome: 'applied', duplicate: true, ticket: { title: ceId } });
    await Promise.all([after.close(), events.close()]);
  });

  it('a dead-letter topic that is gone holds up its own system only: the service stays ready, and the record is set aside once it is there again', async () => {
    const system = freshSystem('unburied');
    await makeSystemTopics(servers.kafkaBrokers, system);
    await publishEntries(producer, grantOf(system, 'acme', { commands: ['create'] }));
    const tail = await tailOf(inboundResultsTopic(system));
    expect((await told(tail, system, await create(system))).outcome).toBe('applied');
    await admin.deleteTopics({ topics: [deadInbound(system)] });
    const waiting = app.logs().split('a round waits').length;
    await producer.send([inboundRecord(system, { verb: 'delete', externalId: 'none', data: {} }, 'refused')]);
    await eventually(() => app.logs().split('a round waits').length > waiting + 2);
    await neighbourIsServed();
    await makeSystemTopics(servers.kafkaBrokers, system);
    expect((await told(tail, system, 'refused')).problem?.type).toBe('/problems/producer-not-allowed');
    await tail.close();
  });

  it('a topic that is deleted ends nothing; made anew, it is read again', async () => {
    const system = freshSystem('deleted');
    await makeSystemTopics(servers.kafkaBrokers, system);
    await publishEntries(producer, grantOf(system, 'acme'));
    const before = await tailOf(inboundResultsTopic(system));
    expect((await told(before, system, await create(system))).outcome).toBe('applied');
    await before.close();
    await admin.deleteTopics({ topics: systemTopics(system) });
    await neighbourIsServed();
    await makeSystemTopics(servers.kafkaBrokers, system);
    const after = await tailOf(inboundResultsTopic(system));
    const ceIds: string[] = [];
    await eventually(async () => {
      ceIds.push(await create(system));
      return Promise.any(ceIds.map((ceId) => told(after, system, ceId, 3_000)));
    });
    await neighbourIsServed();
    expect(app.isRunning).toBe(true);
    await after.close();
  });

  it('what a system sends that nobody lets do anything any more is set aside, and never done once it is let in again', async () => {
    const system = freshSystem('withdrawn');
    await makeSystemTopics(servers.kafkaBrokers, system);
    const tail = await tailOf(inboundResultsTopic(system), deadInbound(system));
    await publishEntries(producer, grantOf(system, 'acme'));
    expect((await told(tail, system, await create(system))).outcome).toBe('applied');
    await publishEntries(producer, { ...grantOf(system, 'acme'), deleted: true });
    const refused = await eventually(async () => {
      const ceId = await create(system);
      return (await told(tail, system, ceId)).problem?.type === '/problems/producer-not-allowed' && ceId;
    });
    await publishEntries(producer, grantOf(system, 'acme'));
    await eventually(async () => expect((await told(tail, system, await create(system), 20_000)).outcome).toBe('applied'));
    await tail.readToEnd();
    const outcomes = tail.records(inboundResultsTopic(system)).filter(({ key }) => key!.toString() === refused).map(({ value }) => (JSON.parse(value!.toString()) as InboundResult).problem?.type);
    expect(new Set(outcomes)).toEqual(new Set(['/problems/producer-not-allowed'])); // it may be told again
    await tail.close();
  });
});
