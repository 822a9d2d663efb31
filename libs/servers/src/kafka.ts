import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jvmFlavour, startBroker, type BrokerOptions } from './kafka-broker.js';
import { java, maven, needTools, onPath, run } from './machine.js';
import type { Server, Surroundings } from './server.js';
import { install, type Software } from './software.js';
import { serverOf } from './started.js';

/** 4.4.0 does not resolve: it names a dependency that is not published. */
const version = '4.3.0';

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>deskstream</groupId><artifactId>kafka-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
`;

/** Kafka as a process of this machine on 127.0.0.1. Its topics are made by their owners. */
export const openLocalKafka = (around: Surroundings): Promise<Server> => openKafka(around);

/** The same with other settings. @param changes more ports and lines of its configuration */
export async function openKafka(around: Surroundings, changes: Pick<BrokerOptions, 'morePorts' | 'properties' | 'users'> = {}): Promise<Server & { ports: readonly number[] }> {
  const software = await install(kafkaSoftware(around), around);
  if (!onPath('java')) await needTools('kafka', [java], around);
  const archive = join(software, classArchive);
  const jvm = existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
  const broker = await startBroker({ software, jvm, patienceMs: 8_000, ...changes }, around);
  around.say('kafka', 'is ready');
  return Object.assign(serverOf('local', `127.0.0.1:${broker.ports[0]}`, broker), { ports: broker.ports });
}

function kafkaSoftware(around: Surroundings): Software {
  const build = async (folder: string) => {
    await writeFile(join(folder, 'pom.xml'), pom);
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'jars')}`, '-DincludeScope=runtime'];
    await run({ command: ['mvn', '-B', '-q', ...copy], cwd: folder }, around.signal);
    await archiveClasses(folder, around);
  };
  return { name: 'kafka', version: `${version}-${jvmFlavour}`, tools: [java, maven], proof: [`jars/kafka_2.13-${version}.jar`], build };
}

const classArchive = 'classes.jsa';

/**
 * Runs the broker once in a scratch folder and keeps its classes as the virtual machine has loaded and checked them: every later start
 * takes half the time and half the work. A virtual machine that cannot use the archive, of another version say, does without.
 */
async function archiveClasses(software: string, around: Surroundings): Promise<void> {
  const scratch = join(software, 'scratch');
  const fresh = join(scratch, classArchive);
  const quiet = { ...around, dataDir: scratch, say: () => undefined, onDeath: () => undefined, onChange: () => undefined };
  const broker = await startBroker({ software, jvm: [`-XX:ArchiveClassesAtExit=${fresh}`], patienceMs: 60_000 }, quiet);
  await broker.stop();
  if (existsSync(fresh)) await rename(fresh, join(software, classArchive));
  await rm(scratch, { recursive: true, force: true });
}
