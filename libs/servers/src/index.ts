import { takeDataFolder } from './data-folder.js';
import { dockerAnswers } from './docker.js';
import type { Kind, Server, Surroundings } from './server.js';
import { openFirst, sources } from './sources.js';

export { Backoff } from './backoff.js';
export { takeDataFolder } from './data-folder.js';
export { holderOf, tryHold, type Hold } from './hold.js';
export { look } from './identity.js';
export { lastWords, momentsMs, type Said } from './last-words.js';
export { type Command, type Ending, leash, type Leashed } from './leash.js';
export { endLeftovers } from './leftovers.js';
export { freePort, isFree, nextFreePort } from './ports.js';
export { ServersUnavailable } from './server.js';
export { temporaryFolder } from './temporary-folder.js';

/** What to open, where, and who hears of it. */
export interface ServerOptions {
  /** Folder for data, logs, configuration and notes about processes; made when it is not there. One run at a time. */
  dataDir: string;
  /** Where KAFKA_BROKERS and MONGODB_URI are looked up; default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** One short line per part and step: what it does while it does it. */
  progress?: (line: { part: string; text: string }) => void;
  /** The process ids changed, because a server was started again. */
  onChange?: () => void;
  /** A server of ours died. It is started again without anybody's help. */
  onDeath?: (death: { server: 'kafka' | 'mongodb'; text: string; lastWords: readonly string[] }) => void;
  /** Smaller heaps and buffers, for tests; default: normal. */
  memory?: 'small' | 'normal';
  /** Gives up a start under way: `openServers` then rejects with its reason when everything has ended. Of no effect afterwards. */
  signal?: AbortSignal;
}

/** A server as others see it; `pids` is true after restarts too, and empty for a named server. */
export interface RunningServer {
  readonly pids: number[];
  readonly kind: Kind;
}

/** Kafka and MongoDB, open until stopped. */
export interface RunningServers {
  /** `host:port`, several separated by commas. */
  readonly kafkaBrokers: string;
  readonly mongodbUri: string;
  readonly servers: { readonly kafka: RunningServer; readonly mongodb: RunningServer };
  /** Ends what was started, within 20 s; named servers are left alone. */
  stop(): Promise<void>;
}

/**
 * Opens Kafka and MongoDB, each from the first source there is: named in the environment, a Docker engine, local processes that are
 * installed once per user. Servers of ours stay up until `stop`: one that dies is started again at the same address with its data. When
 * this process dies, however it does, they end within 10 s.
 *
 * Throws `ServersUnavailable` when a server cannot be had, or the data folder is in use; nothing runs then.
 */
export async function openServers(options: ServerOptions): Promise<RunningServers> {
  const starting = new AbortController();
  const giveUp = () => starting.abort(options.signal?.reason);
  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', giveUp);
  const say = (part: string, text: string) => options.progress?.({ part, text });
  const folder = await takeDataFolder(options.dataDir, say);
  try {
    const around = surroundings(options, folder.path, say, starting.signal);
    return running(await openBoth(options.env ?? process.env, around, starting), folder.release);
  } catch (error) {
    await folder.release();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
}

type Which = 'kafka' | 'mongodb';

function surroundings(options: ServerOptions, dataDir: string, say: Surroundings['say'], signal: AbortSignal): Record<Which, Surroundings> {
  const shared = { dataDir, memory: options.memory ?? 'normal', say, signal, onChange: () => options.onChange?.() };
  const of = (server: Which): Surroundings => ({ ...shared, onDeath: (text, lastWords) => options.onDeath?.({ server, text, lastWords }) });
  return { kafka: of('kafka'), mongodb: of('mongodb') };
}

/** Both or none: when one cannot be opened the start of the other is given up, and what it started has ended before this throws. */
async function openBoth(env: NodeJS.ProcessEnv, around: Record<Which, Surroundings>, starting: AbortController): Promise<Record<Which, Server>> {
  let answer: Promise<boolean> | undefined;
  const machine = { env, docker: () => (answer ??= dockerAnswers(starting.signal)) };
  const kafka = openFirst(sources.kafka, machine, around.kafka);
  const mongodb = openFirst(sources.mongodb, machine, around.mongodb);
  try {
    const [openKafka, openMongodb] = await Promise.all([kafka, mongodb]);
    starting.signal.throwIfAborted();
    return { kafka: openKafka, mongodb: openMongodb };
  } catch (error) {
    starting.abort(error);
    const opened = await Promise.allSettled([kafka, mongodb]);
    await Promise.all(opened.flatMap((server) => (server.status === 'fulfilled' ? [server.value.stop()] : [])));
    throw starting.signal.reason;
  }
}

function running({ kafka, mongodb }: Record<Which, Server>, release: () => Promise<void>): RunningServers {
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await Promise.all([kafka.stop(), mongodb.stop()]);
    await release();
  };
  return {
    kafkaBrokers: kafka.address,
    mongodbUri: mongodb.address,
    servers: { kafka, mongodb },
    stop: () => (stopped ??= stop()),
  };
}
