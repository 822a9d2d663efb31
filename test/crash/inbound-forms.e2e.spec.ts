import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import kafkajs, { type Message } from 'kafkajs';
import { inboundResultsTopic, inboundTopic, type InboundResult } from '#contracts';
import { RecordProducer } from '#messaging';
import { everyCodec } from '../../libs/messaging/testing/outside-codecs.js';
import { eventually } from '../support/eventually.js';
import { freshSystem, grantOf, inboundRecord, makeSystemTopics, publishEntries, systemTopics } from '../support/inbound.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';
import { anyServers } from '../support/write-path.js';

Logger.overrideLogger(false);

const { CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs;

const codecs = { 'no codec': CompressionTypes.None, ...everyCodec() };
const partitioners = { 'the usual partitioner': Partitioners.DefaultPartitioner, 'an older one': Partitioners.LegacyPartitioner, 'one of its own': () => () => 11 };

/** The ways in which a record may be written, each by its key and what CloudEvents makes of it. */
const forms: Record<string, (record: Written) => Message> = {
  'binary mode': ({ id, headers, value }) => ({ key: id, headers, value }),
  'binary mode without a key, and headers that say the least': ({ id, headers, value }) => ({ key: null, headers: { ce_id: id, ce_type: headers['ce_type']! }, value }),
  'structured mode': ({ id, headers, value }) => ({ key: id, ...structured({ id, type: headers['ce_type'], data: JSON.parse(value) as unknown }) }),
  'structured mode with its data as base64': ({ id, headers, value }) => ({ key: null, ...structured({ id, type: headers['ce_type'], data_base64: Buffer.from(value).toString('base64') }) }),
};

interface Written {
  id: string;
  headers: Record<string, string>;
  value: string;
}

const structured = (event: object) => ({ headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' }, value: JSON.stringify({ specversion: '1.0', source: '/outside', ...event }) });

describe('records of outside systems', () => {
  const system = freshSystem('forms');
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let stack: Stack;
  let producer: RecordProducer;
  let tail: TopicTail;

  beforeAll(async () => {
    servers = await anyServers();
    stack = await startStack({ servers, instances: { gateway: 0, 'query-search': 0 } });
    producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'outside' });
    await Promise.all([producer.connect(), makeSystemTopics(servers.kafkaBrokers, system)]);
    tail = await TopicTail.open(servers.kafkaBrokers, systemTopics(system));
    await publishEntries(producer, grantOf(system, 'acme'));
  });

  afterAll(async () => {
    await Promise.all([producer.close(), tail.close(), stack.stop()]);
    await servers.stop();
  });

  /** Writes a new ticket in every form with every codec; answers the ids of the records. */
  async function write(name: string, createPartitioner: (typeof partitioners)[keyof typeof partitioners]): Promise<string[]> {
    const outside = new Kafka({ brokers: servers.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer({ createPartitioner });
    await outside.connect();
    const ids: string[] = [];
    for (const [codec, compression] of Object.entries(codecs)) {
      const messages = Object.entries(forms).map(([form, written]) => {
        const id = `${form}, ${codec}, ${name}`;
        ids.push(id);
        const { headers, value } = inboundRecord(system, { verb: 'create', externalId: id, data: { title: id } }, id);
        return written({ id, headers, value: String(value) });
      });
      await outside.send({ topic: inboundTopic(system), compression, messages });
    }
    await outside.disconnect();
    return ids;
  }

  it('are done in either mode of CloudEvents, with any key, codec and partitioner', async () => {
    const ids: string[] = [];
    for (const [name, createPartitioner] of Object.entries(partitioners)) ids.push(...(await write(name, createPartitioner)));
    const told = await eventually(async () => {
      await tail.readToEnd();
      const results = new Map(tail.records(inboundResultsTopic(system)).map(({ key, value }) => [key!.toString(), JSON.parse(value!.toString()) as InboundResult]));
      return results.size === ids.length && results;
    });
    expect(ids.map((id) => [id, told.get(id)?.outcome, told.get(id)?.ticket?.title])).toEqual(ids.map((id) => [id, 'applied', id]));
    expect(new Set(tail.records(inboundTopic(system)).map(({ partition }) => partition)).size).toBeGreaterThan(3);
  });
});
