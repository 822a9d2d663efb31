import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inboundResultsTopic, problemName, topics, type EventValue, type InboundResult } from '#contracts';
import { RecordProducer } from '#messaging';
import { Client, clientOf, type Answer } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { everyVerb, freshSystem, grantOf, inboundRecord, makeSystemTopics, publishEntries } from '../support/inbound.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const org = `doors-${randomUUID().slice(0, 8)}`;
const system = freshSystem('doors');
let stack: Stack;
let ada: Client;
let producer: RecordProducer;
let tail: TopicTail;

/** What somebody asks for, whichever door they come through. */
interface Wish {
  verb: string;
  /** Of a ticket that there is. */
  ticketId?: string;
  expectedVersion?: number;
  data: Record<string, unknown>;
  /** Tells a repeat. */
  key: string;
}

/** What they were told: `ok`, or a problem by its name with its own members. */
interface Told {
  outcome: string;
  extra: Record<string, unknown>;
  ticketId: string | undefined;
  version: number | undefined;
  isRepeat: boolean;
}

interface Door {
  actor: { type: string; id: string; name: string };
  channel: string;
  /** What it answers to somebody without the right. */
  noRight: string;
  ask(wish: Wish): Promise<Told>;
}

const routes: Record<string, (wish: Wish) => [method: string, path: string, body?: unknown]> = {
  create: ({ data }) => ['POST', '/tickets', data],
  'change-status': ({ ticketId, data }) => ['POST', `/tickets/${ticketId}/transitions`, data],
  'add-comment': ({ ticketId, data: { kind, body } }) => ['POST', `/tickets/${ticketId}/${kind}s`, { body }],
  'update-details': ({ ticketId, data }) => ['PATCH', `/tickets/${ticketId}`, data],
  restore: ({ ticketId }) => ['POST', `/tickets/${ticketId}/restore`],
};

const common = new Set(['type', 'title', 'status', 'detail', 'instance', 'requestId']);
const extraOf = (problem: object) => Object.fromEntries(Object.entries(problem).filter(([name]) => !common.has(name)));

async function overRest(client: Client, wish: Wish): Promise<Told> {
  const [method, path, body] = routes[wish.verb]!(wish);
  const version: Record<string, string> = wish.expectedVersion === undefined ? {} : { 'if-match': `"${wish.expectedVersion}"` };
  const answer = await client.send(method, path, body, { 'idempotency-key': wish.key, ...version });
  const isRepeat = answer.headers.get('idempotency-replayed') === 'true';
  if (answer.status >= 400) return { outcome: problemName(answer.body as never), extra: extraOf(answer.body), ticketId: wish.ticketId, version: undefined, isRepeat };
  const ticket = (answer.body['ticket'] ?? answer.body) as Answer['body'];
  return { outcome: 'ok', extra: {}, ticketId: ticket['id'] as string, version: ticket['version'] as number, isRepeat };
}

async function overTopic({ verb, ticketId, expectedVersion, data, key }: Wish): Promise<Told> {
  const seen = (await results()).length;
  await producer.send([inboundRecord(system, { verb, orgId: org, ...(ticketId && { ticketId }), ...(expectedVersion && { expectedVersion }), data }, key)]);
  const told = await eventually(async () => (await results()).slice(seen).find(({ ceId }) => ceId === key) ?? false);
  const { problem, ticket, duplicate } = told.value;
  return { outcome: problem ? problemName(problem) : 'ok', extra: problem ? extraOf(problem) : {}, ticketId: ticket?.id ?? ticketId, version: ticket?.version, isRepeat: duplicate === true };
}

/** In the order in which they came: the topic has one partition here. */
async function results() {
  await tail.readToEnd();
  return tail.records(inboundResultsTopic(system)).map(({ key, value }) => ({ ceId: key!.toString(), value: JSON.parse(value!.toString()) as InboundResult }));
}

