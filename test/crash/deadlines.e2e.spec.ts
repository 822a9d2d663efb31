import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventId, eventSource, topics, type Ticket } from '#contracts';
import { RecordProducer, toHeaders, type OutgoingRecord } from '#messaging';
import { openDatabase, type Database } from '#persistence';
import { Course, course } from '../../apps/assignment-notification/testing/course.js';
import { abortAt, deadlinePoints, undisturbed } from '../support/abort-plan.js';
import type { AppChanges, AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

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
  await eventually(async () => expect((await hank.post('/sla-policies', { name: 'Raising', targets: { normal: { firstReply: 60 }, low: { firstReply: 60 } }, onMissed: [{ type: 'raise-priority' }] })).status).toBe(201));
  // Time from before a policy was made counts for none, and nobody waits for an hour here.
  for (const orgId of [org, hasty]) await longThere(orgId);
});
afterEach(() => restarted(undisturbed, undisturbed));
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tail?.close(), store?.close(), producer?.close()]);
});

/** Kills both, and starts them anew. */
async function restarted(...changes: [AppChanges, AppChanges]): Promise<void> {
  await Promise.all([one, other].map((app) => app.end(0)));
  await forgetService(stack.kafkaBrokers, 'assignment-notification');
  await Promise.all([one.restart(changes[0]), other.restart(changes[1])]);
}

