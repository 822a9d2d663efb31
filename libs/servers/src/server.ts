/** Where a server comes from: named by the operator, a container, or processes of this machine. */
export type Kind = 'named' | 'docker' | 'local';

/** An open server, whatever its kind. */
export interface Server {
  readonly kind: Kind;
  /** What clients connect to: a `host:port` list for Kafka, a connection string for MongoDB. */
  readonly address: string;
  /** Process ids that run now; empty for a named server. */
  readonly pids: number[];
  stop(): Promise<void>;
}

/** What a server finds around it: its place on the disk, and who hears of what it does. */
export interface Surroundings {
  /** Absolute folder for data, logs, configuration and notes about processes. */
  readonly dataDir: string;
  readonly memory: 'small' | 'normal';
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal;
  /** One short line about a part, while it is being done. */
  readonly say: (part: string, text: string) => void;
  readonly onChange: () => void;
  /** A server died: what happened and what is done about it, and what the server said last. */
  readonly onDeath: (text: string, lastWords: readonly string[]) => void;
}

/** There is no Kafka or no MongoDB to be had. The message names what is in the way and all ways to go on; print it and exit 1. */
export class ServersUnavailable extends Error {
  override readonly name = 'ServersUnavailable';

  constructor(reason: string, waysOn: readonly string[] = waysToServers(), options?: ErrorOptions) {
    super([reason, 'Ways to go on:', ...waysOn.map((way) => `  - ${way}`)].join('\n'), options);
  }
}

/** The three ways to servers; `local` says what would open the third one on this machine. */
export function waysToServers(local = everythingLocal): string[] {
  return [
    'name running servers in KAFKA_BROKERS (host:port,…) and MONGODB_URI (mongodb://…), one or both',
    'start a Docker engine that this user may use (`docker info` must answer); the servers then run as containers',
    `let them run as local processes: ${local}`,
  ];
}

const everythingLocal =
  'install Java 17 or later and Maven for Kafka, and either mongod 7 or 8, or (on Debian, as root) Go and mmdebstrap for FerretDB on PostgreSQL';
