import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventId, eventSource, topics, type Ticket } from '#contracts';
import { RecordProducer, toHeaders, type OutgoingRecord } from '#messaging';
import { openDatabase, type Database } from '#persistence';
import { Course, course } from '../../apps/assignment-notification/testing/course.js';
import { abortAt, deadlinePoints, undisturbed } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

jest.setTimeout(240_000);

const [org, hasty] = ['kept', 'hasty'].map((name) => `${name}-${randomUUID().slice(0, 8)}`) as [string, string];
const minute = 60_000;
let stack: Stack;
let tail: TopicTail;
let store: Database;
let producer: RecordProducer;
let ada: Client;
/** Of another organisation. */
let hank: Client;
let one: AppHandle;
let other: AppHandle;

beforeAll(async () => {
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, [topics.commands, topics.events, topics.deadlines]);
  stack = await startStack({ instances: { 'query-search': 0, 'assignment-notification': 2 }, directory: { organisations: [organisation(org), organisation(hasty)] } });
  store = openDatabase({ uri: stack.mongodbUri, database: 'deskstream_assignment' });
  producer = new RecordProducer({ brokers: stack.kafkaBrokers.split(','), clientId: 'spec' });
  await producer.connect();
  [ada, hank] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org: hasty, sub: 'ada' })];
  [one, other] = stack.apps['assignment-notification'] as [AppHandle, AppHandle];
  await eventually(async () => expect((await ada.post('/sla-policies', { name: 'Quick', targets: { normal: { firstReply: 60 } } })).status).toBe(201));
  await eventually(async () => expect((await hank.post('/sla-policies', { name: 'At once', targets: { normal: { firstReply: 1 }, low: { firstReply: 60 } }, onMissed: [{ type: 'raise-priority' }] })).status).toBe(201));
  // Time from before a policy was made counts for none, and nobody waits for an hour or a minute here.
  await rewritten(org, (rules) => rules.replace(/"since":"[^"]*"/, '"since":"2020-01-01T00:00:00.000Z"'));
  await rewritten(hasty, (rules) => rules.replace(/"since":"[^"]*"/, '"since":"2020-01-01T00:00:00.000Z"').replace('"firstReply":1}', '"firstReply":0.2}'));
}, 120_000);
afterEach(async () => {
  await Promise.all([one, other].map((app) => app.restart(undisturbed)));
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tail?.close(), store?.close(), producer?.close()]);
}, 30_000);

/** Policies as no administrator may write them. */
async function rewritten(orgId: string, change: (rules: string) => string): Promise<void> {
  const books = store.db.collection<{ _id: string; rules: string; revision: number }>('sla_books');
  const { rules, revision } = (await books.findOne({ _id: orgId }))!;
  expect(change(rules)).not.toBe(rules);
  await books.updateOne({ _id: orgId, revision }, { $set: { rules: change(rules), revision: revision + 1 } });
}

/** The newest event of a ticket, as it is published. */
function recordOf({ events }: Course): OutgoingRecord {
  const { type, ...value } = events.at(-1)!;
  const { orgId, ticketId, version, at } = value;
  return { topic: topics.events, key: ticketId, value: JSON.stringify(value), headers: toHeaders({ id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId }) };
}

/** What a door would have accepted long ago: tickets whose first reply is due at these times. */
async function openedDueAt(times: readonly number[], changes: Partial<Ticket> = {}, orgId = org): Promise<string[]> {
  const records = times.map((dueAt): OutgoingRecord => {
    const createdAt = new Date(dueAt - 60 * minute).toISOString();
    return recordOf(course(orgId).at(createdAt).created({ createdAt, ...changes }));
  });
  for (let i = 0; i < records.length; i += 500) await producer.send(records.slice(i, i + 500));
  return records.map(({ key }) => String(key));
}

/** The reply to such a ticket, as it is published when it is given. */
async function replied(id: string): Promise<number> {
  const at = Date.now();
  const createdAt = new Date(at - minute).toISOString();
  await producer.send([recordOf(Course.begin(org, id).at(createdAt).created({ createdAt }).at(new Date(at).toISOString()).replied())]);
  return at;
}

/** Distinct messages of a type, by ticket. */
async function told(ids: readonly string[], type: string): Promise<Map<string, string[]>> {
  await tail.readToEnd();
  const wanted = new Set(ids);
  const records = tail.records(topics.deadlines).filter(({ headers }) => headers['ce_type'] === `ticket.${type}.v1` && wanted.has(headers['ce_subject']!));
  const bytes = new Map<string, Set<string>>();
  for (const { headers, value } of records) bytes.set(headers['ce_subject']!, (bytes.get(headers['ce_subject']!) ?? new Set()).add(`${headers['ce_id']} ${value}`));
  return new Map([...bytes].map(([id, texts]) => [id, [...texts]]));
}
const allTold = (ids: readonly string[], type: string, withinMs = 40_000) => eventually(async () => expect((await told(ids, type)).size).toBe(ids.length), withinMs);
const reached = (time: number) => eventually(() => Date.now() > time, time - Date.now() + 10_000);

describe('deadlines that pass while nobody watches', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)('after a %s are met where the reply lies unread on the topic, and missed soon where there is none', async (signal) => {
    const dueAt = Date.now() + 20_000;
    const ids = await openedDueAt(Array.from({ length: 20 }, () => dueAt));
    const [kept, broken] = [ids.slice(0, 10), ids.slice(10)];
    await allTold(ids, 'deadline-warning');
    await Promise.all([one, other].map((app) => app.kill(signal)));
    for (const id of kept) expect(await replied(id)).toBeLessThan(dueAt);
    expect((await told(ids, 'deadline-missed')).size).toBe(0);
    await reached(dueAt + 1_000);
    if (signal === 'SIGSTOP') await Promise.all([one, other].map((app) => app.kill('SIGCONT')));
    else [one, other].forEach((app) => app.start());
    await allTold(kept, 'deadline-met');
    await allTold(broken, 'deadline-missed');
    expect([...(await told(kept, 'deadline-missed')).keys(), ...(await told(broken, 'deadline-met')).keys()]).toEqual([]);
  });
});

