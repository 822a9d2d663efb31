import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { asAdmin, type Admin } from './kafka.js';

/** A topic as it should be. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Kafka's own names and texts, e.g. `retention.ms: '604800000'`. */
  readonly config: Readonly<Record<string, string>>;
}

const Config = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));
const place = '{system}';
const Topic = z.strictObject({ partitions: z.int().positive().optional(), config: Config.default({}) });
const TopicFile = z.strictObject({
  partitions: z.int().positive(),
  profiles: z.record(z.string(), z.strictObject({ replication: z.int().positive(), config: Config.default({}) })),
  topics: z.record(z.string(), Topic),
  systems: z.record(z.string().regex(/\{system\}/, `must have ${place} in its name`), Topic).default({}),
});

/** What a file like `deploy/topics.yaml` says under one of its profiles. @throws what is wrong with the file. */
async function readFileOf(file: string, profile: string) {
  const { partitions, profiles, topics, systems } = TopicFile.parse(parse(await readFile(file, 'utf8')));
  const chosen = profiles[profile];
  if (chosen === undefined) throw new Error(`${file} has no profile ${profile}, only ${Object.keys(profiles).join(', ')}`);
  const specOf = ([name, topic]: [string, z.infer<typeof Topic>]): TopicSpec => ({
    name,
    partitions: topic.partitions ?? partitions,
    replication: chosen.replication,
    config: { ...chosen.config, ...topic.config },
  });
  return { topics: Object.entries(topics).map(specOf), systems: Object.entries(systems).map(specOf) };
}

/** The topics that every installation has. @throws what is wrong with the file. */
export const readTopics = async (file: string, profile: string): Promise<TopicSpec[]> => (await readFileOf(file, profile)).topics;

/** The topics that each outside system has. @throws what is wrong with the file. */
export async function readSystemTopics(file: string, profile: string): Promise<(system: string) => TopicSpec[]> {
  const { systems } = await readFileOf(file, profile);
  return (system) => systems.map((spec) => ({ ...spec, name: spec.name.replace(place, () => system) }));
}

/** The outside systems that have topics among these: those whose every topic, or some, are there. */
export function systemsAmong(names: readonly string[], topicsOf: (system: string) => readonly TopicSpec[]): string[] {
  const patterns = topicsOf(place).map(({ name }) => name.split(place));
  const found = names.flatMap((name) => patterns.flatMap(([before = '', after = '']) => middleOf(name, before, after)));
  return [...new Set(found)].sort();
}

const middleOf = (name: string, before: string, after: string): string[] =>
  name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length ? [name.slice(before.length, name.length - after.length)] : [];

/** The names of topics are taken: those of other topics differ in dots and underscores only, which Kafka does not tell apart everywhere. */
export class TopicNameTaken extends Error {}

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
export const ensureTopics = (brokers: string[], topics: readonly TopicSpec[]): Promise<TopicReport> =>
  asAdmin(brokers, async (admin) => {
    const created = await createMissing(admin, topics);
    const existing = topics.filter(({ name }) => !created.includes(name));
    return { created, changed: await configure(admin, existing), left: await compare(admin, existing) };
  });

/**
 * Creates the topics that are missing, and answers their names; those that there are stay as they are.
 * @throws TopicNameTaken; anything else when the broker does not answer.
 */
export const createTopics = (brokers: string[], topics: readonly TopicSpec[]): Promise<string[]> => asAdmin(brokers, (admin) => createMissing(admin, topics));

/** Names of all topics. @throws when the broker does not answer. */
export const listTopics = (brokers: string[]): Promise<string[]> => asAdmin(brokers, (admin) => admin.listTopics());

async function createMissing(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  const present = new Set(await admin.listTopics());
  return create(
    admin,
    topics.filter(({ name }) => !present.has(name)),
  );
}

/** Names of the topics that we made; two tasks at once may both try. */
async function create(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  const created: string[] = [];
  for (const { name, partitions, replication, config } of topics) {
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    const topic = { topic: name, numPartitions: partitions, replicationFactor: replication, configEntries };
    // Without waiting: kafkajs gives up when the broker has not yet heard of the topic from its controller, and at once where its controller has not answered in time.
    const isOurs = await admin.createTopics({ topics: [topic], waitForLeaders: false, timeout: controllerMs }).catch((error: unknown) => refused(name, error));
    if (isOurs) created.push(name);
  }
  await untilKnown(
    admin,
    topics.map(({ name }) => name),
  );
  return created;
}

function refused(name: string, error: unknown): never {
  const { errors = [] } = error as { errors?: { type?: string }[] };
  if (errors.some(({ type }) => type === 'INVALID_TOPIC_EXCEPTION')) throw new TopicNameTaken(`${name} cannot be made`, { cause: error });
  throw error;
}

/** A controller gets so long for a topic, ms: those of small machines have taken more than the five seconds that it gets otherwise. */
const controllerMs = 20_000;

/** How long the leaders of a topic are waited for, ms: a broker on a busy machine takes its time. */
const ledWithinMs = 30_000;

/** Returns when the leader of every partition answers: to know of it is not yet to lead it. @throws when those of a topic do not in time */
async function untilKnown(admin: Admin, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const deadline = Date.now() + ledWithinMs;
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
