import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { topics, type Availability, type Choice, type EventValue } from '#contracts';
import { openDatabase, type Database } from '#persistence';
import { clientOf, type Answer, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { organisation } from '../support/organisation.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const [org, twin] = [`rules-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
const people = organisation(org).members;
let stack: Stack;
let ada: Client;
let grace: Client;
let hank: Client;
/** How often somebody takes a ticket while the rules give it to somebody else. */
const races = 1_000;
let store: Database;
let tail: TopicTail;

beforeAll(async () => {
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, [topics.events]);
  stack = await startStack({ instances: { gateway: 2, 'assignment-notification': 1 }, directory: { organisations: [organisation(org), organisation(twin)] } });
  store = openDatabase({ uri: stack.mongodbUri, database: 'deskstream_assignment' });
  [ada, grace, hank] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' }), clientOf(stack, { org: twin, sub: 'ada' })];
  // The service hears of people over Kafka.
  await eventually(async () => expect((await ada.post('/assignment-rules', { ...roundRobin('ada', 'grace', 'linus'), enabled: false })).status).toBe(201));
  await withoutRules();
});
afterAll(() => Promise.all([stack?.stop(), tail?.close(), store?.close()]));
afterEach(withoutRules);

async function withoutRules() {
  if (!stack.apps['assignment-notification'][0]!.isRunning) return; // the last spec has ended it
  for (const { id } of (await ada.get('/assignment-rules')).body['items'] ?? []) await ada.delete(`/assignment-rules/${id}`);
}

const roundRobin = (...memberIds: string[]) => ({ name: `In turn ${memberIds.join()}`, condition: {}, strategy: { type: 'round-robin', memberIds } });

async function ruled(rule: object): Promise<Answer['body']> {
  const { status, body, text } = await ada.post('/assignment-rules', rule);
  expect([status, status === 201 ? '' : text]).toEqual([201, '']);
  return body;
}

const opened = async (fields: object = {}, by = ada) => (await by.post('/tickets', { title: 'Who takes it?', ...fields })).body['id'] as string;
const assigneeOf = async (id: string, by = ada) => (await by.get(`/tickets/${id}`)).body['assignee']?.['id'] as string | undefined;
const assignedTo = (id: string, whom: string | undefined) => eventually(async () => expect(await assigneeOf(id)).toBe(whom));
const assignments = async (id: string) => (await ada.get(`/tickets/${id}/timeline?type=assignee-changed`)).body['items'] as { at: string; data: { reason: string; explanation: Choice; to: object | null }; actor: object }[];

/** Resolves when the service has read all events that there are. */
const followed = () => eventually(async () => expect(await tail.lagOf('assignment-notification.assignment', topics.events)).toBe(0));
/** Resolves when that is so, nobody's ticket is still to be looked at, and what the rules sent last has made its events. */
async function settled() {
  for (let i = 0; i < 2; i += 1) {
    await followed();
    await eventually(async () => expect(await store.db.collection('tickets').countDocuments({ orgId: org, 'need.state': 'fresh' })).toBe(0));
    await eventually(async () => expect(await tail.lagOf('ticket-command', topics.commands)).toBe(0));
  }
}

const always: Availability = { timeZone: 'Europe/Berlin', workingHours: null, away: null, capacity: null };

/** Says when people are there, and waits until the service knows. */
async function tell(availability: Record<string, Partial<Availability>> = {}) {
  for (const { id } of people) {
    const said = { ...always, ...availability[id] };
    expect((await ada.put(`/members/${id}/availability`, said)).status).toBe(200);
    await eventually(async () => expect(await store.db.collection('directory').findOne({ orgId: org, kind: 'member', 'value.id': id })).toMatchObject({ value: { availability: said } }));
  }
}
const away = { away: { until: null } };

