import { rm } from 'node:fs/promises';
import { openKafka } from '../src/kafka.js';
import { temporaryFolder } from '../src/temporary-folder.js';
import { makeKeys, storePassword, type Keys } from './keys.js';

/** A broker that asks who its clients are and what they may do, as one of a real installation does. */
export interface GuardedKafka {
  /** Where clients sign in (SASL, mechanism PLAIN). */
  readonly brokers: string;
  /** The same encrypted, and by SCRAM; and the certificate of who vouches for it (PEM). */
  readonly encrypted: string;
  readonly caFile: string;
  /** Where nobody is asked, and everything is allowed: for a spec's own hands. */
  readonly open: string;
  stop(): Promise<void>;
}

/** Opens one with users by name and password. `admin`, if among them, may do everything; the others what they are granted. */
export async function openGuardedKafka(users: Readonly<Record<string, string>>): Promise<GuardedKafka> {
  const dataDir = temporaryFolder('guarded-kafka');
  const quiet = { say: () => undefined, onChange: () => undefined, onDeath: () => undefined };
  const keys = makeKeys(dataDir);
  const properties = (ports: readonly number[]) => guarded(users, ports) + encrypted(keys);
  const server = await openKafka({ dataDir, memory: 'small', signal: new AbortController().signal, ...quiet }, { morePorts: 2, properties, users });
  const stop = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { brokers: `127.0.0.1:${server.ports[2]}`, encrypted: `127.0.0.1:${server.ports[3]}`, caFile: keys.certificate, open: server.address, stop };
}

const guarded = (users: Readonly<Record<string, string>>, [port, controller, guardedPort, encryptedPort]: readonly number[]) => `
listeners=BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller},GUARDED://127.0.0.1:${guardedPort},ENCRYPTED://127.0.0.1:${encryptedPort}
advertised.listeners=BROKER://127.0.0.1:${port},GUARDED://127.0.0.1:${guardedPort},ENCRYPTED://127.0.0.1:${encryptedPort}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT,ENCRYPTED:SASL_SSL
listener.name.guarded.sasl.enabled.mechanisms=PLAIN
listener.name.guarded.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${Object.entries(users).map(([name, password]) => `user_${name}="${password}"`).join(' ')};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS;User:admin
`;

const encrypted = ({ store }: Keys) => `
listener.name.encrypted.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.encrypted.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.encrypted.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.encrypted.ssl.keystore.type=PKCS12
listener.name.encrypted.ssl.keystore.location=${store}
listener.name.encrypted.ssl.keystore.password=${storePassword}
listener.name.encrypted.ssl.key.password=${storePassword}
`;