beforeAll(async () => {
  stack = await startStack({ directory: { organisations: [organisation(org)] } });
  ada = clientOf(stack, { org, sub: 'ada' });
  producer = new RecordProducer({ brokers: stack.kafkaBrokers.split(','), clientId: 'doors' });
  await Promise.all([producer.connect(), makeSystemTopics(stack.kafkaBrokers, system, { partitions: 1 })]);
  tail = await TopicTail.open(stack.kafkaBrokers, [inboundResultsTopic(system), topics.events]);
  await publishEntries(producer, grantOf(system, org, { commands: everyVerb.filter((verb) => verb !== 'restore') }));
});
afterAll(async () => {
  await Promise.all([tail?.close(), producer?.close(), stack?.stop()]);
});

async function doors(): Promise<Record<string, Door>> {
  const grace = clientOf(stack, { org, sub: 'grace' });
  const scopes = ['tickets:read', 'tickets:write', 'tickets:transition', 'tickets:assign', 'notes:write'];
  const { secret } = await ada.apiKey({ name: 'doors', assistantId: 'billing-bot', scopes });
  const agent = new Client(secret as string, stack.gatewayUrls);
  return {
    'REST with a person’s token': { actor: { type: 'member', id: 'grace', name: 'Grace Hopper' }, channel: 'api', noRight: 'forbidden', ask: (wish) => overRest(grace, wish) },
    'REST with an API key': { actor: { type: 'agent', id: 'billing-bot', name: 'Billing assistant' }, channel: 'agent', noRight: 'forbidden', ask: (wish) => overRest(agent, wish) },
    'the inbound topic': { actor: { type: 'system', id: system, name: `The ${system}` }, channel: 'kafka', noRight: 'producer-not-allowed', ask: overTopic },
  };
}

/** The history of a ticket as an administrator reads it: what is audited, and who did it. */
async function history(ticketId: string, version: number) {
  await ada.shown(ticketId, version);
  const { body } = await ada.get(`/tickets/${ticketId}/timeline?limit=100`);
  return body['items'] as { version: number; type: string; actor: unknown; data: Record<string, unknown> }[];
}

/** The events of a ticket as they were published, in the order of their partition. */
async function published(ticketId: string) {
  await tail.readToEnd();
  const events = tail.records(topics.events).filter(({ key }) => key?.toString() === ticketId);
  const firsts = events.filter(({ headers }, at) => events.findIndex((event) => event.headers['ce_id'] === headers['ce_id']) === at);
  return firsts.map(({ headers, value }) => ({ headers: { ...headers }, value: JSON.parse(value!.toString()) as EventValue }));
}

/** What differs from ticket to ticket and from door to door: ids, times, who, and the door itself. Everything else is the same. */
const own = new Set(['commandId', 'number', 'at', 'createdAt', 'updatedAt', 'ce_time', 'traceparent', 'actor', 'author', 'createdBy', 'channel']);

/** The same with the ticket's id and such members as signs. */
function compared(part: unknown, ticketId: string, name = ''): unknown {
  if (own.has(name)) return `<${name}>`;
  if (typeof part === 'string') return part.replaceAll(ticketId, '<ticket>');
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map((one) => compared(one, ticketId));
  const members = Object.entries(part).map(([key, value]) => [key, name === 'comment' && key === 'id' ? '<comment>' : compared(value, ticketId, key)] as const);
  return Object.fromEntries(members);
}

