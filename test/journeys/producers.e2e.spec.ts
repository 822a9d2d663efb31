import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { DirectoryEntry, type RegisteredProducer } from '#contracts';
import { temporaryFolder } from '#servers';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const org = `doors-${randomUUID().slice(0, 8)}`;
const [filed, fresh] = [`erp-${org}`, `crm-${org}`];
const file = join(temporaryFolder('producers'), 'producers.json');
const grant = { name: 'ERP', commands: ['create'], assistantIds: ['billing-bot'] };
const write = (...ids: string[]) => writeFileSync(file, JSON.stringify({ organisations: [{ id: org, producers: ids.map((id) => ({ id, ...grant })) }] }));

let stack: Stack;
let tail: TopicTail;
let admin: Admin;

beforeAll(async () => {
  write(filed);
  const brokers = process.env['KAFKA_BROKERS']!;
  admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  tail = await TopicTail.open(brokers, ['directory.v1']);
  stack = await startStack({ directory: { organisations: [organisation(org)] }, instances: { gateway: 2, 'ticket-command': 0, 'query-search': 0 }, env: { gateway: { PRODUCERS_FILE: file } } });
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tail?.close(), admin?.disconnect()]);
});

/** Asks again, under the same key, where a slow machine cannot say in time. */
function ask(method: string, path: string, body?: object, gateway = 0): Promise<Response> {
  const headers = { authorization: `Bearer ${stack.token({ org, sub: 'ada' })}`, ...(body && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }) };
  return eventually(async () => {
    const answer = await fetch(stack.gatewayUrls[gateway] + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (answer.status === 503) throw new Error(await answer.text());
    return answer;
  });
}
/** What everybody else knows of a system: the newest revision. */
const told = (id: string) =>
  tail
    .records('directory.v1')
    .filter(({ key }) => String(key) === `${org}/producer/${id}`)
    .map(({ value }) => DirectoryEntry.parse(JSON.parse(String(value))))
    .sort((one, other) => other.revision - one.revision)[0];
const topicsOf = (id: string) => [`ticket.inbound.${id}.v1`, `ticket.inbound-results.${id}.v1`, `dead.ticket-command.ticket.inbound.${id}.v1`];

describe('outside systems', () => {
  it('that the file names are told once they have their topics', async () => {
    await eventually(() => expect(told(filed)).toMatchObject({ revision: 1, value: { id: filed, ...grant } }));
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(topicsOf(filed)));
    expect(await (await ask('GET', `/v1/producers/${filed}`, undefined, 1)).json()).toMatchObject({ managedBy: 'file' });
  });

  it('that were registered are told of, also when every gateway dies right after its answer', async () => {
    const answer = await ask('POST', '/v1/producers', { id: fresh, ...grant });
    const registered = (await answer.json()) as RegisteredProducer; // the answer may come in pieces
    for (const gateway of stack.apps.gateway) process.kill(gateway.pid, 'SIGKILL');
    expect(answer.status).toBe(201);
    expect(registered.topics).toEqual({ inbound: topicsOf(fresh)[0], results: topicsOf(fresh)[1] });
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(topicsOf(fresh)));
    await eventually(() => stack.apps.gateway.every(({ isRunning }) => !isRunning));
    for (const gateway of stack.apps.gateway) gateway.start();
    await Promise.all(stack.apps.gateway.map((gateway) => gateway.untilReady()));
    await eventually(() => expect(told(fresh)).toMatchObject({ revision: 1, deleted: false }));
  });

  it('get their topics again when somebody deleted them', async () => {
    await admin.deleteTopics({ topics: topicsOf(fresh) });
    await stack.apps.gateway[0]!.end();
    stack.apps.gateway[0]!.start();
    await eventually(async () => expect(await admin.listTopics()).toEqual(expect.arrayContaining(topicsOf(fresh))));
    await stack.apps.gateway[0]!.untilReady(); // it has read the file, which the next spec changes
  });

  it('that the file names no longer are withdrawn; registered ones stay', async () => {
    write();
    await stack.add('gateway');
    await eventually(() => expect(told(filed)).toMatchObject({ revision: 2, deleted: true }));
    expect((await ask('GET', `/v1/producers/${filed}`, undefined, 2)).status).toBe(404);
    expect((await ask('GET', `/v1/producers/${fresh}`, undefined, 2)).status).toBe(200);
  });
});