/** Has the policy of an organisation be there since long ago. */
async function longThere(orgId: string): Promise<void> {
  const books = store.db.collection<{ _id: string; rules: string; revision: number }>('sla_books');
  const { rules, revision } = (await books.findOne({ _id: orgId }))!;
  const { matchedCount } = await books.updateOne({ _id: orgId, revision }, { $set: { rules: rules.replace(/"since":"[^"]*"/, '"since":"2020-01-01T00:00:00.000Z"'), revision: revision + 1 } });
  expect(matchedCount).toBe(1);
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

/** Lets time pass for such tickets: their timers, and what these count from, are set in the store that they live in. Whoever writes one just then is waited for. */
async function setDue(ids: readonly string[], dueAt: (index: number) => number, orgId = org): Promise<void> {
  const tickets = store.db.collection<{ _id: string; clocks: string; turn: number }>('watched_tickets');
  const left = new Map(ids.map((id, index) => [`${orgId}/${id}`, dueAt(index)]));
  await eventually(async () => {
    const found = await tickets.find({ _id: { $in: [...left.keys()] } }).sort({ _id: 1 }).toArray();
    const writes = found.flatMap(({ _id, clocks, turn }) => {
      const due = left.get(_id)!;
      const set = JSON.stringify(JSON.parse(clocks, (name, value: unknown) => (name === 'begunAt' ? due - 60 * minute : value)));
      if (set === clocks) left.delete(_id);
      return set === clocks ? [] : [{ updateOne: { filter: { _id, turn }, update: { $set: { clocks: set, turn: turn + 1, lookAt: new Date(due) } } } }];
    });
    for (let i = 0; i < writes.length; i += 1_000) await tickets.bulkWrite(writes.slice(i, i + 1_000), { ordered: false });
    return left.size === 0;
  });
}

/** The reply to such a ticket, as it is published when it is given. */
async function replied(id: string): Promise<void> {
  const at = Date.now();
  const createdAt = new Date(at - minute).toISOString();
  await producer.send([recordOf(Course.begin(org, id).at(createdAt).created({ createdAt }).at(new Date(at).toISOString()).replied())]);
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
const allTold = (ids: readonly string[], type: string) => eventually(async () => expect((await told(ids, type)).size).toBe(ids.length), 120_000);
/** As of when something was told. */
const timeOf = (text: string) => Date.parse((JSON.parse(text.slice(text.indexOf('{'))) as { at: string }).at);

describe('deadlines that pass while nobody watches', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)('after a %s are met where the reply lies unread on the topic, and missed soon where there is none', async (signal) => {
    const soon = Date.now() + 10 * minute;
    const ids = await openedDueAt(Array.from({ length: 20 }, () => soon));
    const [kept, broken] = [ids.slice(0, 10), ids.slice(10)];
    await allTold(ids, 'deadline-warning');
    await Promise.all([one, other].map((app) => app.kill(signal)));
    for (const id of kept) await replied(id);
    const dueAt = Date.now();
    await setDue(ids, () => dueAt);
    expect((await told(ids, 'deadline-missed')).size).toBe(0);
    if (signal === 'SIGSTOP') await Promise.all([one, other].map((app) => app.kill('SIGCONT')));
    else [one, other].forEach((app) => app.start());
    await allTold(kept, 'deadline-met');
    await allTold(broken, 'deadline-missed');
    expect([...(await told(kept, 'deadline-missed')).keys(), ...(await told(broken, 'deadline-met')).keys()]).toEqual([]);
  });
});

/** Of a process: when it looked at timers last, and up to when deadlines are judged, ms since the epoch. */
async function timersOf({ managementUrl }: AppHandle): Promise<{ looked: number; judged: number }> {
  const text = await (await fetch(`${managementUrl}/metrics`)).text();
  const [looked, judged] = ['last_timer_look', 'timers_judged'].map((name) => 1_000 * Number(new RegExp(`^deskstream_assignment_${name}_seconds (\\S+)$`, 'm').exec(text)?.[1])) as [number, number];
  return { looked, judged };
}

describe('a reply that was stored in time', () => {
  it('is not told as missing where its service dies before it is published, and met once it is', async () => {
    const [decider] = stack.apps['ticket-command'] as [AppHandle];
    await decider.restart(abortAt({ point: 'after-insert', armed: 'later' }));
    const opened = async () => (await hank.post('/tickets', { title: 'In time' })).body['id'] as string;
    const [kept, broken] = [await opened(), await opened()];
    await allTold([kept, broken], 'deadlines-changed');
    process.kill(decider.pid, 'SIGUSR2');
    await eventually(() => decider.logs().includes('armed\n'));
    const replying = hank.post(`/tickets/${kept}/replies`, { body: 'Here it is.' });
    await eventually(() => !decider.isRunning);
    const dueAt = Date.now();
    await setDue([kept, broken], () => dueAt, hasty);
    const looks = () => Promise.all([one, other].map(timersOf));
    // Whoever counted on what was heard would have told by then.
    await eventually(async () => expect((await looks()).every(({ looked }) => looked > dueAt + 5_000)).toBe(true));
    expect([(await looks()).map(({ judged }) => judged < dueAt), (await told([kept, broken], 'deadline-missed')).size]).toEqual([[true, true], 0]);
    await decider.restart(undisturbed);
    await replying;
    await allTold([kept], 'deadline-met');
    await allTold([broken], 'deadline-missed');
    expect([...(await told([kept], 'deadline-missed')).keys(), ...(await told([broken], 'deadline-met')).keys()]).toEqual([]);
  });
});

describe('a deadline that is missed', () => {
  it.each(deadlinePoints)('%s: is told once, and done about once, when the service is killed there', async (point) => {
    await other.end();
    await one.end();
    const ids = await openedDueAt(Array.from({ length: 20 }, () => Date.now() - 1_000), { priority: 'low' }, hasty);
    one.start(abortAt({ point }));
    await eventually(() => !one.isRunning);
    const before = await told(ids, 'deadline-missed');
    expect(before.size > 0).toBe(point !== 'after-missed');
    await one.restart(undisturbed);
    await allTold(ids, 'deadline-missed');
    for (const texts of (await told(ids, 'deadline-missed')).values()) expect(texts).toHaveLength(1);
    await eventually(async () => expect(await store.db.collection('watched_tickets').countDocuments({ orgId: hasty, isUnsent: true })).toBe(0));
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
    await restarted(clockAhead(120 * minute), clockAhead(-120 * minute));
    const soon = Date.now() + 10 * minute;
    const ids = await openedDueAt(Array.from({ length: 50 }, () => soon));
    await allTold(ids, 'deadline-warning');
    const dueAt = Date.now() + 8_000;
    await setDue(ids, () => dueAt);
    while (Date.now() < dueAt) {
      const early = await told(ids, 'deadline-missed');
      if (Date.now() < dueAt) expect(early.size).toBe(0);
    }
    await allTold(ids, 'deadline-missed');
    for (const texts of (await told(ids, 'deadline-missed')).values()) expect(texts.map((text) => timeOf(text) >= dueAt)).toEqual([true]);
  });
});

describe('10,000 timers that run out within a minute', () => {
  it('are each told once and not early by two instances of which one stands still for a while', async () => {
    const much = Date.now() + 50 * minute;
    const ids = await openedDueAt(Array.from({ length: 10_000 }, () => much));
    const unsent = () => store.db.collection('watched_tickets').countDocuments({ orgId: org, isUnsent: true });
    await eventually(async () => expect([await store.db.collection('watched_tickets').countDocuments({ orgId: org }) >= 10_000, await unsent()]).toEqual([true, 0]), 120_000);
    const from = Date.now() + 5_000;
    const dueAt = new Map(ids.map((id, i) => [id, from + i]));
    await setDue(ids, (i) => from + i);
    const missed = async (count: number) => eventually(async () => expect((await told(ids, 'deadline-missed')).size).toBeGreaterThanOrEqual(count), 120_000);
    await missed(2_000);
    process.kill(other.pid, 'SIGSTOP');
    await missed(7_000);
    process.kill(other.pid, 'SIGCONT');
    await missed(10_000);
    await eventually(async () => expect(await store.db.collection('watched_tickets').countDocuments({ orgId: org, $or: [{ isUnsent: true }, { lookAt: { $exists: true } }] })).toBe(0));
    const all = await told(ids, 'deadline-missed');
    const late = [...all].flatMap(([id, texts]) => texts.map((text) => timeOf(text) - dueAt.get(id)!));
    expect([late.length, all.size, Math.min(...late) >= 0]).toEqual([10_000, 10_000, true]);
  });
});
