import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaAnswers } from './kafka-answers.js';
import type { Command } from './leash.js';
import { run } from './machine.js';
import type { Surroundings } from './server.js';
import { type Started, startOnFreePorts } from './started.js';

/** How a broker is started: where its software is, and what else to tell the virtual machine. */
export interface BrokerOptions {
  readonly software: string;
  readonly jvm: readonly string[];
  readonly patienceMs: number;
  /** Ports beside the clients' and the controller's (0). */
  readonly morePorts?: number;
  /** More lines of its configuration, which win over ours, when its ports are known. */
  readonly properties?: (ports: readonly number[]) => string;
  /** Users by name and password who may sign in by SCRAM, where its configuration lets them. */
  readonly users?: Readonly<Record<string, string>>;
}

/**
 * How the virtual machine of every broker runs. A broker of one machine is young most of its life, and on two cores the second compiler and the
 * many-threaded collector take from the broker what they give to a long-lived one on a large machine: in its first 4 s it serves 616
 * instead of 352 commands a second, in the next 4 s 1,377 instead of 1,041, later about the same.
 */
const youngJvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** Names these flags: what one virtual machine keeps for the next is of use to those of the same flags only. */
export const jvmFlavour = 'c1-serial';

/** One Kafka broker, which is its own controller, with its data in `kafka` below the data folder. Its first port is the clients'. */
export function startBroker({ software, jvm, patienceMs, morePorts = 0, properties: more = () => '', users = {} }: BrokerOptions, around: Surroundings): Promise<Started> {
  const folder = join(around.dataDir, 'kafka');
  const properties = join(folder, 'server.properties');
  const heap = around.memory === 'small' ? ['-Xms96m', '-Xmx256m'] : ['-Xms256m', '-Xmx512m'];
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`;
  return startOnFreePorts(2 + morePorts, around, async (...ports) => {
    const [port = 0, controller = 0] = ports;
    await prepare(folder, software, { port, controller, data: join(folder, 'data'), more: more(ports), users }, around);
    return {
      ...kafkaJava(software, [...youngJvm, ...heap, ...jvm, logging], ['kafka.Kafka', properties]),
      name: 'kafka',
      mark: properties,
      answers: () => kafkaAnswers(`127.0.0.1:${port}`),
      readyWithinMs: 120_000,
      patienceMs,
    };
  });
}

/** The jars are named relative to their folder, so that an archive of their classes stays valid when the folder is moved. */
function kafkaJava(software: string, jvm: readonly string[], args: readonly string[]): Command {
  return { command: ['java', ...jvm, '-cp', 'jars/*', ...args], cwd: software };
}

/** Writes the configuration and gives a new data folder its cluster id. */
async function prepare(folder: string, software: string, settings: BrokerSettings, { say, signal }: Surroundings): Promise<void> {
  await mkdir(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  await writeFile(properties, serverProperties(settings));
  await writeFile(join(folder, 'log4j2.properties'), log4j);
  const formatted = join(folder, 'formatted');
  if (existsSync(formatted)) return;
  say('kafka', 'formats its data folder');
  await rm(settings.data, { recursive: true, force: true }); // A format that was cut off; nothing was ever stored in it.
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId(), '--config', properties, ...scramOf(settings.users ?? {})];
  await run(kafkaJava(software, youngJvm, format), signal);
  await writeFile(formatted, '');
}

const scramOf = (users: Readonly<Record<string, string>>) =>
  Object.entries(users).flatMap(([name, password]) => ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${name},password=${password}]`]));

/** 16 random bytes as Kafka writes them; a leading dash would be taken for an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

/** Ports of 127.0.0.1, and the folder of the logs. */
export interface BrokerSettings {
  readonly port: number;
  readonly controller: number;
  readonly data: string;
  readonly more?: string;
  readonly users?: Readonly<Record<string, string>>;
}

/** The broker's configuration. Retention and compaction are the topics' own affair. */
export function serverProperties({ port, controller, data, more = '' }: BrokerSettings): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
controller.listener.names=CONTROLLER
listeners=BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=BROKER://127.0.0.1:${port}
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${data}

# A mistyped topic name is an error, not a new topic.
auto.create.topics.enable=false
# Records of 1 MiB with keys, headers and the batch around them.
message.max.bytes=2097152
replica.fetch.max.bytes=2097152

# One broker is the only replica of everything.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Fewer files to open at every start; the default of 50 is for many brokers.
offsets.topic.num.partitions=10
# A group starts with its first member instead of waiting 3 s for a second one.
group.initial.rebalance.delay.ms=0
# After an unclean end the broker is let in again when its old session has run out: 4 s after its death with these, 5 s with 3 s and 500 ms. The
# defaults of 9 s and 2 s are for many machines. On two busy cores (load 8) a heartbeat is never as late.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
# Taken from the heap at once; the default of 128 MiB is for many millions of keys.
log.cleaner.dedupe.buffer.size=16777216
# After an unclean end the logs are checked on both cores.
num.recovery.threads.per.data.dir=2
${more}`;
}

/** Without it log4j reports errors only. Times are UTC: what is told of a death depends on them. */
const log4j = `rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = stdout
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601}{UTC} %p %m (%c)%n
`;
