import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openGuardedKafka, type GuardedKafka } from '../../libs/servers/testing/guarded-kafka.js';
import { built } from '../../tools/places.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `guarded-${randomUUID().slice(0, 8)}`;
const services = ['gateway', 'ticket-command', 'query-search', 'assignment-notification'] as const;
const password = randomUUID();
let kafka: GuardedKafka;
let stack: Stack;

/** Who signs in at the broker, as a service's environment says it. */
const signIn = (username: string) => ({ KAFKA_BROKERS: kafka.brokers, KAFKA_SASL_MECHANISM: 'plain', KAFKA_USERNAME: username, KAFKA_PASSWORD: password });

beforeAll(async () => {
  kafka = await openGuardedKafka(Object.fromEntries(['admin', 'ops', ...services].map((name) => [name, password])));
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const run = (username: string, ...command: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', env: { ...inherited, ...signIn(username) } });
    expect([status, stderr]).toEqual([0, '']);
  };
  run('admin', built('tools/acls.js'), '--service', 'operators', '--principal', 'User:ops');
  for (const name of services) run('admin', built('tools/acls.js'), '--service', name, '--principal', `User:${name}`);
  run('ops', built('tools/topics.js'), '--profile', 'local');
  const servers = { kafkaBrokers: kafka.open, mongodbUri: process.env['MONGODB_URI']! };
  stack = await startStack({ servers, instances: { 'assignment-notification': 1 }, directory: { organisations: [organisation(org)] }, env: Object.fromEntries(services.map((name) => [name, signIn(name)])) });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await kafka?.stop();
}, 60_000);

const ask = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  fetch(stack.gatewayUrl + path, {
    method,
    headers: { authorization: `Bearer ${stack.token({ org, sub: 'ada' })}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });

describe('where the brokers ask who their clients are', () => {
  it('every service does its work with what it is granted', async () => {
    const rule = { name: 'Only Ada', strategy: { type: 'fixed', assignee: { type: 'member', id: 'ada' } } };
    await eventually(async () => expect((await ask('POST', '/v1/assignment-rules', rule)).status).toBe(201));
    const created = await ask('POST', '/v1/tickets', { title: 'Through the gates' });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    await eventually(async () => expect(await (await ask('GET', `/v1/tickets/${id}`, undefined, { 'x-min-version': '2' })).json()).toMatchObject({ assignee: { id: 'ada' } }));
  });

  it('the gateway makes the topics of an outside system', async () => {
    const answer = await ask('POST', '/v1/producers', { id: 'erp', name: 'ERP', commands: ['create'] });
    expect([answer.status, await answer.text()]).toEqual([201, expect.stringContaining('ticket.inbound.erp.v1')]);
  });
});
