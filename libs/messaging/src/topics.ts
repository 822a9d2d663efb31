import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { connectKafka, type Admin } from './kafka.js';

/** A topic as it should be. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Kafka's own names and texts, e.g. `retention.ms: '604800000'`. */
  readonly config: Readonly<Record<string, string>>;
}

const Config = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));
const TopicFile = z.strictObject({
  partitions: z.int().positive(),
  profiles: z.record(z.string(), z.strictObject({ replication: z.int().positive(), config: Config.default({}) })),
  topics: z.record(z.string(), z.strictObject({ partitions: z.int().positive().optional(), config: Config.default({}) })),
});

/** The topics of a file like `deploy/topics.yaml` under one of its profiles. @throws what is wrong with the file. */
export async function readTopics(file: string, profile: string): Promise<TopicSpec[]> {
  const { partitions, profiles, topics } = TopicFile.parse(parse(await readFile(file, 'utf8')));
  const chosen = profiles[profile];
  if (chosen === undefined) throw new Error(`${file} has no profile ${profile}, only ${Object.keys(profiles).join(', ')}`);
  return Object.entries(topics).map(([name, topic]) => ({
    name,
    partitions: topic.partitions ?? partitions,
    replication: chosen.replication,
    config: { ...chosen.config, ...topic.config },
  }));
}

/** What `ensureTopics` did, and what it found different but must not touch. */
export interface TopicReport {
  readonly created: string[];
  readonly changed: string[];
  readonly left: string[];
}

const topicResource = 2;

/**
 * Creates the topics that are missing and sets the configuration of those that differ; a task at deployment, not a service's start.
 * Never deletes, and never adds partitions: keys would move, so a topic is drained first, by hand.
 * @throws when the broker does not answer.
 */
export async function ensureTopics(brokers: string[], topics: readonly TopicSpec[]): Promise<TopicReport> {
  const retry = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 };
  const admin = connectKafka({ brokers, clientId: 'deskstream-topics', retry }).admin({ retry });
  await admin.connect();
  try {
    const present = new Set(await admin.listTopics());
    const missing = topics.filter(({ name }) => !present.has(name));
    const created = await create(admin, missing);
    const existing = topics.filter(({ name }) => !created.includes(name));
    return { created, changed: await configure(admin, existing), left: await compare(admin, existing) };
  } finally {
    await admin.disconnect();
  }
}

/** Names of the topics that we made; two tasks at once may both try. */
async function create(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  const created: string[] = [];
  for (const { name, partitions, replication, config } of topics) {
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    const isOurs = await admin.createTopics({
      topics: [{ topic: name, numPartitions: partitions, replicationFactor: replication, configEntries }],
      waitForLeaders: false, // kafkajs gives up when the broker has not yet heard of the topic from its controller
    });
    if (isOurs) created.push(name);
  }
  await untilKnown(
    admin,
    topics.map(({ name }) => name),
  );
  return created;
}

/** Returns when the leader of every partition answers: to know of it is not yet to lead it. @throws after 10 s. */
async function untilKnown(admin: Admin, names: readonly string[]): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (const name of names) {
    while (!(await isLed(admin, name))) {
      if (Date.now() > deadline) throw new Error(`no leader for all partitions of ${name}`);
      await sleep(50);
    }
  }
}

const isLed = (admin: Admin, name: string): Promise<boolean> =>
  admin.fetchTopicOffsets(name).then(
    () => true,
    () => false,
  );

async function configure(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  if (topics.length === 0) return [];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: topicResource, name })),
  });
  const changed: string[] = [];
  const changes = resources.flatMap(({ resourceName, configEntries }) => {
    const wanted = topics.find(({ name }) => name === resourceName)!.config;
    const found = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
    const differing = Object.entries(wanted).filter(([name, value]) => found.get(name) !== value);
    if (differing.length === 0) return [];
    changed.push(...differing.map(([name, value]) => `${resourceName}: ${name} ${found.get(name) ?? 'unset'} -> ${value}`));
    // The call replaces a topic's whole configuration: what was set on it by other hands is kept by naming it again.
    const kept = configEntries.filter(({ configSource, configName }) => configSource === topicConfigSource && !(configName in wanted));
    const entries = [...Object.entries(wanted), ...kept.map(({ configName, configValue }) => [configName, configValue] as const)];
    return [{ type: topicResource, name: resourceName, configEntries: entries.map(([name, value]) => ({ name, value })) }];
  });
  if (changes.length > 0) await admin.alterConfigs({ validateOnly: false, resources: changes });
  return changed;
}

/** kafkajs's number for "set on the topic itself". */
const topicConfigSource = 1;

async function compare(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  if (topics.length === 0) return [];
  const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) });
  return found.flatMap(({ name, partitions }) => {
    const wanted = topics.find((topic) => topic.name === name)!;
    const replicas = partitions[0]?.replicas.length ?? 0;
    return [
      ...(partitions.length === wanted.partitions ? [] : [`${name}: ${partitions.length} partitions, not ${wanted.partitions}`]),
      ...(replicas === wanted.replication ? [] : [`${name}: ${replicas} replicas, not ${wanted.replication}`]),
    ];
  });
}
