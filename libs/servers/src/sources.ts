import { kafkaImage, mongodbImage, openInDocker } from './docker.js';
import { openLocalKafka } from './kafka.js';
import { openLocalMongodb } from './mongodb.js';
import { openNamedKafka, openNamedMongodb } from './named.js';
import type { Server, Surroundings } from './server.js';

/** The ways to one server, the preferred one first. */
export interface Sources {
  /** Environment variable in which the operator names a running one. */
  readonly variable: string;
  readonly named: (address: string, around: Surroundings) => Promise<Server>;
  readonly docker: (around: Surroundings) => Promise<Server>;
  readonly local: (around: Surroundings) => Promise<Server>;
}

export const sources: Record<'kafka' | 'mongodb', Sources> = {
  kafka: {
    variable: 'KAFKA_BROKERS',
    named: openNamedKafka,
    docker: (around) => openInDocker(kafkaImage, around),
    local: openLocalKafka,
  },
  mongodb: {
    variable: 'MONGODB_URI',
    named: openNamedMongodb,
    docker: (around) => openInDocker(mongodbImage, around),
    local: openLocalMongodb,
  },
};

/** Opens a server by the first way that is open. The Docker engine is only asked where nothing is named. */
export async function openFirst(
  ways: Sources,
  { env, docker }: { env: NodeJS.ProcessEnv; docker: () => Promise<boolean> },
  around: Surroundings,
): Promise<Server> {
  const address = env[ways.variable]?.trim();
  if (address) return ways.named(address, around);
  return (await docker()) ? ways.docker(around) : ways.local(around);
}
