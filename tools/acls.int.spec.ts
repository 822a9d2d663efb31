import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { eventually } from '../libs/servers/testing/eventually.js';
import { openGuardedKafka, type GuardedKafka } from '../libs/servers/testing/guarded-kafka.js';
import { built } from './places.js';

const password = randomUUID();
let kafka: GuardedKafka;

const env = (username = 'admin') => {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, KAFKA_BROKERS: kafka.brokers, KAFKA_SASL_MECHANISM: 'plain', KAFKA_USERNAME: username, KAFKA_PASSWORD: password };
};
const run = (tool: string, ...options: string[]) => spawnSync(process.execPath, [built(`tools/${tool}.js`), ...options], { encoding: 'utf8', env: env() });
const acls = (...options: string[]) => run('acls', ...options);
const as = (username: string) =>
  new Kafka({ brokers: [kafka.brokers], clientId: username, logLevel: logLevel.NOTHING, sasl: { mechanism: 'plain', username, password }, retry: { retries: 6, initialRetryTime: 50, maxRetryTime: 1_000 } });

/** What the broker says of somebody who writes a record: `ok` or why not. */
const writing = (username: string, topic: string) => saidBy(() => tryWriting(username, topic));

/** What the broker says. One that does not answer in time, as on a slow machine, has said nothing. */
const saidBy = (ask: () => Promise<string>) =>
  eventually(async () => {
    const said = await ask();
    if (/connection|connect |timed out|UNKNOWN_TOPIC_OR_PARTITION|NOT_AVAILABLE/i.test(said)) throw new Error(said);
    return said;
  }, 'the broker says yes or no');

async function tryWriting(username: string, topic: string): Promise<string> {
  const producer = as(username).producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    await producer.send({ topic, messages: [{ value: '{}' }] });
    return 'ok';
  } catch (error) {
    return reasonOf(error);
  } finally {
    await producer.disconnect();
  }
}

/** What the broker says of somebody who reads a topic in a group until a record comes. */
const reading = (username: string, topic: string, groupId: string) => saidBy(() => tryReading(username, topic, groupId));

async function tryReading(username: string, topic: string, groupId: string): Promise<string> {
  const consumer = as(username).consumer({ groupId, maxWaitTimeInMs: 100, retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 500 } });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    return await new Promise<string>((resolve) => {
      consumer.on('consumer.crash', ({ payload }) => resolve(reasonOf(payload.error)));
      void consumer.run({ eachMessage: () => Promise.resolve(resolve('ok')) }).catch((error: unknown) => resolve(reasonOf(error)));
    });
  } catch (error) {
    return reasonOf(error);
  } finally {
    await consumer.disconnect();
  }
}

/** What was granted or taken back is so a moment later. */
const comesTo = (username: string, topic: string, what: string) => eventually(async () => expect(await writing(username, topic)).toBe(what), `${username} writing ${topic} comes to ${what}`);

/** A broker that has just met a group may take a moment. */
const reads = (username: string, topic: string, groupId: string) => eventually(async () => expect(await reading(username, topic, groupId)).toBe('ok'), `${username} reads ${topic} as ${groupId}`);

function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (typeof (cause as { type?: string }).type === 'string') return (cause as { type?: string }).type!;
  return String(error);
}

beforeAll(async () => {
  kafka = await openGuardedKafka({ admin: password, erp: password, crm: password, stranger: password });
  const made = run('topics', '--profile', 'local', '--system', 'erp', 'erp.eu', 'crm');
  expect([made.status, made.stderr]).toEqual([0, '']);
  for (const name of ['erp', 'crm']) expect(acls('--system', name, '--principal', `User:${name}`).status).toBe(0);
  for (const system of ['erp', 'crm']) for (const told of ['inbound-results', 'outbound']) expect(await writing('admin', `ticket.${told}.${system}.v1`)).toBe('ok');
});
afterAll(() => kafka?.stop());

