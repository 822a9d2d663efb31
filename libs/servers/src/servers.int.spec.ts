import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import mongoose from 'mongoose';
import { eventually } from '../testing/eventually.js';
import { otherProcess, scratchFolder, watchersOf } from '../testing/other-process.js';
import { openServers, type RunningServers, type ServerOptions, ServersUnavailable } from './index.js';
import { kafkaAnswers } from './kafka-answers.js';
import { look } from './identity.js';
import { mongodbAnswers } from './mongodb-answers.js';
import { isFree } from './ports.js';

/** Own servers, whatever the environment of the tests names. */
const open = (dataDir: string, more: Partial<ServerOptions> = {}) => openServers({ dataDir, env: {}, memory: 'small', ...more });
const pidsOf = ({ servers }: RunningServers) => [...servers.kafka.pids, ...servers.mongodb.pids];
const isGone = (pid: number) => look(pid) === undefined;

const admin = (brokers: string) => new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
async function topics(brokers: string, add?: string): Promise<string[]> {
  const client = admin(brokers);
  await client.connect();
  try {
    if (add) await client.createTopics({ topics: [{ topic: add, numPartitions: 1 }], waitForLeaders: true });
    return await client.listTopics();
  } finally {
    await client.disconnect();
  }
}

async function count(uri: string, add = 0): Promise<number> {
  const client = new mongoose.mongo.MongoClient(uri);
  try {
    const things = client.db('spec').collection('things');
    if (add > 0) await things.insertMany(Array.from({ length: add }, () => ({ kept: true })));
    return await things.countDocuments();
  } finally {
    await client.close();
  }
}

const works = (check: () => Promise<unknown>) => check().then(() => true, () => false);

