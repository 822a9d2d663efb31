import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Assignee, Principal, RuleInput, TicketEvent } from '#contracts';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Fault } from '#messaging';
import { course, type Course } from '../../testing/course.js';
import { directoryRecord, eventRecord, member, recordOf, Running } from '../../testing/running.js';
import { TrackedTickets } from './tracked-tickets.store.js';

let one: Running;
let other: Running;

beforeAll(async () => {
  one = await Running.start();
  other = await Running.start(one.database);
});
afterAll(async () => {
  await other?.stop({ keep: true });
  await one?.stop();
});

const admin = (orgId: string): Principal => ({ orgId, actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } });
const inTurn = (...memberIds: string[]): Partial<RuleInput> => ({ name: 'In turn', strategy: { type: 'round-robin', memberIds } });

/** An organisation of its own with people and a rule. */
async function organised(rule: Partial<RuleInput>, ...members: ReturnType<typeof member>[]): Promise<string> {
  const orgId = `org-${randomUUID().slice(0, 8)}`;
  await one.know(...members.map((entry) => ({ ...entry, orgId })));
  const made = await one.ask(admin(orgId), 'POST', '/assignment-rules', { body: rule });
  expect([made.status, made.body.errors]).toEqual([201, undefined]);
  return orgId;
}

/** Commands on a ticket by either instance, distinct. */
const sentFor = ({ id }: Course) => [...new Map([...one.sent, ...other.sent].filter(({ ticketId }) => ticketId === id).map((sent) => [sent.commandId, sent])).values()];
const chosenFor = (ticket: Course) => sentFor(ticket).map(({ data }) => data.to?.id);
/** Resolves once everything that was due has been dealt with. Choices of which nothing has come yet are looked at much later. */
const settled = (orgId: string) => eventually(async () => ((await one.db.collection<{ _id: string; dueAt: Date | null; lease: object | null }>('agendas').findOne({ _id: orgId }))?.dueAt?.getTime() ?? Infinity) > Date.now() + 60_000 && (await one.db.collection('tickets').countDocuments({ orgId, 'need.state': 'fresh' })) === 0, 'all is dealt with');
const to = (id: string): Assignee => ({ type: 'member', id, name: id.toUpperCase() });
const taken = (ticket: Course, id = chosenFor(ticket)[0]!) => ticket.assigned(to(id)).events.at(-1)!;