describe('an outside system that was granted access', () => {
  it('writes its own inbound topic and reads its own results and what it is told of events', async () => {
    await comesTo('erp', 'ticket.inbound.erp.v1', 'ok');
    await reads('erp', 'ticket.inbound-results.erp.v1', 'erp:main');
    await reads('erp', 'ticket.outbound.erp.v1', 'erp:outbound');
  });

  it('gets along with the client library', async () => {
    const { OutsideSystem } = (await import(built('libs/client/src/kafka/index.js'))) as { OutsideSystem: { connect(options: object): Promise<{ close(): Promise<void> }> } };
    const system = await OutsideSystem.connect({ kafka: as('erp'), system: 'erp' });
    await system.close();
    await expect(OutsideSystem.connect({ kafka: as('erp'), system: 'crm' })).rejects.toThrow();
  });

  it.each([
    'ticket.inbound.crm.v1',
    'ticket.inbound.erp.eu.v1',
    'ticket.inbound-results.erp.v1',
    'ticket.inbound-results.crm.v1',
    'ticket.outbound.erp.v1',
    'ticket.outbound.crm.v1',
    'ticket.commands.v1',
    'ticket.events.v1',
    'ticket.command-results.v1',
    'directory.v1',
    'dead.ticket-command.ticket.inbound.erp.v1',
    'dead-letter-decisions.v1',
  ])('may not write %s', async (topic) => expect(await writing('erp', topic)).toBe('TOPIC_AUTHORIZATION_FAILED'));

  it.each(['ticket.inbound.erp.v1', 'ticket.inbound-results.crm.v1', 'ticket.outbound.crm.v1', 'ticket.outbound.erp.eu.v1', 'ticket.commands.v1', 'ticket.events.v1', 'ticket.command-results.v1', 'directory.v1', 'dead.ticket-command.ticket.inbound.erp.v1'])(
    'may not read %s',
    async (topic) => expect(await reading('erp', topic, 'erp:main')).toBe('TOPIC_AUTHORIZATION_FAILED'),
  );

  it.each(['crm:main', 'erp', 'erp.eu:main', 'ticket-command', 'query-search.ticket-view'])('may not take part in the group %s', async (group) => {
    // The client does not tell why it is not told where the group is; that it is there, others can tell.
    expect(await reading('erp', 'ticket.inbound-results.erp.v1', group)).toContain('Failed to find group coordinator');
    await reads('admin', 'ticket.inbound-results.erp.v1', group);
  });

  it('makes no topic', async () => {
    const admin = as('erp').admin();
    await admin.connect();
    const made = admin.createTopics({ topics: [{ topic: 'ticket.inbound.new.v1' }] });
    await expect(made).rejects.toMatchObject({ errors: [{ type: 'TOPIC_AUTHORIZATION_FAILED' }] });
    await admin.disconnect();
  });
});

describe('the task that grants access', () => {
  it('says what it does, does it once, and takes it back', async () => {
    const granted = acls('--system', 'crm', '--principal', 'User:stranger');
    expect(granted.stdout.split('\n')).toEqual([
      'allowed User:stranger Write topic ticket.inbound.crm.v1',
      'allowed User:stranger Read topic ticket.inbound-results.crm.v1',
      'allowed User:stranger Read topic ticket.outbound.crm.v1',
      'allowed User:stranger Read group crm:*',
      '',
    ]);
    expect(acls('--system', 'crm', '--principal', 'User:stranger').stdout).toBe(granted.stdout);
    await comesTo('stranger', 'ticket.inbound.crm.v1', 'ok');
    expect(acls('--system', 'crm', '--principal', 'User:stranger', '--revoke').stdout).toContain('revoked User:stranger Write topic ticket.inbound.crm.v1');
    await comesTo('stranger', 'ticket.inbound.crm.v1', 'TOPIC_AUTHORIZATION_FAILED');
    expect(await writing('crm', 'ticket.inbound.crm.v1')).toBe('ok');
  });

  it('only says what it would do when it is asked to', async () => {
    expect(acls('--system', 'erp', '--principal', 'User:stranger', '--dry-run').stdout).toContain('would be allowed User:stranger Write topic ticket.inbound.erp.v1');
    expect(await writing('stranger', 'ticket.inbound.erp.v1')).toBe('TOPIC_AUTHORIZATION_FAILED');
  });

  it.each<[string, string[], string]>([
    ['nobody', ['--principal', 'User:erp'], 'say for whom'],
    ['a name that no topic has', ['--system', 'a*', '--principal', 'User:erp'], 'cannot be the name of an outside system'],
    ['a part of ours', ['--system', 'gateway', '--principal', 'User:erp'], 'is the name of a part of Deskstream'],
    ['an unknown service', ['--service', 'console', '--principal', 'User:x'], 'knows no such service, only gateway, ticket-command, query-search, assignment-notification'],
    ['no principal', ['--system', 'erp', '--principal', 'erp'], 'is no principal'],
  ])('refuses %s', (_, options, why) => {
    const { status, stdout, stderr } = acls(...options);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(why);
  });
});