describe('the same wish through every door', () => {
  it('has the same outcome, the same event and the same place in the history', async () => {
    const foreign = await ada.ticket({ assistantId: 'tech-bot' });
    const seen: Record<string, unknown> = {};
    const all = await doors();
    for (const [name, { actor, channel, noRight, ask }] of Object.entries(all)) {
      const told: unknown[] = [];
      const made: { ticketId?: string } = {};
      const wish = async (what: string, verb: string, { key = randomUUID() as string, ...others }: Partial<Wish> & { data: Record<string, unknown> }) => {
        const { outcome, extra, version, isRepeat, ticketId: id } = await ask({ verb, key, ...made, ...others });
        told.push([what, outcome === noRight ? 'no right' : outcome, outcome === noRight ? {} : extra, version, isRepeat && outcome === 'ok']);
        if (verb === 'create') made.ticketId = id!;
      };
      await wish('create', 'create', { data: { title: ' Invoice 4711 ', priority: 'high', assistantId: 'billing-bot', tags: ['invoice', 'invoice'], assignee: { type: 'member', id: 'grace' } } });
      await wish('illegal move', 'change-status', { data: { to: 'closed' } });
      await wish('move', 'change-status', { data: { to: 'in_progress', comment: 'Looking into it' } });
      await wish('comment', 'add-comment', { data: { kind: 'comment', body: 'The customer called.' } });
      await wish('note', 'add-comment', { data: { kind: 'note', body: 'A friend of the boss.' } });
      await wish('stale version', 'update-details', { expectedVersion: 2, data: { priority: 'low' } });
      const key = randomUUID();
      await wish('once', 'update-details', { key, data: { customFields: { region: 'north' } } });
      await wish('repeat', 'update-details', { key, data: { customFields: { region: 'north' } } });
      await wish('the same key for something else', 'update-details', { key, data: { priority: 'low' } });
      await wish('no change', 'update-details', { data: { priority: 'high' } });
      await wish('foreign ticket', 'add-comment', { ticketId: foreign['id'] as string, data: { kind: 'comment', body: 'Mine?' } });
      await wish('ticket that is not there', 'add-comment', { ticketId: randomUUID(), data: { kind: 'comment', body: 'Mine?' } });
      await wish('no right', 'restore', { data: {} });
      const [audit, events] = [await history(made.ticketId!, 5), await published(made.ticketId!)];
      expect([name, audit.map((entry) => entry.actor), events.map(({ value }) => value.actor)]).toEqual([name, audit.map(() => actor), audit.map(() => actor)]);
      expect([name, events.map(({ value }) => value.ticket.channel), events.map(({ value }) => value.ticket.createdBy)]).toEqual([name, audit.map(() => channel), audit.map(() => actor)]);
      const { body } = await ada.get(`/tickets/${made.ticketId}`);
      expect([name, body['channel'], body['createdBy'], body['version']]).toEqual([name, channel, actor, 5]);
      seen[name] = { told, audit: compared(audit, made.ticketId!), events: compared(events, made.ticketId!) };
    }
    const [first, ...others] = Object.values(seen);
    for (const other of others) expect(other).toEqual(first);
    expect(first).toMatchObject({
      told: [
        ['create', 'ok', {}, 1, false],
        ['illegal move', 'invalid-transition', { from: 'open', to: 'closed', allowed: ['pending'] }, undefined, false],
        ['move', 'ok', {}, 2, false],
        ['comment', 'ok', {}, 3, false],
        ['note', 'ok', {}, 4, false],
        ['stale version', 'version-conflict', { current: 4 }, undefined, false],
        ['once', 'ok', {}, 5, false],
        ['repeat', 'ok', {}, 5, true],
        ['the same key for something else', 'idempotency-key-reused', {}, undefined, false],
        ['no change', 'ok', {}, 5, false],
        ['foreign ticket', 'not-found', {}, undefined, false],
        ['ticket that is not there', 'not-found', {}, undefined, false],
        ['no right', 'no right', {}, undefined, false],
      ],
      events: ['created', 'status-changed', 'comment-added', 'comment-added', 'details-updated'].map((type, at) => ({
        headers: { ce_type: `ticket.${type}.v1`, ce_id: `<ticket>:${at + 1}` },
        value: { orgId: org, version: at + 1, ticket: { id: '<ticket>', version: at + 1, title: 'Invoice 4711', tags: ['invoice'] } },
      })),
    });
    expect((await ada.get(`/tickets/${foreign['id']}`)).body['version']).toBe(1);
  });

  it('is done for one ticket only, where an outside system uses the id of its record for another one', async () => {
    const [first, second] = [await overTopic({ verb: 'create', data: { title: 'One' }, key: randomUUID() }), await overTopic({ verb: 'create', data: { title: 'Other' }, key: randomUUID() })];
    const comment = { verb: 'add-comment', data: { kind: 'comment', body: 'Paid.' }, key: randomUUID() };
    const told: Told[] = [];
    for (const { ticketId } of [first, second, first, second]) told.push(await overTopic({ ...comment, ticketId }));
    expect(told.map(({ outcome, version, isRepeat }) => [outcome, version, isRepeat])).toEqual([
      ['ok', 2, false],
      ['idempotency-key-reused', undefined, true],
      ['ok', 2, true],
      ['idempotency-key-reused', undefined, true],
    ]);
    expect(await history(second.ticketId!, 1)).toHaveLength(1);
  });
});
