import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { topics, type EventValue } from '#contracts';
import { openDatabase, type Database } from '#persistence';
import { abortAt, undisturbed, type AbortPoint } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { memberEntry, tellDirectory } from '../support/directory-record.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const org = `chosen-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let tail: TopicTail;
let store: Database;
let ada: Client;
let app: AppHandle;
let revision = 1_000;

beforeAll(async () => {
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, [topics.commands, topics.events]);
  stack = await startStack({ instances: { 'query-search': 0, 'assignment-notification': 1 }, directory: { organisations: [organisation(org)] } });
  store = openDatabase({ uri: stack.mongodbUri, database: 'deskstream_assignment' });
  ada = clientOf(stack, { org, sub: 'ada' });
  [app] = stack.apps['assignment-notification'] as [AppHandle];
  const rule = { name: 'In turn', strategy: { type: 'round-robin', memberIds: ['ada', 'grace', 'linus'] } };
  await eventually(async () => expect((await ada.post('/assignment-rules', rule)).status).toBe(201));
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tail?.close(), store?.close()]);
});

const opened = (count: number) => Promise.all(Array.from({ length: count }, async () => (await ada.post('/tickets', { title: 'Once' })).body['id'] as string));

const recordsOf = (topic: string, id: string) => tail.records(topic).filter(({ headers }) => headers['ce_subject'] === id);
/** Distinct events that gave a ticket to somebody. */
function assignments(id: string) {
  const events = new Map(recordsOf(topics.events, id).map(({ headers, value }) => [headers['ce_id'], { type: headers['ce_type'], ...(JSON.parse(String(value)) as EventValue) }]));
  return [...events.values()].filter(({ type }) => type === 'ticket.assignee-changed.v1');
}
/** Distinct commands of rules on a ticket, as bytes. */
const commands = (id: string) => new Set(recordsOf(topics.commands, id).filter(({ headers }) => headers['ce_source'] === '/assignment-notification').map(({ headers, value }) => `${headers['ce_id']} ${value}`));

/** Commands that take a ticket away from whoever has it. */
const releases = (id: string) => recordsOf(topics.commands, id).filter(({ value }) => (JSON.parse(String(value)) as { data: { to?: unknown } }).data.to === null);

async function allAssigned(ids: readonly string[]) {
  await eventually(async () => {
    await tail.readToEnd();
    expect(ids.filter((id) => assignments(id).length === 0)).toEqual([]);
  });
  await eventually(async () => expect(await tail.lagOf('ticket-command', topics.commands)).toBe(0));
  await tail.readToEnd();
  for (const id of ids) expect([id, assignments(id).length, commands(id).size]).toEqual([id, 1, 1]);
}

/** Whom the store says was chosen, by ticket. */
async function stored(ids: readonly string[]): Promise<Map<string, string>> {
  const found = await store.db.collection('tickets').find({ ticketId: { $in: [...ids] }, 'need.state': 'chosen' }).toArray();
  return new Map(found.map(({ ticketId, need }) => [ticketId as string, (need as { choice: { to: { id: string } } }).choice.to.id]));
}

const everybodyIs = (away: { until: null } | null) => {
  revision += 1;
  return tellDirectory(stack.kafkaBrokers, organisation(org).members.map((member) => memberEntry(org, revision, { ...member, availability: { away } })));
};

describe('assignment-notification killed while it deals out tickets', () => {
  afterEach(() => everybodyIs(null));

  it.each<{ point: AbortPoint; chosen: boolean; sent: boolean }>([
    { point: 'after-facts', chosen: false, sent: false },
    { point: 'after-choice', chosen: true, sent: false },
    { point: 'after-forwards', chosen: true, sent: true },
  ])('$point: no ticket is forgotten, none is chosen for twice', async ({ point, chosen, sent }) => {
    await app.end();
    const ids = await opened(chosen ? 20 : 1); // others would have it looked at again
    app.start(abortAt({ point }));
    await eventually(() => !app.isRunning);
    await forgetService(stack.kafkaBrokers, 'assignment-notification');
    await tail.readToEnd();
    const before = await stored(ids);
    expect([before.size > 0, ids.some((id) => commands(id).size > 0)]).toEqual([chosen, sent]);
    // Whoever chose anew would choose otherwise now.
    if (chosen) await everybodyIs({ until: null });
    await app.restart(undisturbed);
    await eventually(async () => {
      await tail.readToEnd();
      expect([...before.keys()].filter((id) => assignments(id).length === 0)).toEqual([]);
    });
    if (chosen) await everybodyIs(null);
    await allAssigned(ids);
    for (const [id, whom] of before) expect(assignments(id)[0]!.ticket.assignee?.id).toBe(whom);
  });

  it.each<{ point: AbortPoint; sent: boolean }>([
    { point: 'after-hand-back', sent: false },
    { point: 'after-some-forwards', sent: true },
  ])('$point: what somebody hands back is given back, all of it and once', async ({ point, sent }) => {
    const key = { 'idempotency-key': randomUUID() };
    const ids = await opened(10);
    await allAssigned(ids);
    const [whom] = [...new Set(ids.map((id) => assignments(id)[0]!.ticket.assignee!.id))] as [string];
    const theirs = ids.filter((id) => assignments(id)[0]!.ticket.assignee!.id === whom);
    await eventually(async () => expect(await store.db.collection('tickets').countDocuments({ orgId: org, ticketId: { $in: theirs }, assigneeKey: `member:${whom}` })).toBe(theirs.length));
    const held = (await store.db.collection('tickets').find({ orgId: org, assigneeKey: `member:${whom}` }).toArray()).map(({ ticketId }) => ticketId as string);
    const before = held.flatMap(releases).length; // of an earlier request
    await app.restart(abortAt({ point }));
    const given = ada.ask('POST', `/members/${whom}/hand-back`, undefined, key);
    await eventually(() => !app.isRunning);
    await given;
    await tail.readToEnd();
    expect(held.flatMap(releases).length > before).toBe(sent);
    await forgetService(stack.kafkaBrokers, 'assignment-notification');
    await app.restart(undisturbed);
    // Given back, and dealt out anew to somebody else.
    await eventually(async () => {
      await tail.readToEnd();
      expect(theirs.filter((id) => assignments(id).length < 3)).toEqual([]);
    });
    for (const id of theirs) expect([assignments(id).map(({ ticket }) => ticket.assignee?.id === whom), new Set(releases(id).map(({ headers }) => headers['ce_id'])).size]).toEqual([[true, false, false], 1]);
    const again = await ada.post(`/members/${whom}/hand-back`, undefined, key);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(again.body['tickets']).toBeGreaterThanOrEqual(theirs.length);
  });

  it('side by side with another, and stopped for a while', async () => {
    const other = await stack.add('assignment-notification');
    const first = await opened(30);
    process.kill(app.pid, 'SIGSTOP');
    const second = await opened(30);
    await allAssigned(second.slice(0, 1)); // whoever is left takes over
    process.kill(app.pid, 'SIGCONT');
    await allAssigned([...first, ...second]);
    await other.kill('SIGKILL');
    const third = await opened(10);
    await allAssigned(third);
  });
});
