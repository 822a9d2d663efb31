import { kafkaAnswers } from './kafka-answers.js';
import { mongodbAnswers } from './mongodb-answers.js';
import { type Server, ServersUnavailable, type Surroundings, waysToServers } from './server.js';

const patienceMs = 5_000;

/** The Kafka that the operator named as `host:port,…`. Throws `ServersUnavailable` when none of its brokers answers. */
export async function openNamedKafka(address: string, around: Surroundings): Promise<Server> {
  around.say('kafka', `uses ${address}, named in KAFKA_BROKERS`);
  const brokers = address.split(',').map((broker) => broker.trim());
  await Promise.any(brokers.map((broker) => kafkaAnswers(broker, patienceMs))).catch((error: AggregateError) => {
    throw silent(`KAFKA_BROKERS names ${address}`, error.errors[0] as Error);
  });
  return named(address);
}

/** The MongoDB that the operator named by its connection string. Throws `ServersUnavailable` when it does not answer. */
export async function openNamedMongodb(address: string, around: Surroundings): Promise<Server> {
  const shown = address.replace(/\/\/[^@/]*@/, '//…@'); // Name and password are nobody's business.
  around.say('mongodb', `uses ${shown}, named in MONGODB_URI`);
  await mongodbAnswers(address, patienceMs).catch((error: Error) => {
    throw silent(`MONGODB_URI names ${shown}`, error);
  });
  return named(address);
}

function silent(what: string, cause: Error): ServersUnavailable {
  const [, ...others] = waysToServers();
  const ways = ['start that server, or correct the variable', ...others.map((way) => `unset the variable and ${way}`)];
  return new ServersUnavailable(`${what}, but it does not answer: ${cause.message}`, ways, { cause });
}

function named(address: string): Server {
  return { kind: 'named', address, pids: [], stop: async () => undefined };
}