describe('servers of our own', () => {
  const dataDir = scratchFolder();
  const told: string[] = [];
  let running: RunningServers;
  let changes = 0;
  let reopened = { at: 0, log: 0 };
  const options = { onDeath: ({ server, text }: { server: string; text: string }) => void told.push(`${server}: ${text}`), onChange: () => void changes++ };

  beforeAll(async () => {
    running = await open(dataDir, options);
    await topics(running.kafkaBrokers, 'kept');
    await count(running.mongodbUri, 100);
  });
  afterAll(() => running.stop());

  it('answer, on the loopback address, as processes of this machine', async () => {
    expect(running.kafkaBrokers).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(running.mongodbUri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\//);
    expect(running.servers).toMatchObject({ kafka: { kind: 'local' }, mongodb: { kind: 'local' } });
    expect(pidsOf(running).every((pid) => !isGone(pid))).toBe(true);
    await eventually(() => kafkaAnswers(running.kafkaBrokers), 'Kafka answers in time');
    await eventually(() => mongodbAnswers(running.mongodbUri), 'MongoDB answers in time');
  });

  it('come back at their addresses with their data, each time one is killed', async () => {
    const before = pidsOf(running);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await eventually(() => pidsOf(running).length === before.length && pidsOf(running).every((pid) => !before.includes(pid)), 'there are new processes');
    // PostgreSQL does not start while what it was is still ending, which takes a slow machine longer than 0.2 s: its next death is its own.
    const ours = told.filter((text) => !/^mongodb: postgresql .* exited with code 1;/.test(text));
    expect(changes).toBeGreaterThanOrEqual(before.length);
    expect(ours.map((text) => text.split(' ')[0]).sort()).toEqual(['kafka:', ...before.slice(1).map(() => 'mongodb:')]);
    expect(ours.every((text) => text.includes('was ended by SIGKILL; it is started again in 0.2 s'))).toBe(true);
    await eventually(() => works(() => kafkaAnswers(running.kafkaBrokers)), 'Kafka is back');
    await eventually(() => works(() => count(running.mongodbUri)), 'MongoDB is back');
    expect(await topics(running.kafkaBrokers)).toContain('kept');
    expect(await count(running.mongodbUri)).toBe(100);
  });

  it('end when they are stopped, leave their ports free, and find their data at the next start', async () => {
    const pids = pidsOf(running);
    const mounts = readFileSync('/proc/mounts', 'utf8');
    await running.stop();
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    expect(await isFree(Number(running.kafkaBrokers.split(':')[1]))).toBe(true);
    expect(mounts).not.toContain(dataDir);
    running = await open(dataDir, options);
    // On a slow machine a chore may be due before it is told of the new port.
    reopened = { at: Date.now(), log: readFileSync(join(dataDir, 'logs/postgresql.log'), 'utf8').length };
    expect(await topics(running.kafkaBrokers)).toContain('kept');
    expect(await count(running.mongodbUri)).toBe(100);
  });

  it('refuse a second run in their data folder while they live, and name whose it is', async () => {
    const second = open(dataDir);
    await expect(second).rejects.toThrow(ServersUnavailable);
    await expect(second).rejects.toThrow(`in use by process ${process.pid}`);
  });

  it('are left alone by a second run in another folder, before and after it stops', async () => {
    const mine = pidsOf(running);
    const second = await open(scratchFolder());
    expect([second.kafkaBrokers, second.mongodbUri]).not.toContain(running.kafkaBrokers);
    expect(await topics(second.kafkaBrokers)).not.toContain('kept');
    const theirs = pidsOf(second);
    await second.stop();
    expect(theirs.filter((pid) => !isGone(pid))).toEqual([]);
    expect(pidsOf(running)).toEqual(mine);
    expect(await count(running.mongodbUri)).toBe(100);
  });

  it('serve others by their names, and are not stopped with those', async () => {
    const env = { KAFKA_BROKERS: running.kafkaBrokers, MONGODB_URI: running.mongodbUri };
    const named = await eventually(() => open(scratchFolder(), { env }), 'they answer in time');
    expect(named).toMatchObject({ kafkaBrokers: env.KAFKA_BROKERS, mongodbUri: env.MONGODB_URI, servers: { kafka: { kind: 'named', pids: [] }, mongodb: { kind: 'named' } } });
    await named.stop();
    await eventually(() => kafkaAnswers(running.kafkaBrokers), 'Kafka answers in time');
  });

  it('do their chores at the port of this start, not at that of an earlier one', async () => {
    await eventually(() => Date.now() > reopened.at + 5_000, 'every chore was due: some are every 2 s');
    expect(readFileSync(join(dataDir, 'logs/postgresql.log'), 'utf8').slice(reopened.log)).not.toContain('connection failed');
  });
});

describe('servers whose owner is killed', () => {
  const dataDir = scratchFolder();
  const owner = () =>
    otherProcess(`
      const { openServers } = await from('index.js');
      const running = await openServers({ dataDir: '${dataDir}', env: {}, memory: 'small' });
      console.log(JSON.stringify({ uri: running.mongodbUri, pids: [...running.servers.kafka.pids, ...running.servers.mongodb.pids] }));`);
  const ready = async (other: ReturnType<typeof owner>) => {
    await eventually(() => other.said().length === 1, 'the servers are open');
    return JSON.parse(other.said()[0] ?? '') as { uri: string; pids: number[] };
  };

  it('end with it', async () => {
    const other = owner();
    const { pids, uri } = await ready(other);
    await count(uri, 10);
    other.process.kill('SIGKILL');
    await eventually(() => pids.every(isGone), 'no orphan is left');
  });

  it('are ended by the next run in their folder when nobody else did it, and nothing is lost', async () => {
    const other = owner();
    const { pids } = await ready(other);
    other.process.kill('SIGSTOP'); // Or it would put new ones in their place.
    for (const watcher of watchersOf(pids)) process.kill(watcher, 'SIGKILL');
    other.process.kill('SIGKILL');
    const told: string[] = [];
    const next = await open(dataDir, { progress: ({ part, text }) => told.push(`${part} ${text}`) });
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    for (const pid of pids) expect(told.join('\n')).toContain(`ends process ${pid}, left behind by a killed run`);
    expect(await count(next.mongodbUri)).toBe(10);
    await next.stop();
  });
});

describe('a start', () => {
  it('can be given up: nothing of it is left', async () => {
    const dataDir = scratchFolder();
    const stop = new AbortController();
    const mark = join(dataDir, 'kafka');
    const left = () => readdirSync('/proc').filter((pid) => look(Number(pid))?.command.includes(mark));
    const opening = open(dataDir, { signal: stop.signal });
    void eventually(() => left().some((pid) => look(Number(pid))?.command.includes('kafka.Kafka')), 'Kafka runs').then(() => stop.abort(new Error('no more')));
    await expect(opening).rejects.toThrow('no more');
    expect(left()).toEqual([]);
  });

  it('says clearly when a named server does not answer, without its password', async () => {
    const env = { KAFKA_BROKERS: '127.0.0.1:1', MONGODB_URI: 'mongodb://127.0.0.1:1/' };
    const secret = { ...env, MONGODB_URI: 'mongodb://ada:secret@127.0.0.1:1/' };
    const [answer, secretAnswer] = await Promise.allSettled([open(scratchFolder(), { env }), open(scratchFolder(), { env: secret })]);
    expect(String(answer.status === 'rejected' && answer.reason)).toMatch(/(KAFKA_BROKERS|MONGODB_URI) names .*127\.0\.0\.1:1.*does not answer[\s\S]*Ways to go on/);
    expect(String(secretAnswer.status === 'rejected' && secretAnswer.reason)).not.toContain('secret');
  });
});