describe('a ticket that needs somebody', () => {
  it('makes one command, of which the event and the rule make the id, however often its events come', async () => {
    const orgId = await organised(inTurn('a', 'b'), member('', 'a'), member('', 'b'));
    const ticket = course(orgId).created();
    await one.follow(...ticket.events);
    await eventually(() => sentFor(ticket).length === 1, 'it is sent');
    await Promise.all([one.follow(...ticket.events, ...ticket.events), other.follow(...ticket.events)]);
    await settled(orgId);
    expect(sentFor(ticket)).toMatchObject([{ orgId, actor: { type: 'system', id: 'assignment' }, access: { role: 'admin' }, channel: 'api', data: { to: to('a'), reason: 'rule', ifAssignee: null } }]);
  });

  it('makes none once somebody has it, whichever event comes first', async () => {
    const orgId = await organised(inTurn('a'), member('', 'a'));
    const [created, assigned] = course(orgId).created().assigned(to('x')).events as [TicketEvent, TicketEvent];
    await one.follow(assigned);
    await one.follow(created);
    await settled(orgId);
    expect([...one.sent, ...other.sent].filter((sent) => sent.orgId === orgId)).toEqual([]);
  });

  it('is dealt out once where two instances hear of many at the same time, and in turn', async () => {
    const orgId = await organised(inTurn('a', 'b', 'c'), member('', 'a'), member('', 'b'), member('', 'c'));
    const tickets = Array.from({ length: 60 }, () => course(orgId).created());
    await Promise.all(tickets.flatMap((ticket) => [one.follow(...ticket.events), other.follow(...ticket.events)]));
    await eventually(() => tickets.every((ticket) => sentFor(ticket).length > 0), 'all are sent');
    await settled(orgId);
    const chosen = tickets.flatMap(chosenFor);
    expect(['a', 'b', 'c'].map((id) => chosen.filter((who) => who === id).length)).toEqual([20, 20, 20]);
  });

  it('waits while people are at their capacity, chosen tickets counted, and is given to who is free first', async () => {
    const orgId = await organised(inTurn('a'), member('', 'a', { capacity: 2 }));
    const tickets = Array.from({ length: 4 }, () => course(orgId).created());
    for (const ticket of tickets) await one.follow(...ticket.events);
    await eventually(() => tickets.flatMap(chosenFor).length === 2, 'two are given');
    await settled(orgId);
    const [first, second] = tickets.filter((ticket) => chosenFor(ticket).length > 0) as [Course, Course];
    const left = () => tickets.filter((ticket) => chosenFor(ticket).length === 0);
    await one.follow(taken(first), taken(second));
    await settled(orgId);
    expect(tickets.flatMap(chosenFor)).toEqual(['a', 'a']);
    await one.follow(...first.assigned(to('a')).moved('pending').moved('resolved').events.slice(-2));
    await eventually(() => tickets.flatMap(chosenFor).length === 3, 'the third is given');
    await settled(orgId);
    expect(left()).toHaveLength(1);
    await one.know({ ...member('', 'a', { capacity: 3, revision: 2 }), orgId });
    await eventually(() => left().length === 0, 'the fourth is given');
  });

  it('waits for a clock, and is given once where two instances look at it', async () => {
    const farAway = new Date(Date.now() + 3_600_000).toISOString();
    const orgId = await organised(inTurn('a', 'b'), member('', 'a', { away: { until: farAway } }), member('', 'b', { away: { until: null } }));
    const tickets = Array.from({ length: 20 }, () => course(orgId).created());
    await Promise.all([one.follow(...tickets.flatMap(({ events }) => events)), other.follow(...tickets.flatMap(({ events }) => events))]);
    await eventually(async () => (await one.db.collection('tickets').countDocuments({ orgId, 'need.state': 'waits' })) === 20, 'they wait');
    await eventually(async () => (await one.db.collection<{ _id: string; dueAt: Date }>('agendas').findOne({ _id: orgId }))!.dueAt?.getTime() === Date.parse(farAway), 'they are due when somebody is back');
    expect(tickets.flatMap(chosenFor)).toEqual([]);
    const until = new Date(Date.now() + 1_000).toISOString();
    await one.know({ ...member('', 'a', { away: { until }, revision: 2 }), orgId });
    await eventually(() => tickets.every((ticket) => sentFor(ticket).length > 0), 'all are given');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    await settled(orgId);
    expect(tickets.flatMap(chosenFor)).toEqual(tickets.map(() => 'a'));
  });

  it('of another rule is not held up by thousands that wait', async () => {
    const orgId = await organised({ ...inTurn('away'), condition: { tags: ['stuck'] } }, member('', 'away', { away: { until: null } }), member('', 'a'));
    await one.ask(admin(orgId), 'POST', '/assignment-rules', { body: inTurn('a') });
    const stuck = Array.from({ length: 2_000 }, () => course(orgId).created({ tags: ['stuck'] }).events[0]!);
    for (let i = 0; i < stuck.length; i += 500) await one.follow(...stuck.slice(i, i + 500));
    await settled(orgId);
    const ticket = course(orgId).created();
    const looks = [one, other].map((instance) => jest.spyOn(instance.part(TrackedTickets), 'settle'));
    await one.follow(...ticket.events);
    await eventually(() => chosenFor(ticket).length === 1, 'it is given');
    expect(looks.flatMap((look) => look.mock.calls).flatMap(([findings]) => findings).length).toBeLessThan(stuck.length); // those that wait were not looked at first
    for (const look of looks) look.mockRestore();
    await one.know({ ...member('', 'away', { revision: 2 }), orgId });
    await eventually(() => one.sent.concat(other.sent).filter((sent) => sent.orgId === orgId).length >= 2_001, 'all are given');
  });

  it('is sent when the broker is back, as it was chosen', async () => {
    const orgId = await organised(inTurn('a', 'b'), member('', 'a'), member('', 'b'));
    one.trouble = other.trouble = new Fault('no broker');
    const ticket = course(orgId).created();
    await one.follow(...ticket.events);
    await eventually(async () => (await one.db.collection('tickets').countDocuments({ orgId, 'need.state': 'chosen' })) === 1, 'it is chosen');
    await one.know({ ...member('', 'a', { away: { until: null }, revision: 2 }), orgId });
    one.trouble = other.trouble = undefined;
    await eventually(() => chosenFor(ticket).length > 0, 'it is sent');
    await settled(orgId);
    expect(chosenFor(ticket)).toEqual(['a']);
  });

  it('is looked at anew when it changes, and when rules do', async () => {
    const orgId = await organised({ ...inTurn('a'), condition: { tags: ['vip'] } }, member('', 'a'));
    const ticket = course(orgId).created();
    await one.follow(...ticket.events);
    await settled(orgId);
    expect(chosenFor(ticket)).toEqual([]);
    await one.follow(ticket.edited({ tags: ['vip'] }).events[1]!);
    await eventually(() => chosenFor(ticket).length === 1, 'it is given');
    await one.know({ ...member('', 'a', { away: { until: null }, revision: 2 }), orgId }, { ...member('', 'b'), orgId });
    const waiting = course(orgId).created({ tags: ['vip'] });
    await one.follow(...waiting.events);
    await settled(orgId);
    const { id } = (await one.ask(admin(orgId), 'GET', '/assignment-rules')).body.items[0];
    await one.ask(admin(orgId), 'PUT', `/assignment-rules/${id}`, { body: inTurn('a', 'b') });
    await eventually(() => chosenFor(waiting)[0] === 'b', 'it is given to somebody else');
  });
});

