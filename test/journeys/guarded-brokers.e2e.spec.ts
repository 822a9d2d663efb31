import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openGuardedKafka, type GuardedKafka } from '../../libs/servers/testing/guarded-kafka.js';
import { built } from '../../tools/places.js';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const org = `guarded-${randomUUID().slice(0, 8)}`;
const services = ['gateway', 'ticket-command', 'query-search', 'assignment-notification'] as const;
const password = randomUUID();
let kafka: GuardedKafka;
let stack: Stack;

type SignIn = Record<'KAFKA_BROKERS' | 'KAFKA_SASL_MECHANISM' | 'KAFKA_USERNAME' | 'KAFKA_PASSWORD', string> & Partial<Record<'KAFKA_SSL' | 'KAFKA_SSL_CA_FILE', string>>;

/** Who signs in at the broker, as a service's environment says it. */
const plain = (username: string): SignIn => ({ KAFKA_BROKERS: kafka.brokers, KAFKA_SASL_MECHANISM: 'plain', KAFKA_USERNAME: username, KAFKA_PASSWORD: password });
const scram = (username: string, bits: 256 | 512): SignIn => ({ ...plain(username), KAFKA_BROKERS: kafka.encrypted, KAFKA_SASL_MECHANISM: `scram-sha-${bits}`, KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: kafka.caFile });
/** Every way in that there is. */
const signIns = (): Record<(typeof services)[number], SignIn> => ({
  gateway: scram('gateway', 512),
  'ticket-command': scram('ticket-command', 256),
  'query-search': plain('query-search'),
  'assignment-notification': scram('assignment-notification', 512),
});
const run = (as: SignIn, ...command: string[]) => {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  return spawnSync(process.execPath, command, { encoding: 'utf8', env: { ...inherited, ...as } });
};

beforeAll(async () => {
  kafka = await openGuardedKafka(Object.fromEntries(['admin', 'ops', ...services].map((name) => [name, password])));
  const done = (...command: Parameters<typeof run>) => {
    const { status, stderr } = run(...command);
    expect([status, stderr]).toEqual([0, '']);
  };
  done(plain('admin'), built('tools/acls.js'), '--service', 'operators', '--principal', 'User:ops');
  for (const name of services) done(scram('admin', 256), built('tools/acls.js'), '--service', name, '--principal', `User:${name}`);
  done(scram('ops', 512), built('tools/topics.js'), '--profile', 'local');
  const servers = { kafkaBrokers: kafka.open, mongodbUri: process.env['MONGODB_URI']! };
  stack = await startStack({ servers, instances: { 'assignment-notification': 1 }, directory: { organisations: [organisation(org)] }, env: signIns() });
  ada = clientOf(stack, { org, sub: 'ada' });
});
afterAll(async () => {
  await stack?.stop();
  await kafka?.stop();
});

let ada: Client;

describe('where the brokers ask who their clients are', () => {
  it('every service does its work with what it is granted', async () => {
    const rule = { name: 'Only Ada', strategy: { type: 'fixed', assignee: { type: 'member', id: 'ada' } } };
    await eventually(async () => expect((await ada.post('/assignment-rules', rule)).status).toBe(201));
    const { id } = await ada.ticket({ title: 'Through the gates' });
    await eventually(async () => expect((await ada.get(`/tickets/${id}`)).body).toMatchObject({ assignee: { id: 'ada' } }));
  });

  it('deadlines are judged up to now', async () => {
    const judgedUpTo = async () => Number(/^deskstream_assignment_timers_judged_seconds (\S+)$/m.exec(await (await fetch(`${stack.apps['assignment-notification'][0]!.managementUrl}/metrics`)).text())?.[1]);
    const now = Date.now() / 1_000;
    await eventually(async () => expect(await judgedUpTo()).toBeGreaterThan(now));
  });

  it.each<[string, () => SignIn]>([
    ['another password', () => ({ ...scram('ops', 512), KAFKA_PASSWORD: 'guessed' })],
    ['a name that nobody has', () => scram('mallory', 512)],
    ['no word of who vouches for the broker', () => ({ ...scram('ops', 512), KAFKA_SSL_CA_FILE: undefined }) as SignIn],
    ['an open connection where it should be encrypted', () => ({ ...scram('ops', 512), KAFKA_SSL: 'false' })],
  ])('nobody comes in with %s', (_, as) => {
    const { status, stderr } = run(as(), built('tools/topics.js'), '--profile', 'local');
    expect(status).not.toBe(0);
    expect(stderr).toContain(kafka.encrypted);
  });

  it('the gateway makes the topics of an outside system', async () => {
    const answer = await ada.post('/producers', { id: 'erp', name: 'ERP', commands: ['create'] });
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('ticket.inbound.erp.v1')]);
  });

  it('an outside system is told what happens', async () => {
    const topic = 'ticket.outbound.crm.v1';
    expect((await ada.post('/producers', { id: 'crm', name: 'CRM', commands: ['create'], assistantIds: ['billing-bot'], outbound: {} })).status).toBe(201);
    const tail = await TopicTail.open(kafka.open, [topic]);
    const { id } = await ada.ticket({ title: 'For the CRM', assistantId: 'billing-bot' });
    await eventually(() => tail.records(topic).some(({ key }) => String(key) === id)).finally(() => tail.close());
  });
});