describe('a ticket that nobody has', () => {
  it('is given in turn, and its timeline tells why', async () => {
    const rule = await ruled(roundRobin('ada', 'grace'));
    const ids = [await opened(), await opened(), await opened()];
    for (const id of ids) await eventually(async () => expect(await assigneeOf(id)).toBeDefined());
    expect(new Set(await Promise.all(ids.map((id) => assigneeOf(id))))).toEqual(new Set(['ada', 'grace']));
    const [told, ...more] = await assignments(ids[0]!);
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      actor: { type: 'system', id: 'assignment', name: 'Assignment rules' },
      data: { reason: 'rule', explanation: { rule: { id: rule['id'], name: rule['name'] }, strategy: 'round-robin', why: 'next-in-turn', candidates: [{ id: 'ada' }, { id: 'grace' }] } },
    });
    expect(told!.data.to).toMatchObject(told!.data.explanation.chosen);
  });

  it('is for the first rule whose condition holds', async () => {
    await ruled({ name: 'Disabled', enabled: false, strategy: { type: 'fixed', assignee: { type: 'member', id: 'ada' } } });
    await ruled({ name: 'Billing', condition: { assistantIds: ['billing-bot'], requesterDomains: ['Example.org'], customFields: { plan: 'gold' } }, strategy: { type: 'fixed', assignee: { type: 'agent', id: 'billing-bot' } } });
    await ruled({ name: 'Others', strategy: { type: 'fixed', assignee: { type: 'member', id: 'linus' } } });
    const billing = { assistantId: 'billing-bot', requester: { email: 'rita@mail.example.org' }, customFields: { plan: 'gold', '$a.b': 1 } };
    const [its, other] = [await opened(billing), await opened({ ...billing, customFields: { plan: 'silver' } })];
    await assignedTo(its, 'billing-bot');
    await assignedTo(other, 'linus');
  });

  it('waits while nobody is free, and goes to who is free first', async () => {
    await tell({ grace: away, linus: { capacity: 0 } });
    const id = await opened();
    await ruled(roundRobin('grace', 'linus')); // takes up what was there before it, too
    const later = await opened();
    for (const one of [id, later]) await eventually(async () => expect(await store.db.collection('tickets').findOne({ orgId: org, ticketId: one })).toMatchObject({ need: { state: 'waits' } }));
    expect([await assigneeOf(id), await assigneeOf(later)]).toEqual([undefined, undefined]);
    const until = new Date(Date.now() + 1_000).toISOString();
    await tell({ grace: { away: { until } }, linus: { capacity: 0 } });
    await assignedTo(later, 'grace');
    await assignedTo(id, 'grace');
    const [told] = await assignments(later);
    expect(told!.at >= until).toBe(true);
    expect(told!.data.explanation.candidates).toMatchObject([{ id: 'grace' }, { id: 'linus', whyNot: 'at-capacity' }]);
    await tell();
  });

  it('is left with who takes it, however the rules race them', async () => {
    await ruled(roundRobin('ada', 'linus'));
    const ids: string[] = [];
    const race = async () => {
      const id = await opened({ assistantId: 'billing-bot' });
      expect((await grace.post(`/tickets/${id}/take`)).body['assignee']).toMatchObject({ id: 'grace' });
      ids.push(id);
    };
    for (let i = 0; i < races; i += 50) await Promise.all(Array.from({ length: 50 }, race));
    await settled();
    await tail.readToEnd();
    // Events may come again, late.
    const newest = new Map<string, EventValue>();
    for (const { value } of tail.records(topics.events)) {
      const event = JSON.parse(String(value)) as EventValue;
      if ((newest.get(event.ticketId)?.version ?? 0) < event.version) newest.set(event.ticketId, event);
    }
    expect([ids.length, new Set(ids.map((id) => newest.get(id)?.ticket.assignee?.id))]).toEqual([races, new Set(['grace'])]);
  });

  it('goes to nobody again who gave it back, and rules do not pass it round', async () => {
    await ruled({ name: 'Only Grace', strategy: { type: 'fixed', assignee: { type: 'member', id: 'grace' } } });
    const id = await opened({ assistantId: 'billing-bot' });
    await assignedTo(id, 'grace');
    expect((await grace.delete(`/tickets/${id}/assignee`)).status).toBe(200);
    await assignedTo(await opened(), 'grace');
    await settled();
    await ada.shown(id, 3);
    const { body } = await ada.get(`/tickets/${id}`);
    expect([body['assignee'], body['version']]).toEqual([null, 3]);
  });
});

describe('somebody who goes away', () => {
  it('hands open tickets back, which the rules give to others', async () => {
    await tell();
    await ruled(roundRobin('grace', 'linus'));
    const [mine, done] = [await opened({ assignee: { type: 'member', id: 'grace' } }), await opened({ assignee: { type: 'member', id: 'grace' } })];
    for (const to of ['pending', 'resolved']) await ada.post(`/tickets/${done}/transitions`, { to });
    const key = { 'idempotency-key': randomUUID() };
    await followed();
    const first = await grace.send('POST', '/members/grace/hand-back', undefined, key, 0);
    const again = await grace.send('POST', '/members/grace/hand-back', undefined, key, 1);
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([202, first.text, 'true']);
    await assignedTo(mine, 'linus');
    await settled();
    expect(await assigneeOf(done)).toBe('grace');
    expect((await grace.post('/members/linus/hand-back')).body).toMatchObject({ status: 403, type: '/problems/forbidden' });
    expect((await ada.post('/members/nobody/hand-back')).status).toBe(404);
  });

  it('keeps a reopened ticket when back, and loses it to the rules when away', async () => {
    await ruled(roundRobin('linus'));
    const [kept, lost] = [await opened({ assignee: { type: 'member', id: 'ada' } }), await opened({ assignee: { type: 'member', id: 'grace' } })];
    for (const id of [kept, lost]) for (const to of ['pending', 'resolved']) await ada.post(`/tickets/${id}/transitions`, { to });
    await tell({ grace: away });
    for (const id of [kept, lost]) expect((await ada.post(`/tickets/${id}/transitions`, { to: 'open' })).status).toBe(200);
    await assignedTo(lost, 'linus');
    await settled();
    expect(await assigneeOf(kept)).toBe('ada');
    await tell();
  });
});