describe('what cannot be read', () => {
  it('is set aside, what is not known is passed over, and the rest is done', async () => {
    const orgId = await organised(inTurn('a'), member('', 'a'));
    const ticket = course(orgId).created();
    const [good] = ticket.events.map(eventRecord) as [ReturnType<typeof eventRecord>];
    const strange = { ...good, headers: { ...good.headers, ce_type: 'ticket.exploded.v1' } };
    const broken = [recordOf('', { key: ticket.id, value: '{', headers: good.headers }), recordOf('', { key: ticket.id, value: {}, headers: good.headers }), { ...good, key: Buffer.from(randomUUID()) }, { ...good, value: null }];
    const dead = await one.followRecords(...broken, strange, good);
    expect(dead.map(({ reason }) => reason)).toEqual(['not-json', 'schema-invalid', 'key-mismatch', 'not-json']);
    await eventually(() => chosenFor(ticket).length === 1, 'it is given');
  });

  it('of the directory too; what comes late changes nothing', async () => {
    const orgId = `org-${randomUUID().slice(0, 8)}`;
    const good = directoryRecord({ ...member('', 'a', { revision: 5 }), orgId });
    const producer = directoryRecord({ orgId, kind: 'producer', id: 'erp', revision: 1, deleted: false, value: { id: 'erp', name: 'ERP', commands: ['create'], assistantIds: [] } });
    const dead = await one.knowRecords({ ...good, value: Buffer.from('[') }, { ...good, key: Buffer.from('other/member/a') }, { ...good, value: Buffer.from('{"kind":"member"}') }, producer, good);
    expect(dead.map(({ reason }) => reason)).toEqual(['not-json', 'key-mismatch', 'schema-invalid']);
    await one.know(...[4, 7, 6].map((revision) => ({ ...member('', 'a', { revision, deleted: revision !== 7 }), orgId })));
    await one.know({ ...member('', 'a', { revision: 4, deleted: true }), orgId });
    expect((await one.ask(admin(orgId), 'POST', '/assignment-rules', { body: inTurn('a') })).status).toBe(201);
    await one.know({ ...member('', 'a', { revision: 8, deleted: true }), orgId });
    expect((await one.ask(admin(orgId), 'POST', '/assignment-rules', { body: inTurn('a') })).body.errors).toMatchObject([{ pointer: '/strategy/memberIds/0', code: 'unknown_member' }]);
  });
});

describe('rules', () => {
  it('are changed one after the other, whoever changes them at once, and repeats find their answers', async () => {
    const orgId = await organised(inTurn('a'), member('', 'a'));
    const requests = Array.from({ length: 12 }, (_, i) => ({ id: randomUUID(), hash: `hash ${i}`, body: { ...inTurn('a'), name: `Rule ${i}` } }));
    const asked = () => Promise.all(requests.map((request, i) => (i % 2 === 0 ? one : other).ask(admin(orgId), 'POST', '/assignment-rules', request)));
    const [first, again] = [await asked(), await asked()];
    expect(first.map(({ status }) => status)).toEqual(requests.map(() => 201));
    expect(again.map(({ status, body, headers }) => [status, body, headers.get('idempotency-replayed')])).toEqual(first.map(({ body }) => [201, body, 'true']));
    const { items } = (await one.ask(admin(orgId), 'GET', '/assignment-rules')).body;
    expect(items).toHaveLength(13);
    expect((await one.ask(admin(orgId), 'POST', '/assignment-rules', { ...requests[0], hash: 'another' })).body).toMatchObject({ status: 422, type: '/problems/idempotency-key-reused' });
    const absent = { id: randomUUID(), body: inTurn('a') };
    for (const replayed of [null, 'true']) {
      const { status, headers } = await one.ask(admin(orgId), 'PUT', `/assignment-rules/${randomUUID().replace(/^./, 'a')}`, absent);
      expect([status, headers.get('idempotency-replayed')]).toEqual([404, replayed]);
    }
  });

  it('have room for what a store takes', async () => {
    const orgId = await organised(inTurn('a'), member('', 'a'));
    const customFields = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`$field.${i}`, '\u{1f600}'.repeat(1_000)]));
    const answers = [];
    for (let i = 0; i < 30; i += 1) answers.push(await one.ask(admin(orgId), 'POST', '/assignment-rules', { body: { ...inTurn('a'), condition: { customFields } } }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 422]));
    expect(answers.at(-1)!.body.errors).toMatchObject([{ code: 'too_big' }]);
    expect((await one.ask(admin(orgId), 'GET', '/assignment-rules')).body.items.at(-1).condition).toEqual({ customFields });
  });

  it('are for administrators whom a gateway vouches for', async () => {
    const orgId = `org-${randomUUID().slice(0, 8)}`;
    const somebody = { ...admin(orgId), access: { role: 'member' as const, assistantIds: [] } };
    expect((await one.ask(somebody, 'GET', '/assignment-rules')).status).toBe(403);
    expect((await one.ask(admin(orgId), 'GET', '/assignment-rules', { audience: 'query-search' })).status).toBe(401);
  });
});

