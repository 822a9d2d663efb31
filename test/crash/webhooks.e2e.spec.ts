import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NameServer, Receiver } from '../../apps/assignment-notification/testing/receiver.js';
import { abortAt, undisturbed } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `hooked-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let names: NameServer;
let ada: Client;
let app: AppHandle;
let receiver: Receiver;
let webhooks: string[] = [];

beforeAll(async () => {
  names = await NameServer.open();
  const env = { WEBHOOK_RETRY_PAUSES: Array(14).fill('0.2').join(','), WEBHOOK_DNS_SERVERS: names.address };
  stack = await startStack({ instances: { 'query-search': 0, 'assignment-notification': 1 }, env: { 'assignment-notification': env }, directory: { organisations: [organisation(org)] } });
  ada = clientOf(stack, { org, sub: 'ada' });
  [app] = stack.apps['assignment-notification'] as [AppHandle];
});
afterAll(async () => {
  await stack?.stop();
  names?.close();
});
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(async () => {
  await Promise.all(webhooks.map((id) => ada.delete(`/webhooks/${id}`)));
  webhooks = [];
  await receiver.close();
});

async function made(input: object = {}) {
  const { status, body } = await eventually(async () => {
    const answer = await ada.post('/webhooks', { name: 'One', url: receiver.url, ...input });
    const isWhole = answer.body['secret'] !== undefined;
    if (answer.status === 201 && !isWhole) await ada.delete(`/webhooks/${answer.body['id']}`); // a slow machine has kept the first answer
    return answer.status === 201 && isWhole && answer;
  });
  expect(status).toBe(201);
  webhooks.push(body['id'] as string);
  return body as { id: string; secret: string };
}

/** A ticket of three events; their ids. */
async function ticket(): Promise<string[]> {
  const { id } = (await ada.post('/tickets', { title: 'Told' })).body as { id: string };
  expect((await ada.post(`/tickets/${id}/comments`, { body: 'Said' })).status).toBe(201);
  expect((await ada.post(`/tickets/${id}/transitions`, { to: 'pending' })).status).toBe(200);
  return [1, 2, 3].map((version) => `${id}:${version}`);
}
const tickets = async (count: number) => (await Promise.all(Array.from({ length: count }, ticket))).flat();

/** Everything came, and each ticket's events first came in order. */
function expectAllInOrder(ids: readonly string[], one = receiver) {
  const first = [...new Set(one.ids)];
  expect(ids.filter((id) => !first.includes(id))).toEqual([]);
  const versions = Map.groupBy(first.map((id) => id.split(':')), ([ticketId]) => ticketId);
  for (const some of versions.values()) expect(some.map(([, version]) => Number(version))).toEqual(some.map((_, i) => i + 1));
}

/** Waits until it has been killed, and starts it anew. */
async function risen(): Promise<void> {
  await eventually(() => !app.isRunning);
  await forgetService(stack.kafkaBrokers, 'assignment-notification');
  await app.restart();
}

/** How often each came. */
const timesOf = (ids: readonly string[]) => ids.map((id) => receiver.ids.filter((one) => one === id).length);

describe('webhooks of a running system', () => {
  it('are told what happens, but for notes, while others hang, answer 500 ten times, redirect inward or lead inward', async () => {
    const [hanging, failing, redirecting, inside] = await Promise.all([Receiver.open(), Receiver.open(), Receiver.open(), Receiver.open()]);
    const hangs = new Set<ServerResponse>();
    hanging.answer = (response) => void hangs.add(response.on('close', () => hangs.delete(response)));
    /** Whether somebody hung as it was told of something. */
    const amid: boolean[] = [];
    receiver.answer = (response) => void (amid.push(hangs.size > 0), response.end('ok'));
    let failures = 10;
    failing.answer = (response) => response.writeHead((failures -= 1) >= 0 ? 500 : 200).end();
    redirecting.answer = (response) => response.writeHead(308, { location: inside.url }).end();
    names.says = () => ['127.0.0.1'];
    const webhook = await made();
    for (const { url } of [hanging, failing, redirecting]) await made({ url });
    const rebinding = await made({ url: `https://inward.example:${inside.port}/` });
    const { body } = await ada.post('/tickets', { title: 'Told' });
    await ada.post(`/tickets/${body['id']}/notes`, { body: 'hidden' });
    await ada.post(`/tickets/${body['id']}/comments`, { body: 'seen' });
    const both = [`${body['id']}:1`, `${body['id']}:3`];
    await eventually(() => expect([...new Set(receiver.ids)]).toEqual(both));
    const seen = new Map(receiver.verified(webhook.secret).map((event) => [(event as { version: number }).version, event]));
    expect([...seen.values()]).toMatchObject([{ type: 'created', actor: { id: 'ada' } }, { type: 'comment-added', data: { comment: { body: 'seen' } }, ticket: { version: 3 } }]);
    await eventually(() => expect([...new Set(failing.ids)]).toEqual(both));
    expect(failing.ids.slice(0, 11)).toEqual(Array(11).fill(both[0]));
    await eventually(async () => {
      const { items } = (await ada.get(`/webhooks/${rebinding.id}/deliveries?state=failed`)).body as { items: { attempts: { detail: string }[] }[] };
      expect(items[0]?.attempts.at(-1)?.detail).toMatch(/not at a public address/);
    });
    expect([inside.connections, redirecting.received.length > 1, names.asked.includes('inward.example')]).toEqual([0, true, true]);
    // Others are told while one hangs, and not only when that one has been given up on: it is tried again at once.
    await eventually(async () => {
      const before = amid.length;
      await ada.post(`/tickets/${body['id']}/comments`, { body: 'more' });
      await eventually(() => amid.length > before);
      expect(amid.slice(before)).toContain(true);
    });
    await Promise.all([hanging, failing, redirecting, inside].map((one) => one.close()));
  });

  it('have everything at least once, in order, when the service is killed while it sends', async () => {
    const webhook = await made();
    let isKilled = false;
    receiver.answer = (response) => {
      if (receiver.received.length === 5 && !isKilled) {
        isKilled = true;
        void app.kill('SIGKILL');
      }
      response.end();
    };
    const ids = await tickets(10);
    await risen();
    await eventually(() => expect(new Set(receiver.ids).size).toBe(ids.length));
    expectAllInOrder(ids);
    expect(receiver.verified(webhook.secret)).toHaveLength(receiver.received.length);
    expect(receiver.received.length - ids.length).toBeLessThanOrEqual(100);
  });

  it('are served by the other instance when one is stopped amid sending, and by none twice when it comes back', async () => {
    await made();
    const unanswered: ServerResponse[] = [];
    receiver.answer = (response) => void unanswered.push(response);
    const first = await tickets(5);
    await eventually(() => unanswered.length > 0);
    const other = await stack.add('assignment-notification');
    process.kill(app.pid, 'SIGSTOP');
    receiver.answer = (response) => response.end();
    for (const response of unanswered) response.end();
    const second = await tickets(5);
    await eventually(() => expectAllInOrder([...first, ...second]), 90_000);
    expect(timesOf(second)).toEqual(second.map(() => 1));
    process.kill(app.pid, 'SIGCONT');
    const third = await tickets(3);
    await eventually(() => expectAllInOrder([...first, ...second, ...third]));
    expect(timesOf(third)).toEqual(third.map(() => 1));
    await other.end();
  });

  it('are told again what happened since a time, also when the service is killed amid that', async () => {
    const from = new Date().toISOString();
    const ids = await tickets(8);
    const { id } = await made();
    let isKilled = false;
    receiver.answer = (response) => {
      if (receiver.received.length === 3 && !isKilled) {
        isKilled = true;
        void app.kill('SIGKILL');
      }
      response.end();
    };
    const key = { 'idempotency-key': randomUUID() };
    const replaying = ada.post(`/webhooks/${id}/replay`, { from }, key);
    await risen();
    expect((await replaying).status).toBe(202); // asked again where the service died with its answer
    await eventually(() => expectAllInOrder(ids));
    await eventually(async () => expect((await ada.get(`/webhooks/${id}`)).body['replay']).toMatchObject({ state: 'done', progress: 1, events: ids.length }));
    expect((await ada.post(`/webhooks/${id}/replay`, { from }, key)).headers.get('idempotency-replayed')).toBe('true');
    expect((await ada.post(`/webhooks/${id}/replay`, { from: new Date(Date.now() + 60_000).toISOString() })).status).toBe(422);
  });

  it('are told once what a replay had claimed when the service is killed before it notes how far it is', async () => {
    const from = new Date().toISOString();
    const ids = await tickets(4);
    const { id } = await made();
    await app.restart(abortAt({ point: 'after-replayed' }));
    const replaying = ada.ask('POST', `/webhooks/${id}/replay`, { from }, { 'idempotency-key': randomUUID() });
    await eventually(() => !app.isRunning);
    await replaying;
    await app.restart(undisturbed);
    await eventually(async () => expect((await ada.get(`/webhooks/${id}`)).body['replay']).toMatchObject({ state: 'done', events: ids.length }));
    await eventually(() => expectAllInOrder(ids));
    const { items } = (await ada.get(`/webhooks/${id}/deliveries?limit=100`)).body as { items: { id: string }[] };
    const replayed = items.map((one) => one.id).filter((one) => one.includes('~'));
    expect([replayed.length, new Set(replayed).size]).toEqual([ids.length, ids.length]);
  });
});
