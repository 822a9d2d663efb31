import { rm } from 'node:fs/promises';
import { openKafka } from '../src/kafka.js';
import { temporaryFolder } from '../src/temporary-folder.js';

/** A broker that asks who its clients are and what they may do, as one of a real installation does. */
export interface GuardedKafka {
  /** Where clients sign in (SASL, mechanism PLAIN). */
  readonly brokers: string;
  /** Where nobody is asked, and everything is allowed: for a spec's own hands. */
  readonly open: string;
  stop(): Promise<void>;
}

/** Opens one with users by name and password. `admin`, if among them, may do everything; the others what they are granted. */
export async function openGuardedKafka(users: Readonly<Record<string, string>>): Promise<GuardedKafka> {
  const dataDir = temporaryFolder('guarded-kafka');
  const quiet = { say: () => undefined, onChange: () => undefined, onDeath: () => undefined };
  const properties = (ports: readonly number[]) => guarded(users, ports);
  const server = await openKafka({ dataDir, memory: 'small', signal: new AbortController().signal, ...quiet }, { morePorts: 1, properties });
  const stop = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { brokers: `127.0.0.1:${server.ports[2]}`, open: server.address, stop };
}

const guarded = (users: Readonly<Record<string, string>>, [port, controller, guardedPort]: readonly number[]) => `
listeners=BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller},GUARDED://127.0.0.1:${guardedPort}
advertised.listeners=BROKER://127.0.0.1:${port},GUARDED://127.0.0.1:${guardedPort}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.guarded.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${Object.entries(users).map(([name, password]) => `user_${name}="${password}"`).join(' ')};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS;User:admin
`;
