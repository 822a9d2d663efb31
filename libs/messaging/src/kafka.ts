/** The way into Kafka: clients with our settings, on the mended kafkajs. The only door to it in this library. */
import * as net from 'node:net';
import * as tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import type * as Kafkajs from 'kafkajs';
import { KafkaAccess } from '#observability';
import { kafkajs } from './kafkajs-mended.js';

/** The default socket leaves Nagle's algorithm on, which holds back small requests until the last answer is acknowledged. */
const socketFactory: Kafkajs.ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const name = net.isIP(host) ? {} : { servername: host };
  const socket = ssl ? tls.connect({ host, port, ...name, ...ssl }, onConnect) : net.connect({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  return socket;
};

/** Who we are to the brokers, as the environment says it: every client of this process has the same. */
function access(): Pick<Kafkajs.KafkaConfig, 'sasl' | 'ssl'> {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: username = '', KAFKA_PASSWORD: password = '', KAFKA_SSL: isEncrypted, KAFKA_SSL_CA_FILE: file } = KafkaAccess.parse(process.env);
  return {
    ...(mechanism !== undefined && { sasl: { mechanism, username, password } as Kafkajs.SASLOptions }),
    ...(isEncrypted === 'true' && { ssl: file === undefined ? true : { ca: readFileSync(file) } }),
  };
}

export interface ClientOptions {
  readonly brokers: string[];
  readonly clientId: string;
  readonly requestTimeout?: number;
  readonly retry?: Kafkajs.RetryOptions;
}

/** Named in full: NODE_ENV=test silently changes the defaults of kafkajs. */
export const patience = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5, factor: 0.2, multiplier: 2 } as const;

/** A client of the cluster. */
export const connectKafka = ({ brokers, clientId, requestTimeout = 10_000, retry = {} }: ClientOptions): Kafkajs.Kafka =>
  new kafkajs.Kafka({
    ...access(),
    brokers,
    clientId,
    requestTimeout,
    connectionTimeout: 3_000,
    retry: { ...patience, ...retry },
    socketFactory,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: quietLog,
  });

/** Its log in ours: nothing it reports is the end of anything, so no more than a warning, and each text once in 5 s. */
const quietLog: Kafkajs.logCreator = () => {
  const logger = new Logger('kafkajs');
  const told = new Map<string, number>();
  return ({ namespace, log: { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...details } }) => {
    const now = Date.now();
    if ((told.get(message) ?? 0) > now - 5_000) return;
    if (told.size > 200) told.clear();
    told.set(message, now);
    logger.warn({ msg: message, namespace, ...details });
  };
};

/** Does something as an administrator of the cluster, with a connection for just that. @throws when no broker answers within seconds */
export async function asAdmin<T>(brokers: string[], work: (admin: Kafkajs.Admin) => Promise<T>): Promise<T> {
  const retry = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 };
  const admin = connectKafka({ brokers, clientId: 'deskstream-admin', retry }).admin({ retry });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

export const { logLevel } = kafkajs;

/** Kafka's numbers for what an access rule is made of. */
export const acl = {
  operations: kafkajs.AclOperationTypes,
  patterns: kafkajs.ResourcePatternTypes,
  permissions: kafkajs.AclPermissionTypes,
  resources: kafkajs.AclResourceTypes,
};
export type { Admin, Consumer, EachBatchPayload, Kafka, Producer } from 'kafkajs';

export { clusterOf, createPartitioner, partitionOf, type Cluster } from './kafkajs-mended.js';

/** Asks the cluster whether it answers, at most once a second, over a connection of its own. */
export class BrokerProbe {
  #admin: Promise<Kafkajs.Admin> | undefined;
  #asked: Promise<boolean> | undefined;
  #askedAt = 0;

  constructor(private readonly options: ClientOptions) {}

  isHealthy(): Promise<boolean> {
    if (this.#asked === undefined || Date.now() - this.#askedAt > 1_000) {
      this.#askedAt = Date.now();
      this.#asked = this.ask();
    }
    return this.#asked;
  }

  private async ask(): Promise<boolean> {
    try {
      await (await this.admin()).describeCluster();
      return true;
    } catch {
      await this.close();
      return false;
    }
  }

  /** For the few questions that only an admin client can ask. Who asks at once shares one: another one would never be closed. */
  admin(): Promise<Kafkajs.Admin> {
    const known = this.#admin;
    if (known) return known;
    const opening = this.open();
    this.#admin = opening;
    opening.catch(() => {
      if (this.#admin === opening) this.#admin = undefined;
    });
    return opening;
  }

  async close(): Promise<void> {
    const opening = this.#admin;
    this.#admin = undefined;
    const admin = await opening?.catch(() => undefined);
    await admin?.disconnect().catch(() => undefined);
  }

  private async open(): Promise<Kafkajs.Admin> {
    const retry = { retries: 0, initialRetryTime: 50, maxRetryTime: 50 };
    const admin = connectKafka({ ...this.options, requestTimeout: 2_000, retry }).admin({ retry });
    await admin.connect();
    return admin;
  }
}