describe('rules', () => {
  it('are for administrators', async () => {
    const rule = await ruled({ ...roundRobin('ada'), enabled: false });
    const asks = [grace.get('/assignment-rules'), grace.post('/assignment-rules', roundRobin('ada')), grace.put(`/assignment-rules/${rule['id']}`, roundRobin('ada')), grace.delete(`/assignment-rules/${rule['id']}`), grace.put('/assignment-rules/order', { ids: [] })];
    for (const { status, body } of await Promise.all(asks)) expect([status, body['type']]).toEqual([403, '/problems/forbidden']);
  });

  it('of another organisation touch nothing here, and are not found', async () => {
    const { body } = await hank.post('/assignment-rules', roundRobin('grace'));
    const id = await opened();
    const theirs = (await hank.post('/tickets', { title: 'Theirs' })).body['id'] as string;
    await eventually(async () => expect(await assigneeOf(theirs, hank)).toBe('grace'));
    await settled();
    expect(await assigneeOf(id)).toBeUndefined();
    for (const answer of [await ada.delete(`/assignment-rules/${body['id']}`), await ada.put(`/assignment-rules/${body['id']}`, roundRobin('ada'))]) expect(answer.body).toMatchObject({ status: 404, type: '/problems/not-found' });
    await hank.delete(`/assignment-rules/${body['id']}`);
  });

  it('are changed once per key, at any gateway', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await ada.send('POST', '/assignment-rules', roundRobin('ada'), key, 0);
    const again = await ada.send('POST', '/assignment-rules', roundRobin('ada'), key, 1);
    expect([first.status, again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([201, 201, first.text, 'true']);
    expect((await ada.send('POST', '/assignment-rules', roundRobin('grace'), key)).body).toMatchObject({ status: 422, type: '/problems/idempotency-key-reused' });
    const second = await ruled(roundRobin('linus'));
    const ids = [second['id'], first.body['id']];
    expect((await ada.put('/assignment-rules/order', { ids })).body['items'].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect((await ada.put('/assignment-rules/order', { ids: [second['id']] })).body['errors']).toMatchObject([{ pointer: '/ids', code: 'incomplete' }]);
    expect((await ada.put(`/assignment-rules/${second['id']}`, { ...roundRobin('linus'), name: 'Renamed' })).body).toMatchObject({ id: second['id'], name: 'Renamed' });
    expect((await ada.get('/assignment-rules')).body['items']).toMatchObject([{ name: 'Renamed' }, { id: first.body['id'] }]);
    const [gone, repeated] = [await ada.delete(`/assignment-rules/${second['id']}`, key), await ada.delete(`/assignment-rules/${second['id']}`, key)];
    expect([gone.status, repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([204, 204, 'true']);
  });

  it('name people and assistants that there are', async () => {
    const { status, body } = await ada.post('/assignment-rules', { name: 'x', condition: { assistantIds: ['billing-bot', 'no-bot'] }, strategy: { type: 'least-open', memberIds: ['ada', 'nobody'] } });
    expect([status, body['errors']]).toMatchObject([422, [{ pointer: '/condition/assistantIds/1', code: 'unknown_assistant' }, { pointer: '/strategy/memberIds/1', code: 'unknown_member' }]]);
    const fixed = await ada.post('/assignment-rules', { name: 'x', strategy: { type: 'fixed', assignee: { type: 'agent', id: 'no-bot' } } });
    expect(fixed.body['errors']).toMatchObject([{ pointer: '/strategy/assignee/id', code: 'unknown_assistant' }]);
  });

  it('are rehearsed over the past, and nothing changes', async () => {
    const from = new Date().toISOString();
    const ids = [await opened({ tags: ['rehearsed'] }), await opened({ tags: ['rehearsed'] }), await opened()];
    const span = { from, to: new Date(Date.now() + 60_000).toISOString() };
    const rule = { name: 'Draft', condition: { tags: ['rehearsed'] }, strategy: { type: 'least-open', memberIds: ['ada', 'grace'] } };
    const { body } = await eventually(async () => {
      const answer = await ada.post('/assignment-rules/rehearse', { ...span, rule });
      expect([answer.status, answer.body['tickets']]).toEqual([200, ids.length]);
      return answer;
    });
    expect(body).toMatchObject({ isComplete: true, assigned: 2, waiting: 0, unmatched: 1, byAssignee: [{ count: 1 }, { count: 1 }] });
    expect(body['items']).toMatchObject([{ ticketId: ids[0], chosen: { id: 'ada' }, rule: { id: null, name: 'Draft' } }, { ticketId: ids[1], chosen: { id: 'grace' } }, { ticketId: ids[2], outcome: 'unmatched' }]);
    expect((await ada.post('/assignment-rules/rehearse', span)).body).toMatchObject({ unmatched: 3 });
    for (const id of ids) expect(await assigneeOf(id)).toBeUndefined();
    expect((await ada.get('/assignment-rules')).body['items']).toEqual([]);
  });
});

describe('the service', () => {
  it('may be away: tickets live on, and rules answer 503', async () => {
    await stack.apps['assignment-notification'][0]!.end();
    expect((await ada.ask('GET', '/assignment-rules')).body).toMatchObject({ status: 503, type: '/problems/dependency-unavailable' });
    expect((await ada.post('/tickets', { title: 'Without rules' })).status).toBe(201);
  });
});
