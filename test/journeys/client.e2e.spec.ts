import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Deskstream } from '#client';
import { Scope } from '#contracts';
import { RecordProducer } from '#messaging';
import { temporaryFolder } from '#servers';
import { StrangersFolder } from '../support/client-package.js';
import { type Client, clientOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { inboundRecord } from '../support/inbound.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';

const org = `client-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let ada: Deskstream;
beforeAll(async () => {
  stack = await startStack({ directory: { organisations: [organisation(org)] } });
  ada = new Deskstream({ baseUrl: stack.gatewayUrl, token: () => stack.token({ org, sub: 'ada' }) });
});
afterAll(() => stack?.stop());

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A repeat, which a slow machine may need, does not tell a key's secret. */
async function keyWithSecret(fields: Parameters<typeof ada.apiKeys.create>[0]) {
  for (;;) {
    const key = await ada.apiKeys.create(fields);
    if (key.secret !== undefined) return key;
  }
}

describe('the client library', () => {
  it('takes a ticket through its life', async () => {
    const { tickets } = ada;
    const { id, number } = await tickets.create({ title: 'One', assistantId: 'billing-bot', conversation: { messages: [{ role: 'user', content: 'Hello' }] } });
    expect(await tickets.update(id, { priority: 'urgent' }, { ifVersion: 1 })).toMatchObject({ priority: 'urgent', version: 2 });
    expect(await tickets.take(id)).toMatchObject({ assignee: { id: 'ada' } });
    expect(await tickets.assign(id, { type: 'member', id: 'grace' })).toMatchObject({ assignee: { id: 'grace' } });
    expect(await tickets.release(id)).toMatchObject({ assignee: null });
    expect(await tickets.move(id, { to: 'pending', comment: 'Working on it' })).toMatchObject({ status: 'pending', version: 6 });
    expect(await tickets.comment(id, 'a comment')).toMatchObject({ comment: { kind: 'comment', body: 'a comment' }, ticket: { version: 7 } });
    expect(await tickets.note(id, 'a note')).toMatchObject({ comment: { kind: 'note' } });
    expect(await tickets.reply(id, 'a reply')).toMatchObject({ comment: { kind: 'reply' } });
    expect(await tickets.appendMessages(id, [{ role: 'assistant', content: 'Good day' }])).toMatchObject({ messages: [{ content: 'Good day' }] });
    expect(await tickets.recordToolCall(id, { tool: 'find', arguments: { n: 1 }, status: 'ok' })).toMatchObject({ version: 11, ticket: { id } });
    expect(await tickets.get(number, {}, { minVersion: 11 })).toMatchObject({ id, version: 11 });
    expect(await tickets.get(id, { version: 1 })).toMatchObject({ version: 1, priority: 'normal' });
    expect(await tickets.transitions(id)).toEqual({ status: 'pending', allowed: expect.arrayContaining(['resolved', 'open']) });
    expect((await collected(tickets.comments(id, { limit: 2 }))).map(({ body }) => body)).toEqual(['Working on it', 'a comment', 'a note', 'a reply']);
    expect((await collected(tickets.conversation(id, { limit: 1 }))).map(({ content }) => content)).toEqual(['Hello', 'Good day']);
    expect((await collected(tickets.timeline(id, { limit: 3 }))).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await collected(tickets.timeline(id, { type: ['created', 'status-changed'] }))).map(({ type }) => type)).toEqual(['created', 'status-changed']);
    expect(await tickets.delete(id, { ifVersion: 11 })).toBeUndefined();
    expect(await tickets.restore(id)).toMatchObject({ id, version: 13 });
  });

  it('goes through lists, however long', async () => {
    const made = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((title) => ada.tickets.create({ title, tags: ['long list'] })));
    for (const { id } of made) await ada.tickets.get(id, {}, { minVersion: 1 });
    const wanted = { tag: 'long list', sort: 'number', pageSize: 2 } as const;
    expect((await collected(ada.tickets.all(wanted))).map(({ number }) => number)).toEqual(made.map(({ number }) => number).sort((a, b) => a - b));
    expect(await ada.tickets.list({ ...wanted, status: ['open', 'closed'], page: 3 })).toMatchObject({ page: 3, total: 5, items: [expect.anything()] });
    expect(await ada.tickets.counts({ tag: ['long list', 'another'] })).toMatchObject({ open: 5, total: 5 });
    expect((await ada.stats({ assistantId: 'billing-bot' })).days).toHaveLength(30);
  });

  it('hears of events as they happen, and reads them from any place on, of the real gateway', async () => {
    const leave = new AbortController();
    const heard: string[] = [];
    const before = ada.events.after();
    for await (const _ of before);
    const listening = (async () => {
      for await (const { id, data } of ada.stream({ signal: leave.signal })) {
        heard.push(`${id === '' ? 'no place' : ''}${data.ticketId}:${data.version}`);
        if (heard.length === 2) leave.abort();
      }
    })();
    listening.catch(() => undefined);
    await eventually(async () => {
      if (heard.length === 0) await ada.tickets.create({ title: 'Is anybody there?' }); // the stream may not be open yet
      return heard.length > 0;
    });
    const { id } = await ada.tickets.create({ title: 'Heard' });
    await eventually(() => leave.signal.aborted);
    await listening.catch(() => undefined);
    await ada.tickets.get(id, {}, { minVersion: 1 });
    const fed = (await collected(ada.events.after(before.position))).map((event) => event.id);
    expect(fed).toEqual(expect.arrayContaining([...heard, `${id}:1`]));
  });

  it('opens one ticket however often it is asked to under one key', async () => {
    const idempotencyKey = randomUUID();
    const [first, again] = [await ada.tickets.create({ title: 'once' }, { idempotencyKey }), await ada.tickets.create({ title: 'once' }, { idempotencyKey })];
    expect(again.id).toBe(first.id);
  });

  it('tells what is refused, and why', async () => {
    const { id } = await ada.tickets.create({ title: 'x' });
    await expect(ada.tickets.create({ title: '' })).rejects.toMatchObject({ type: 'validation-failed', status: 422, errors: [{ pointer: '/title' }], requestId: expect.any(String) });
    await expect(ada.tickets.move(id, { to: 'closed' })).rejects.toMatchObject({ type: 'invalid-transition', status: 409, body: { allowed: ['pending'] } });
    await expect(ada.tickets.update(id, { title: 'y' }, { ifVersion: 9 })).rejects.toMatchObject({ type: 'version-conflict', body: { current: 1 } });
    await expect(ada.commands.get(randomUUID())).rejects.toMatchObject({ type: 'not-found' });
  });

  it('knows people, assistants and keys', async () => {
    expect(await ada.me()).toMatchObject({ id: 'ada', orgId: org });
    expect((await ada.members()).map(({ id }) => id)).toEqual(expect.arrayContaining(['ada', 'grace', 'linus']));
    expect((await ada.assistants()).map(({ id }) => id)).toEqual(expect.arrayContaining(['billing-bot', 'tech-bot']));
    const { organisation: own } = ada;
    expect(await own.putAssistant('new-bot', { name: 'New', memberIds: ['grace'] })).toEqual(await own.assistant('new-bot'));
    await own.deleteAssistant('new-bot');
    await expect(own.assistant('new-bot')).rejects.toMatchObject({ type: 'not-found' });
    const away = await own.setAvailability('grace', { ...(await own.availability('grace')), away: { until: null } });
    expect(away).toEqual(await own.availability('grace'));
    await own.deleteMember('linus');
    expect((await ada.members()).map(({ id }) => id)).not.toContain('linus');
    const { id, secret } = await keyWithSecret({ name: 'k', assistantId: 'tech-bot', scopes: ['tickets:read'] });
    expect(await new Deskstream({ baseUrl: stack.gatewayUrl, token: secret! }).me()).toMatchObject({ type: 'agent', id: 'tech-bot' });
    expect((await ada.apiKeys.list()).map((key) => key.id)).toContain(id);
    await ada.apiKeys.delete(id);
    expect((await ada.apiKeys.list()).map((key) => key.id)).not.toContain(id);
  });

  it('registers an outside system, finds what was given up on of it, and sends that back once', async () => {
    const { producers, deadLetters } = ada;
    const id = `crm-${randomUUID().slice(0, 8)}`;
    const registered = await producers.register({ id, name: 'CRM', commands: ['create'] });
    expect(registered).toMatchObject({ id, assistantIds: [], topics: { inbound: `ticket.inbound.${id}.v1` } });
    expect(await producers.replace(id, { name: 'Customers', commands: ['create'] })).toEqual(await producers.get(id));
    const [outside, externalId] = [new RecordProducer({ brokers: stack.kafkaBrokers.split(','), clientId: 'outside' }), randomUUID()];
    await outside.connect();
    await outside.send([inboundRecord(id, { verb: 'add-comment', orgId: org, externalId, data: { kind: 'comment', body: 'Not yet.' } })]);
    await outside.close();
    const [letter] = await eventually(async () => {
      const found = await collected(deadLetters.list({ limit: 1 }));
      return found.length > 0 && found;
    });
    expect(await deadLetters.get(letter!.id)).toMatchObject({ reason: 'producer-not-allowed', state: 'waiting', value: expect.stringContaining(externalId) });
    expect([(await deadLetters.replay(letter!.id)).state, (await deadLetters.replay(letter!.id)).state]).toEqual(['replayed', 'replayed']);
    const again = await eventually(async () => (await collected(deadLetters.list())).find(({ id: other }) => other !== letter!.id) ?? false);
    expect((await deadLetters.discard(again.id, 'a test')).state).toBe('discarded');
    await producers.delete(id);
    expect((await producers.list()).map((one) => one.id)).not.toContain(id);
  });

  it('follows a write that is not decided in time until it is', async () => {
    const handler = stack.apps['ticket-command'][0]!;
    const promised = async () => Number(/deskstream_commands_accepted_total\{why="late"\} (\d+)/.exec(await (await fetch(`${stack.apps.gateway[0]!.managementUrl}/metrics`)).text())?.[1] ?? 0);
    const { id } = await ada.tickets.create({ title: 'slow' });
    const before = await promised();
    await handler.kill('SIGSTOP');
    const writing = Promise.all([ada.tickets.comment(id, 'late'), ada.tickets.move(id, { to: 'closed' }).catch((error: unknown) => error)]);
    await eventually(async () => (await promised()) >= before + 2);
    await handler.kill('SIGCONT');
    expect(await writing).toMatchObject([{ comment: { body: 'late' }, ticket: { commentCount: 1 } }, { type: 'invalid-transition', status: 409 }]);
  });
});

describe('the packed client', () => {
  const place = temporaryFolder('client-package');
  let folder: StrangersFolder;
  beforeAll(async () => void (folder = await StrangersFolder.with(place)));
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it('is there for programs and compilers elsewhere, on its own', async () => {
    expect(await folder.node(['--input-type=module', '-e', "import * as client from '@deskstream/client'; console.log(Object.keys(client).join())"])).toBe('Deskstream,DeskstreamNoAnswer,DeskstreamProblem\n');
    folder.write('right.ts', "import { Deskstream, type Ticket } from '@deskstream/client';\nexport const open = async (desk: Deskstream): Promise<Ticket['status']> => (await desk.tickets.create({ title: 'x' })).status;\n");
    folder.write('wrong.ts', "import type { Ticket } from '@deskstream/client';\nexport const wrong = (ticket: Ticket) => ticket.stattus;\n");
    expect(await folder.complaints('right.ts')).toBe('');
    expect(await folder.complaints('wrong.ts')).toMatch(/^wrong\.ts.*stattus/);
  });

  it('carries an agent from a conversation to the resolution of its ticket', async () => {
    folder.copy('examples/agent.mjs', 'agent.mjs');
    expect(await folder.complaints('agent.mjs')).toBe('');
    const scopes = Scope.options.filter((scope) => ['tickets:read', 'tickets:write', 'tickets:transition', 'replies:write'].includes(scope));
    const { secret } = await keyWithSecret({ name: 'agent', assistantId: 'billing-bot', scopes });
    const said = await folder.node(['agent.mjs'], { DESKSTREAM_URL: stack.gatewayUrl, DESKSTREAM_KEY: secret! });
    expect(said).toMatch(/^I am Billing assistant of .*\nOpened ticket #\d+ /);

    const grace: Client = clientOf(stack, { org, sub: 'grace' });
    const path = `/tickets/${/\(([0-9a-f-]{36})\)/.exec(said)![1]}`;
    expect((await grace.get(path)).body).toMatchObject({ status: 'resolved', channel: 'agent', createdBy: { type: 'agent', id: 'billing-bot' }, commentCount: 3, requester: { email: 'rita@example.com' } });
    const items = async (page: string) => (await grace.get(`${path}/${page}`)).body['items'] as Record<string, unknown>[];
    expect((await items('conversation')).map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect((await items('comments')).map(({ kind }) => kind)).toEqual(['comment', 'reply', 'comment']);
    const timeline = await items('timeline');
    const types = ['created', 'tool-call-recorded', 'status-changed', 'comment-added', 'comment-added', 'conversation-appended', 'status-changed'];
    expect(timeline.map(({ type }) => type)).toEqual(types);
    expect(timeline[1]).toMatchObject({ data: { tool: 'find-invoice', result: { charged: 149, agreed: 129 } } });
    expect(said).toContain(types.map((type, index) => `  ${index + 1}. ${type}`).join('\n'));
  });

  it('carries an enterprise system through 1,000 records, and tells it what became of each', async () => {
    const system = `crm-${randomUUID().slice(0, 8)}`;
    const admin = clientOf(stack, { org, sub: 'ada' });
    await folder.install('kafkajs');
    folder.copy('examples/enterprise.mjs', 'enterprise.mjs');
    expect(await folder.complaints('enterprise.mjs')).toBe('');
    expect(await admin.post('/producers', { id: system, name: 'Customer relations', commands: ['create', 'add-comment', 'change-status'] })).toMatchObject({ status: 201 });
    const said = await folder.node(['enterprise.mjs'], { KAFKA_BROKERS: stack.kafkaBrokers, DESKSTREAM_ORG: org, DESKSTREAM_SYSTEM: system });
    expect(said).toMatch(/^1000 records published and answered in [\d.]+ s\.\n {2}applied: 750\n {2}unchanged: 0\n {2}rejected: 250\n/);
    expect(said).toMatch(/The last ticket: #\d+, pending, version 3\./);
    await eventually(async () => {
      const { body } = await admin.get('/tickets?tag=delivery&status=pending&pageSize=1');
      expect(body).toMatchObject({ total: 250, items: [{ channel: 'kafka', createdBy: { type: 'system', id: system, name: 'Customer relations' }, commentCount: 1, priority: 'high', version: 3 }] });
      return true;
    });
  });

  it('tells an enterprise system that is not registered so', async () => {
    const env = { KAFKA_BROKERS: stack.kafkaBrokers, DESKSTREAM_ORG: org, DESKSTREAM_SYSTEM: `not-${org}` };
    await expect(folder.node(['enterprise.mjs'], env)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^Not connected: .* is not registered/m) });
  });

  it('tells an agent without a key what it needs, and one with a wrong key that it is refused', async () => {
    await expect(folder.node(['agent.mjs'])).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('DESKSTREAM_KEY') });
    await expect(folder.node(['agent.mjs'], { DESKSTREAM_URL: stack.gatewayUrl, DESKSTREAM_KEY: 'dsk_x' })).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('unauthenticated (401)') });
  });

  it('tells an enterprise system what happens on its tickets, also what happened while it was away', async () => {
    await stack.add('assignment-notification'); // last of all: where it is, it has its say on tickets of others, too
    const system = `crm-${randomUUID().slice(0, 8)}`;
    const env = { KAFKA_BROKERS: stack.kafkaBrokers, DESKSTREAM_SYSTEM: system };
    folder.copy('examples/outbound.mjs', 'outbound.mjs');
    expect(await folder.complaints('outbound.mjs')).toBe('');
    await expect(folder.node(['outbound.mjs'], { KAFKA_BROKERS: '' })).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('KAFKA_BROKERS') });
    await expect(folder.node(['outbound.mjs'], env)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^Not told anything \(.*\)\. Is .* registered with "outbound"\?$/m) });
    await ada.producers.register({ id: system, name: 'CRM', commands: ['create'], assistantIds: ['billing-bot'], outbound: {} });

    const { id, number } = await ada.tickets.create({ title: 'Order 1 is late', assistantId: 'billing-bot' });
    await ada.tickets.note(id, 'A secret');
    const first = folder.start(['outbound.mjs'], env);
    await ada.tickets.move(id, { to: 'pending', comment: 'Asked the carrier' });
    const told = (line: string) => `${org} #${number} ${line}\n`;
    await eventually(() => expect(first.said).toBe(`Following what happens on the tickets of ${system}.\n${told('created by Ada Lovelace: Order 1 is late')}${told('status-changed by Ada Lovelace: open -> pending after 0.0 h')}`));
    expect(await first.end()).toBe(0);
    await ada.tickets.comment(id, 'It is there');
    const second = folder.start(['outbound.mjs'], env);
    await eventually(() => expect(second.said.endsWith(told('comment-added by Ada Lovelace: It is there'))).toBe(true));
    expect(await second.end()).toBe(0);
  });
});
