import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaAnswers } from './kafka-answers.js';
import { java, maven, needTools, run } from './machine.js';
import { onFreePorts } from './ports.js';
import type { Server, Surroundings } from './server.js';
import { type Program, ServerProcess } from './server-process.js';
import { install, type Software } from './software.js';

const version = '4.3.0';

/** One Kafka broker, which is its own controller, as a process of this machine on 127.0.0.1. Its topics are made by their owners. */
export async function openLocalKafka(around: Surroundings): Promise<Server> {
  await needTools('kafka', [java, maven], around);
  const jars = join(await install(software(around), around), 'jars');
  const folder = join(around.dataDir, 'kafka');
  await mkdir(folder, { recursive: true });
  const { value: kafka, ports } = await onFreePorts(2, async ([broker, controller]) => {
    const settings = { broker: broker!, controller: controller!, data: join(folder, 'data') };
    await configure(folder, jars, settings, around);
    around.say('kafka', `starts on port ${broker}`);
    const process = new ServerProcess(program(folder, jars, settings.broker, around), around);
    await process.start();
    return { process, port: settings.broker };
  });
  around.say('kafka', 'is ready');
  return {
    kind: 'local',
    address: `127.0.0.1:${kafka.port}`,
    get pids() {
      return kafka.process.pids;
    },
    stop: async () => {
      await kafka.process.stop();
      await ports.release();
    },
  };
}

function software(around: Surroundings): Software {
  return {
    name: 'kafka',
    version,
    proof: [`jars/kafka_2.13-${version}.jar`],
    build: async (folder) => {
      await writeFile(join(folder, 'pom.xml'), pom);
      const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'jars')}`, '-DincludeScope=runtime'];
      await run({ command: ['mvn', '-B', '-q', ...copy], cwd: folder }, around.signal);
    },
  };
}

/** 4.4.0 does not resolve: it names a dependency that is not published. */
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>deskstream</groupId><artifactId>kafka-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
`;

interface Settings {
  readonly broker: number;
  readonly controller: number;
  readonly data: string;
}

/** The broker's configuration. Fit for one broker; retention and compaction are the topics' own affair. */
export function serverProperties({ broker, controller, data }: Settings): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
controller.listener.names=CONTROLLER
listeners=BROKER://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=BROKER://127.0.0.1:${broker}
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${data}

# A mistyped topic name is an error, not a new topic.
auto.create.topics.enable=false
# Records of 1 MiB with their headers, keys and batch around them.
message.max.bytes=2097152
replica.fetch.max.bytes=2097152

# One broker: it is the only replica of everything.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Fewer files to open at every start; the default of 50 is for many brokers.
offsets.topic.num.partitions=10
# A group starts with its first member instead of waiting 3 s for a second one.
group.initial.rebalance.delay.ms=0
# Part of the heap from the start; the default of 128 MiB is for millions of keys.
log.cleaner.dedupe.buffer.size=16777216
# After an unclean end the logs are checked on both cores.
num.recovery.threads.per.data.dir=2
`;
}

/** Without it log4j reports errors only. */
const log4j = `rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = stdout
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601} %p %m (%c)%n
`;

/** Writes the configuration and gives a new data folder its cluster id. */
async function configure(folder: string, jars: string, settings: Settings, around: Surroundings): Promise<void> {
  const properties = join(folder, 'server.properties');
  await writeFile(properties, serverProperties(settings));
  await writeFile(join(folder, 'log4j2.properties'), log4j);
  const formatted = join(folder, 'formatted');
  if (existsSync(formatted)) return;
  around.say('kafka', 'formats its data folder');
  await rm(settings.data, { recursive: true, force: true }); // A format that was cut off; nothing was ever stored in it.
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId(), '--config', properties];
  await run({ command: ['java', '-cp', join(jars, '*'), ...format] }, around.signal);
  await writeFile(formatted, '');
}

/** 16 random bytes as Kafka writes them; a leading dash would be taken for an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

function program(folder: string, jars: string, port: number, { memory }: Surroundings): Program {
  const heap = memory === 'small' ? ['-Xms96m', '-Xmx256m'] : ['-Xms256m', '-Xmx512m'];
  const properties = join(folder, 'server.properties');
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`;
  return {
    name: 'kafka',
    command: ['java', ...heap, logging, '-cp', join(jars, '*'), 'kafka.Kafka', properties],
    cwd: folder,
    mark: properties,
    answers: () => kafkaAnswers(`127.0.0.1:${port}`),
    readyWithinMs: 60_000,
    patienceMs: 10_000,
  };
}