describe('a rehearsal', () => {
  it('goes by working hours, capacity and the time at which tickets were done', async () => {
    const orgId = await organised(inTurn('c'), member('', 'a', { capacity: 1, workingHours: [{ days: ['mon'], from: '09:00', to: '11:00' }] }), member('', 'b', { workingHours: [{ days: ['mon'], from: '11:00', to: '12:00' }] }), member('', 'c'));
    const at = (hour: string, ticket: Course) => ticket.events.map((event) => ({ ...event, at: `2026-01-05T${hour}:00.000Z` })); // a Monday
    const [first, second, third, fourth] = Array.from({ length: 4 }, () => course(orgId).created()) as [Course, Course, Course, Course];
    await one.follow(...at('09:10', first), ...at('09:20', second));
    await one.follow({ ...first.moved('pending').moved('resolved').events[2]!, at: '2026-01-05T10:00:00.000Z' });
    for (let again = 0; again < 2; again += 1) await one.follow(...at('10:10', third), ...at('11:30', fourth));
    const span = { from: '2026-01-05T00:00:00Z', to: '2026-01-06T00:00:00Z' };
    const { status, body } = await one.ask(admin(orgId), 'POST', '/assignment-rules/rehearse', { body: { ...span, rule: inTurn('a', 'b') } });
    expect([status, body.assigned, body.waiting, body.isComplete]).toEqual([200, 3, 1, true]);
    expect(body.items).toMatchObject([
      { ticketId: first.id, outcome: 'assigned', chosen: { id: 'a' } },
      { ticketId: second.id, outcome: 'waits', candidates: [{ id: 'a', whyNot: 'at-capacity', load: 1 }, { id: 'b', whyNot: 'outside-working-hours' }] },
      { ticketId: third.id, outcome: 'assigned', chosen: { id: 'a' } },
      { ticketId: fourth.id, outcome: 'assigned', chosen: { id: 'b' } },
    ]);
    expect((await one.ask(admin(orgId), 'POST', '/assignment-rules/rehearse', { body: { ...span, to: '2026-01-05T09:15:00Z' } })).body).toMatchObject({ tickets: 1, byAssignee: [{ assignee: { id: 'c' }, count: 1 }] });
  });
});

describe('somebody who hands back', () => {
  it('gives back what is open and pending, once, in their own name', async () => {
    const orgId = await organised(inTurn('a', 'b'), member('', 'a'), member('', 'b'));
    const [open, pending, resolved, others] = [course(orgId).created({ assignee: to('a') }), course(orgId).created({ assignee: to('a') }).moved('pending'), course(orgId).created({ assignee: to('a') }).moved('resolved'), course(orgId).created({ assignee: to('b') })];
    for (const ticket of [open, pending, resolved, others]) await one.follow(...ticket.events);
    const a: Principal = { orgId, actor: { type: 'member', id: 'a', name: 'A' }, access: { role: 'member', assistantIds: [] } };
    const request = { id: randomUUID() };
    const answers = await Promise.all([one, other].map((instance) => instance.ask(a, 'POST', '/members/a/hand-back', request)));
    expect(answers.map(({ status, body }) => [status, body])).toEqual([[202, { tickets: 2 }], [202, { tickets: 2 }]]);
    await eventually(() => sentFor(open).length + sentFor(pending).length === 2, 'they are sent');
    await settled(orgId);
    for (const ticket of [open, pending]) expect(sentFor(ticket)).toMatchObject([{ actor: a.actor, access: a.access, data: { to: null, ifAssignee: { type: 'member', id: 'a' } } }]);
    for (const ticket of [resolved, others]) expect(sentFor(ticket)).toEqual([]);
    const released = open.assigned(null);
    await one.follow(released.events.at(-1)!);
    await eventually(() => chosenFor(open).includes('b'), 'it is given to somebody else');
  });
});
