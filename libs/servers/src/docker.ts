import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaAnswers } from './kafka-answers.js';
import { onPath, run } from './machine.js';
import { mongodbAddress, mongodbAnswers } from './mongodb-answers.js';
import { type Server, ServersUnavailable, type Surroundings, waysToServers } from './server.js';
import type { Program } from './server-process.js';
import { serverOf, startOnFreePorts } from './started.js';

/** A server as a container of its official image. */
interface Image {
  readonly server: 'kafka' | 'mongodb';
  readonly image: string;
  /** The port it listens on inside. */
  readonly port: number;
  /** The folder of its data inside. */
  readonly data: string;
  readonly env: (port: number) => Record<string, string>;
  readonly args: (memory: Surroundings['memory']) => readonly string[];
  readonly address: (port: number) => string;
  readonly answers: (address: string) => Promise<void>;
}

export const kafkaImage: Image = {
  server: 'kafka',
  image: 'apache/kafka:4.3.0',
  port: 9092,
  data: '/var/lib/kafka/data',
  // Clients outside reach it at the published port, the broker reaches itself inside. For the reasons of the rest see `serverProperties`.
  env: (port) => ({
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: 'OUTSIDE://:9092,INSIDE://localhost:19092,CONTROLLER://localhost:9093',
    KAFKA_ADVERTISED_LISTENERS: `OUTSIDE://127.0.0.1:${port},INSIDE://localhost:19092`,
    KAFKA_INTER_BROKER_LISTENER_NAME: 'INSIDE',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'OUTSIDE:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_LOG_DIRS: '/var/lib/kafka/data',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_MESSAGE_MAX_BYTES: '2097152',
    KAFKA_REPLICA_FETCH_MAX_BYTES: '2097152',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '10',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_BROKER_SESSION_TIMEOUT_MS: '1500',
    KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '300',
  }),
  args: () => [],
  address: (port) => `127.0.0.1:${port}`,
  answers: kafkaAnswers,
};

export const mongodbImage: Image = {
  server: 'mongodb',
  image: 'mongo:8',
  port: 27017,
  data: '/data/db',
  env: () => ({}),
  args: (memory) => ['--bind_ip_all', '--wiredTigerCacheSizeGB', memory === 'small' ? '0.25' : '1', '--quiet'],
  address: mongodbAddress,
  answers: mongodbAnswers,
};

/** Whether a Docker engine answers this user within 3 s. */
export async function dockerAnswers(signal: AbortSignal): Promise<boolean> {
  if (!onPath('docker')) return false;
  const soon = AbortSignal.any([signal, AbortSignal.timeout(3_000)]);
  const answers = await run({ command: ['docker', 'info', '--format', '{{.ServerVersion}}'] }, soon).then(() => true, () => false);
  signal.throwIfAborted();
  return answers;
}

/** The server as a container that is published on 127.0.0.1 and removed with us. Its data stays in a volume that belongs to the data folder. */
export async function openInDocker(what: Image, around: Surroundings): Promise<Server> {
  await pull(what, around);
  await forgetOldVolume(what, around);
  const container = await startOnFreePorts(1, around, (port = 0) => containerProgram(what, port, around));
  around.say(what.server, 'is ready');
  return serverOf('docker', what.address(container.ports[0] ?? 0), container);
}

async function pull({ server, image }: Image, { say, signal }: Surroundings): Promise<void> {
  if (await run({ command: ['docker', 'image', 'inspect', image] }, signal).then(() => true, () => false)) return;
  say(server, `pulls ${image}`);
  await run({ command: ['docker', 'pull', '--quiet', image] }, signal).catch((error: Error) => {
    throw new ServersUnavailable(`${server}: ${error.message}`, waysToServers(), { cause: error });
  });
}

/** A wiped data folder means wiped data, in the volume too. */
async function forgetOldVolume({ server }: Image, { dataDir, signal }: Surroundings): Promise<void> {
  const marker = join(dataDir, `${server}.volume`);
  if (existsSync(marker)) return;
  const { container, volume } = namesIn(server, dataDir);
  await run({ command: ['sh', '-c', `docker rm --force ${container}; docker volume rm --force ${volume}`] }, signal);
  writeFileSync(marker, `${volume}\n`);
}

/** One container and one volume per data folder: what a killed run left is found by name. */
function namesIn(server: string, dataDir: string): { container: string; volume: string } {
  const name = `deskstream-${server}-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`;
  return { container: name, volume: name };
}

/** Docker's own client in the foreground: it passes signals on to the container and ends when the container does. */
export function containerProgram(what: Image, port: number, { dataDir, memory, signal }: Surroundings): Program {
  const { container, volume } = namesIn(what.server, dataDir);
  const options = [
    ...['--rm', '--name', container, '--label', 'deskstream', '--label', `deskstream.data=${dataDir}`],
    ...['--publish', `127.0.0.1:${port}:${what.port}`, '--volume', `${volume}:${what.data}`],
    ...Object.entries(what.env(port)).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ];
  // A container of this name may be left over, or still being removed after its death.
  const replace = `docker rm --force ${container} >/dev/null 2>&1; exec docker "$@"`;
  return {
    name: what.server,
    command: ['sh', '-c', replace, 'docker', 'run', ...options, what.image, ...what.args(memory)],
    mark: container,
    finally: `docker rm --force ${container}`,
    answers: () => what.answers(what.address(port)),
    readyWithinMs: 120_000,
    patienceMs: 8_000,
    pids: () => pidOf(container, signal),
  };
}

/** The container's first process, as the engine's machine counts; none when it is not there any more. */
async function pidOf(container: string, signal: AbortSignal): Promise<number[]> {
  const said = await run({ command: ['docker', 'inspect', '--format', '{{.State.Pid}}', container] }, signal).catch(() => '');
  return [Number(said)].filter((pid) => pid > 0);
}
