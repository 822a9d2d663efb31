import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { java, maven, run } from '../src/machine.js';
import { install, type Software } from '../src/software.js';
import { startOnFreePorts } from '../src/started.js';
import { temporaryFolder } from '../src/temporary-folder.js';
import { makeKeys, storePassword } from './keys.js';

/** An IMAP server with a mailbox of somebody's, as others run it. */
export interface MailServer {
  readonly host: string;
  /** Encrypted from the first byte; and without encryption. */
  readonly port: number;
  readonly plainPort: number;
  /** Its key, and the certificate of who vouches for it (PEM). */
  readonly key: { pfx: Buffer; passphrase: string };
  readonly caFile: string;
  stop(): Promise<void>;
}

const version = '2.1.8';

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>deskstream</groupId><artifactId>mail-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>com.icegreen</groupId><artifactId>greenmail-standalone</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;

const software: Software = {
  name: 'greenmail',
  version,
  tools: [java, maven],
  proof: [`jars/greenmail-standalone-${version}.jar`],
  build: async (folder) => {
    await writeFile(join(folder, 'pom.xml'), pom);
    await run({ command: ['mvn', '-B', '-q', 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'jars')}`, '-DincludeScope=runtime'], cwd: folder }, new AbortController().signal);
  },
};

/** Opens one (GreenMail) with users by name and password. Its mails lie in memory. */
export async function openMailServer(users: Readonly<Record<string, string>>): Promise<MailServer> {
  const dataDir = temporaryFolder('mail-server');
  const around = { dataDir, memory: 'small', signal: new AbortController().signal, say: () => undefined, onChange: () => undefined, onDeath: () => undefined } as const;
  const [jars, keys] = [join(await install(software, around), 'jars/*'), makeKeys(dataDir)];
  const settings = { 'tls.keystore.file': keys.store, 'tls.keystore.password': storePassword, 'users': Object.entries(users).map(([name, password]) => `${name}:${password}`).join(',') };
  const started = await startOnFreePorts(3, around, (port, plainPort, api) => {
    const places = { 'imaps.hostname': host, 'imaps.port': port, 'imap.hostname': host, 'imap.port': plainPort, 'api.hostname': host, 'api.port': api };
    const options = Object.entries({ ...settings, ...places }).map(([name, value]) => `-Dgreenmail.${name}=${value}`);
    const command: [string, ...string[]] = ['java', '-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...options, '-cp', jars, 'com.icegreen.greenmail.standalone.GreenMailStandaloneRunner'];
    return { name: 'mail-server', command, mark: keys.store, answers: () => letsIn(plainPort!, users), readyWithinMs: 120_000 };
  });
  const stop = async () => {
    await started.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const key = { pfx: await readFile(keys.store), passphrase: storePassword };
  return { host, port: started.ports[0]!, plainPort: started.ports[1]!, key, caFile: keys.certificate, stop };
}

const host = '127.0.0.1';

/** It listens before it knows its users. @throws while it does not let them all in */
async function letsIn(port: number, users: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, password] of Object.entries(users)) {
    const socket = connect(port, host).setTimeout(2_000, () => socket.destroy());
    try {
      socket.write(`a LOGIN ${name} ${password}\r\nb LOGOUT\r\n`);
      if (!/^a OK/m.test(await text(socket))) throw new Error(`${name} is not known yet`);
    } finally {
      socket.destroy();
    }
  }
}
