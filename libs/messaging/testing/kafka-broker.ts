import { randomUUID } from 'node:crypto';
import { connectKafka } from '../src/kafka.js';
import { RecordProducer } from '../src/producer.js';
import type { IncomingRecord, OutgoingRecord } from '../src/record.js';
import type { RoundHandler } from '../src/settle.js';
import { roundTransportId, type SubscribeOptions } from '../src/subscribe.js';
import { ensureTopics } from '../src/topics.js';
import { RoundTransport, type RoundTransportOptions } from '../src/transport.js';
import { eventually, type BrokerUnderTest, type Subscribed } from './broker.suite.js';

/** The broker that the test driver started. */
export const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter(Boolean);
if (brokers.length === 0) throw new Error('KAFKA_BROKERS is not set: the test driver (npm test) starts a broker and sets it');

/** A topic name that no other test uses. */
export const freshName = (): string => `spec.${randomUUID().slice(0, 13)}`;

export async function createTopics(names: string[], partitions = 12, config: Record<string, string> = {}): Promise<void> {
  await ensureTopics(brokers, names.map((name) => ({ name, partitions, replication: 1, config })));
}

/** A transport with one subscription, listening. Not yet ready. */
export async function listen(
  settings: Partial<RoundTransportOptions>,
  options: SubscribeOptions,
  handle: RoundHandler,
): Promise<RoundTransport> {
  const transport = new RoundTransport({ brokers, service: 'spec', ...settings });
  if (transport.transportId !== roundTransportId) throw new Error('handlers would not be bound');
  transport.addHandler({ topic: options.topic, group: options.group }, handle as never, true, { subscription: options });
  await new Promise<void>((resolve, reject) => void transport.listen((error) => (error ? reject(error as Error) : resolve())));
  return transport;
}

export const untilReady = (transport: RoundTransport): Promise<void> =>
  eventually(() => {
    const { ready, detail } = transport.health();
    if (!ready) throw new Error(detail);
  });

/** Everything a topic holds, read by a consumer of its own. */
export async function readTopic(topic: string): Promise<IncomingRecord[]> {
  const admin = connectKafka({ brokers, clientId: 'spec-read' }).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const missing = new Set(ends.filter(({ high, low }) => Number(high) > Number(low)).map(({ partition }) => partition));
  const found: IncomingRecord[] = [];
  if (missing.size === 0) return found;
  const transport = await listen({}, { topic, group: 'spec.read', perInstance: true, startFrom: 'beginning' }, async ({ records }) => {
    found.push(...records);
    for (const { partition, offset } of records) {
      if (Number(offset) + 1 >= Number(ends.find((end) => end.partition === partition)!.high)) missing.delete(partition);
    }
  });
  await eventually(() => {
    if (missing.size > 0) throw new Error(`${topic}: partitions ${[...missing]} are not read`);
  });
  await transport.close();
  return found;
}

/** Kafka as the suite wants it. */
export function kafkaBroker(): BrokerUnderTest {
  const producer = new RecordProducer({ brokers, clientId: 'spec' });
  const connected = producer.connect();
  connected.catch(() => undefined);
  let isStoreHealthy = true;
  return {
    newTopic: async () => {
      const topic = freshName();
      await createTopics([topic, `dead.spec.${topic}`]);
      return topic;
    },
    send: async (records: OutgoingRecord[]) => {
      await connected;
      await producer.send(records);
    },
    subscribe: async (service, options, handle): Promise<Subscribed> => {
      const transport = await listen({ service, isStoreHealthy: async () => isStoreHealthy }, options, handle);
      await untilReady(transport);
      return { health: () => transport.health(), stop: () => transport.close() };
    },
    read: readTopic,
    setStoreHealthy: (isHealthy) => (isStoreHealthy = isHealthy),
    close: () => producer.close(),
  };
}