describe('a reply that was stored in time', () => {
  it('is not told as missing where its service dies before it is published, and met once it is', async () => {
    const [decider] = stack.apps['ticket-command'] as [AppHandle];
    await decider.restart(abortAt({ point: 'after-insert', armed: 'later' }));
    const opened = async () => (await hank.post('/tickets', { title: 'At once' })).body as { id: string; createdAt: string };
    const [kept, broken] = [await opened(), await opened()];
    const ids = [kept.id, broken.id];
    const dueAt = Date.parse(broken.createdAt) + 0.2 * minute;
    await allTold(ids, 'deadlines-changed');
    process.kill(decider.pid, 'SIGUSR2');
    await eventually(() => decider.logs().includes('armed\n'));
    const replying = hank.post(`/tickets/${kept.id}/replies`, { body: 'Here it is.' });
    await eventually(() => !decider.isRunning);
    expect(Date.now()).toBeLessThan(dueAt);
    await reached(dueAt + 5_000);
    expect((await told(ids, 'deadline-missed')).size).toBe(0);
    await decider.restart(undisturbed);
    await replying;
    await allTold([kept.id], 'deadline-met');
    await allTold([broken.id], 'deadline-missed');
    expect([...(await told([kept.id], 'deadline-missed')).keys(), ...(await told([broken.id], 'deadline-met')).keys()]).toEqual([]);
  });
});

describe('a deadline that is missed', () => {
  it.each(deadlinePoints)('%s: is told once, and done about once, when the service is killed there', async (point) => {
    await other.end();
    await one.end();
    const ids = await openedDueAt(Array.from({ length: 20 }, () => Date.now() - 1_000), { priority: 'low' }, hasty);
    one.start(abortAt({ point }));
    await eventually(() => !one.isRunning, 60_000);
    const before = await told(ids, 'deadline-missed');
    expect(before.size > 0).toBe(point !== 'after-missed');
    await one.restart(undisturbed);
    await allTold(ids, 'deadline-missed', 60_000);
    for (const texts of (await told(ids, 'deadline-missed')).values()) expect(texts).toHaveLength(1);
    await eventually(async () => expect(await store.db.collection('watched_tickets').countDocuments({ orgId: hasty, isUnsent: true })).toBe(0), 60_000);
    await tail.readToEnd();
    const commands = tail.records(topics.commands).filter(({ headers }) => headers['ce_type'] === 'ticket.update-details.v1' && ids.includes(headers['ce_subject']!));
    expect(new Set(commands.map(({ headers, value }) => `${headers['ce_id']} ${value}`)).size).toBe(20);
    expect(new Set(commands.map(({ headers }) => headers['ce_subject'])).size).toBe(20);
  });
});

/** Has all of a process take it to be another time. */
const clockAhead = (ms: number) => {
  const source = `const Real = Date; globalThis.Date = class extends Real { constructor(...given) { if (given.length === 0) super(Real.now() + ${ms}); else super(...given); } static now() { return Real.now() + ${ms}; } };`;
  return { nodeOptions: ['--import', `data:text/javascript,${encodeURIComponent(source)}`] };
};

describe('two instances whose clocks are hours apart', () => {
  it('tell of each deadline once, and not before it is due', async () => {
    await Promise.all([one.restart(clockAhead(120 * minute)), other.restart(clockAhead(-120 * minute))]);
    const dueAt = Date.now() + 20_000;
    const ids = await openedDueAt(Array.from({ length: 50 }, () => dueAt));
    await allTold(ids, 'deadline-warning');
    while (Date.now() < dueAt) {
      const early = await told(ids, 'deadline-missed');
      if (Date.now() < dueAt) expect(early.size).toBe(0);
    }
    await allTold(ids, 'deadline-missed');
    expect(Date.now() - dueAt).toBeLessThan(20_000);
    for (const texts of (await told(ids, 'deadline-missed')).values()) expect(texts).toHaveLength(1);
  });
});

describe('10,000 timers that run out within a minute', () => {
  it('are each told once and in time by two instances of which one stands still for a while', async () => {
    const from = Date.now() + 30_000;
    const dueAt = new Map<string, number>();
    const times = Array.from({ length: 10_000 }, (_, i) => from + i * 4);
    for (const [i, id] of (await openedDueAt(times)).entries()) dueAt.set(id, times[i]!);
    const ids = [...dueAt.keys()];
    const missed = async (count: number) => eventually(async () => expect((await told(ids, 'deadline-missed')).size).toBeGreaterThanOrEqual(count), 120_000);
    await missed(2_000);
    process.kill(other.pid, 'SIGSTOP');
    await missed(7_000);
    process.kill(other.pid, 'SIGCONT');
    await missed(10_000);
    await eventually(async () => expect(await store.db.collection('watched_tickets').countDocuments({ orgId: org, $or: [{ isUnsent: true }, { lookAt: { $exists: true } }] })).toBe(0));
    const all = await told(ids, 'deadline-missed');
    const late = [...all].flatMap(([id, texts]) => texts.map((text) => Date.parse((JSON.parse(text.slice(text.indexOf('{'))) as { at: string }).at) - dueAt.get(id)!));
    expect([late.length, all.size, Math.min(...late) >= 0]).toEqual([10_000, 10_000, true]);
    expect(Math.max(...late)).toBeLessThan(30_000);
  });
});
