import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Assignee, Principal, SlaPolicyInput } from '#contracts';
import { Fault } from '#messaging';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { course, type Course } from '../../testing/course.js';
import { policyInput } from '../../testing/policies.js';
import { directoryRecord, member, Running } from '../../testing/running.js';
import { PolicyBook } from './policy-book.store.js';
import { StoreTime } from './store-time.js';
import { WatchedTickets } from './watched-tickets.store.js';

let one: Running;
let other: Running;
/** How far the store's clock was put forward, ms. */
let aheadMs = 0;
beforeAll(async () => {
  one = await Running.start();
  other = await Running.start(one.database);
});
afterAll(async () => {
  await other?.stop({ keep: true });
  await one?.stop();
});
afterEach(async () => {
  one.trouble = other.trouble = undefined;
  await putForward(0);
});

const now = () => Date.now() + aheadMs;
/** The store's clock is so far ahead from now on, and both go by it. */
async function putForward(ms: number) {
  aheadMs = one.storeAheadMs = other.storeAheadMs = ms;
  await eventually(() => [one, other].every((instance) => Math.abs(instance.part(StoreTime).now() - now()) < 500), 'both know what time it is');
}

const minute = 60_000;
const admin = (orgId: string): Principal => ({ orgId, actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } });
const fresh = () => `org-${randomUUID().slice(0, 8)}`;
const to = (id: string): Assignee => ({ type: 'member', id, name: id.toUpperCase() });

async function ruled(policy: Partial<SlaPolicyInput> = {}, orgId = fresh()): Promise<{ orgId: string; id: string; since: number }> {
  const made = await one.ask(admin(orgId), 'POST', '/sla-policies', { body: policyInput(policy) });
  expect([made.status, made.body.errors]).toEqual([201, undefined]);
  return { orgId, id: made.body.id, since: Date.parse(made.body.since) };
}
/** A ticket of right now. */
const opened = (orgId: string, { behindMs = 0, ...fields }: { behindMs?: number; assignee?: Assignee | null } = {}) => {
  const createdAt = new Date(now() + behindMs).toISOString();
  return course(orgId).at(createdAt).created({ createdAt, ...fields });
};
const later = (ticket: Course, ms: number) => ticket.at(new Date(now() + ms).toISOString());

/** Distinct messages of a ticket, in the order of their revisions. */
function toldOf({ id }: Pick<Course, 'id'>) {
  const all = [...one.told, ...other.told].filter(({ ticketId }) => ticketId === id);
  const distinct = new Map(all.map((news) => [`${news.messageId} ${news.text}`, news]));
  expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(distinct.size); // under one id there are never other bytes
  return [...distinct.values()].sort((some, others) => some.revision - others.revision);
}
const typesOf = (ticket: Course) => toldOf(ticket).map(({ type }) => type.slice('ticket.'.length, -'.v1'.length));
const statesOf = (ticket: Course) => toldOf(ticket).at(-1)?.deadlines.map(({ kind, state }) => `${kind} ${state}`);
const commandsFor = ({ id }: Course) => [...new Map([...one.sent, ...other.sent].filter(({ ticketId }) => ticketId === id).map((sent) => [`${sent.commandId} ${JSON.stringify(sent)}`, sent])).values()];
const unsent = () => one.db.collection('watched_tickets').countDocuments({ isUnsent: true });

describe('a ticket with deadlines', () => {
  it('is told of once, whichever instance hears of it how often', async () => {
    const { orgId } = await ruled();
    const ticket = opened(orgId);
    const replied = later(ticket, 1_000).replied();
    await Promise.all([one.follow(...ticket.events), other.follow(...ticket.events), one.follow(...replied.events)]);
    await Promise.all([one.follow(...ticket.events), other.follow(...replied.events, ...ticket.events)]);
    await eventually(async () => typesOf(ticket).includes('deadline-met') && (await unsent()) === 0, 'it is told');
    expect([statesOf(ticket), typesOf(ticket).filter((type) => type === 'deadline-met')]).toEqual([['first-reply met', 'resolution running'], ['deadline-met']]);
    expect(toldOf(ticket).map(({ revision }) => revision)).toEqual(toldOf(ticket).map((_, i) => i + 1));
  });

  it('is warned of and missed by the clock, also when that jumps, and once when it jumps back', async () => {
    const { orgId } = await ruled();
    const ticket = opened(orgId);
    await one.follow(...ticket.events);
    await putForward(50 * minute);
    await eventually(() => typesOf(ticket).includes('deadline-warning'), 'it is warned of');
    await putForward(25 * 60 * minute);
    await eventually(() => typesOf(ticket).filter((type) => type === 'deadline-missed').length === 2, 'both are missed');
    const next = opened(orgId);
    await putForward(0);
    const earlier = opened(orgId);
    await one.follow(...next.events, ...earlier.events);
    await putForward(50 * minute);
    await eventually(() => typesOf(earlier).includes('deadline-warning'), 'an earlier one is warned of');
    expect([typesOf(next).filter((type) => type.startsWith('deadline-')), typesOf(ticket).filter((type) => type.startsWith('deadline-'))]).toEqual([[], ['deadline-warning', 'deadline-missed', 'deadline-missed']]);
  });

  it('is judged anew when policies change, and not by those of another organisation', async () => {
    const [{ orgId, id }, twin] = [await ruled(), fresh()];
    const tickets = Array.from({ length: 1_200 }, () => opened(orgId));
    const theirs = opened(twin);
    for (let i = 0; i < tickets.length; i += 400) await one.follow(...tickets.slice(i, i + 400).flatMap(({ events }) => events));
    await one.follow(...theirs.events);
    const body = policyInput({ targets: { normal: { resolution: 30 } } });
    expect((await other.ask(admin(orgId), 'PUT', `/sla-policies/${id}`, { body })).status).toBe(200);
    await eventually(() => tickets.every((ticket) => statesOf(ticket)?.join() === 'resolution running'), 'all are judged anew');
    expect((await one.ask(admin(orgId), 'DELETE', `/sla-policies/${id}`)).status).toBe(204);
    await eventually(() => tickets.every((ticket) => statesOf(ticket)?.length === 0), 'none has deadlines any more');
    await eventually(async () => (await one.db.collection('sla_books').countDocuments({ news: { $exists: true } })) === 0, 'the change is no news');
    expect(toldOf(theirs)).toEqual([]);
  });

  it('is judged anew in its turn, however many tickets how many other organisations have', async () => {
    const orgs = await Promise.all(Array.from({ length: 60 }, async () => (await ruled()).orgId));
    const idle = [one, other].map((instance) => jest.spyOn(instance.part(PolicyBook), 'news').mockResolvedValue([]));
    for (let i = 0; i < orgs.length; i += 15) await one.follow(...orgs.slice(i, i + 15).flatMap((orgId) => Array.from({ length: 25 }, () => opened(orgId).events).flat()));
    await one.db.collection<{ _id: string }>('sla_books').updateMany({ _id: { $in: orgs } }, { $inc: { revision: 1 }, $set: { news: 1 } });
    const seen = jest.spyOn(one.part(WatchedTickets), 'judgedBefore');
    idle[0]!.mockRestore();
    await eventually(() => seen.mock.calls.length >= 100, 'two looks are over');
    const first = seen.mock.calls.slice(0, 100).map(([orgId]) => orgId);
    expect(new Set(first.filter((orgId) => orgs.includes(orgId))).size).toBe(60);
    seen.mockRestore();
    idle[1]!.mockRestore();
    await eventually(async () => (await one.db.collection('sla_books').countDocuments({ news: { $exists: true } })) === 0, 'no change is news any more');
  });

  it('is judged anew where somebody writes it just then', async () => {
    const { orgId, id } = await ruled();
    const ticket = opened(orgId);
    await one.follow(...ticket.events);
    await eventually(async () => (await unsent()) === 0 && toldOf(ticket).length > 0, 'it is told of');
    const hindered = [one, other].map((instance) => {
      const tickets = instance.part(WatchedTickets);
      const put = tickets.put.bind(tickets);
      let left = 1;
      return jest.spyOn(tickets, 'put').mockImplementation(async (writes) => {
        const isMeant = writes.some(({ after }) => after.orgId === orgId) && left-- > 0;
        if (isMeant) await one.db.collection('watched_tickets').updateMany({ orgId }, { $inc: { turn: 1 } });
        return put(writes);
      });
    });
    await one.ask(admin(orgId), 'PUT', `/sla-policies/${id}`, { body: policyInput({ targets: { normal: { resolution: 30 } } }) });
    await eventually(() => statesOf(ticket)?.join() === 'resolution running', 'it is judged anew');
    for (const put of hindered) put.mockRestore();
  });

  it('has its policy applied that is made while it is there, from then on', async () => {
    const orgId = fresh();
    const old = opened(orgId, { behindMs: -90 * minute });
    await one.follow(...old.events);
    const before = now();
    const { since } = await ruled({}, orgId);
    expect(since).toBeGreaterThan(before - minute); // by the store's clock, as far as the last reading of it tells
    await eventually(() => statesOf(old)?.join() === 'first-reply running,resolution running', 'it has deadlines');
    expect(Date.parse(toldOf(old)[0]!.deadlines[0]!.dueAt!)).toBeGreaterThanOrEqual(since + 60 * minute);
  });
});

describe('10,000 timers that run out within a minute', () => {
  it('are each told once by two instances', async () => {
    const { orgId } = await ruled({ targets: { normal: { firstReply: 10 } } });
    const tickets = Array.from({ length: 10_000 }, (_, i) => opened(orgId, { behindMs: i * 6 }));
    const rounds = Array.from({ length: 20 }, (_, i) => tickets.slice(i * 500, (i + 1) * 500));
    for (let i = 0; i < 20; i += 2) await Promise.all([one, other].map((instance, lane) => instance.follow(...rounds[i + lane]!.flatMap(({ events }) => events))));
    const missed = () => new Map([...one.told, ...other.told].filter((news) => news.orgId === orgId && news.type === 'ticket.deadline-missed.v1').map((news) => [news.ticketId, news]));
    await putForward(11 * minute);
    await eventually(() => missed().size === 10_000, 'all are missed', 120_000);
    await eventually(async () => (await unsent()) === 0, 'all are sent');
    for (const ticket of [tickets[0]!, tickets[4_999]!, tickets[9_999]!]) expect(typesOf(ticket)).toEqual(['deadlines-changed', 'deadline-missed']);
    const told = [...one.told, ...other.told].filter((news) => news.orgId === orgId && news.type === 'ticket.deadline-missed.v1');
    expect(new Set(told.map(({ text, messageId }) => `${messageId} ${text}`)).size).toBe(10_000);
  });
});

describe('a missed deadline', () => {
  const acting = (onMissed: SlaPolicyInput['onMissed']) => ({ targets: { normal: { firstReply: 10, resolution: 10 }, high: { firstReply: 10, resolution: 10 } }, onMissed });

  it('does what its policy says, by commands that are as they were stored, once for each deadline', async () => {
    const orgId = fresh();
    await one.know({ ...member('', 'a'), orgId }, { ...member('', 'b'), orgId });
    await ruled(acting([{ type: 'raise-priority' }, { type: 'reassign', to: { type: 'member', id: 'b' } }, { type: 'notify', assignee: true, memberIds: ['b'] }]), orgId);
    const ticket = opened(orgId, { assignee: to('a') });
    await one.follow(...ticket.events);
    one.trouble = other.trouble = new Fault('no broker');
    await putForward(11 * minute);
    await eventually(async () => (await one.db.collection('watched_tickets').countDocuments({ orgId, 'outgoing.type': 'ticket.assign.v1' })) === 1, 'it is stored');
    await one.know({ ...member('', 'b', { revision: 2, deleted: true }), orgId });
    one.trouble = other.trouble = undefined;
    await eventually(() => commandsFor(ticket).length === 4, 'they are sent');
    const raised = { actor: { type: 'system', id: 'deadlines' }, access: { role: 'admin' }, data: { priority: 'high', ifPriority: 'normal' } };
    const assigned = { data: { to: to('b'), reason: 'rule', ifAssignee: { type: 'member', id: 'a' }, explanation: { policy: { name: 'Quick' } } } };
    expect(commandsFor(ticket)).toMatchObject([raised, assigned, raised, assigned]);
    expect(new Set(commandsFor(ticket).map(({ commandId }) => commandId)).size).toBe(4);
    expect(toldOf(ticket).filter(({ type }) => type === 'ticket.deadline-missed.v1')).toMatchObject([{ deadline: { kind: 'first-reply' }, tell: [{ id: 'a' }, { id: 'b' }] }, { deadline: { kind: 'resolution' }, tell: [{ id: 'a' }, { id: 'b' }] }]);
    const high = later(ticket, 0).edited({ priority: 'high' }).assigned(to('b'));
    await one.follow(...high.events);
    await eventually(async () => (await unsent()) === 0, 'all is sent');
    await putForward(60 * minute);
    const last = opened(orgId);
    await one.follow(...last.events);
    await eventually(() => statesOf(last) !== undefined, 'whatever was due is done');
    expect(commandsFor(ticket)).toHaveLength(4);
  });

  it('leaves an urgent ticket urgent, and gives nothing to who is not there any more', async () => {
    const orgId = fresh();
    await one.know({ ...member('', 'b'), orgId });
    await ruled({ targets: { urgent: { resolution: 10 } }, onMissed: [{ type: 'raise-priority' }, { type: 'reassign', to: { type: 'member', id: 'b' } }] }, orgId);
    await one.know({ ...member('', 'b', { revision: 2, deleted: true }), orgId });
    const ticket = opened(orgId).edited({ priority: 'urgent' });
    await one.follow(...ticket.events);
    await putForward(11 * minute);
    await eventually(() => typesOf(ticket).includes('deadline-missed'), 'it is missed');
    expect(commandsFor(ticket)).toEqual([]);
  });
});

describe('what one instance stored and could not send', () => {
  it('another one sends, as it was stored', async () => {
    const { orgId } = await ruled();
    other.trouble = new Fault('no broker');
    const tickets = Array.from({ length: 20 }, () => opened(orgId));
    await other.follow(...tickets.flatMap(({ events }) => events));
    await eventually(() => tickets.every((ticket) => one.told.some(({ ticketId }) => ticketId === ticket.id)), 'they are told');
    other.trouble = undefined;
    await eventually(async () => (await unsent()) === 0, 'nothing is left');
    for (const ticket of tickets) expect(typesOf(ticket)).toEqual(['deadlines-changed']);
  });
});

describe('what is to be sent of a ticket that never rests', () => {
  it('is cleared as it is sent', async () => {
    const { orgId } = await ruled();
    let ticket = opened(orgId);
    const tickets = one.part(WatchedTickets);
    const sent = tickets.sent.bind(tickets);
    const left: number[] = [];
    const hindered = jest.spyOn(tickets, 'sent').mockImplementation(async (some) => {
      const isMeant = some.some(({ ticketId }) => ticketId === ticket.id) && left.length < 30;
      if (isMeant) {
        ticket = later(ticket, left.length).moved(left.length % 2 === 0 ? 'pending' : 'open');
        await one.follow(ticket.events.at(-1)!);
      }
      await sent(some);
      if (isMeant) left.push((await one.db.collection('watched_tickets').findOne({ _id: `${orgId}/${ticket.id}` as never }))?.['outgoing']?.length ?? 0);
    });
    await one.follow(...ticket.events);
    await eventually(() => left.length === 30, 'it was sent thirty times');
    hindered.mockRestore();
    expect(Math.max(...left)).toBe(1);
    await eventually(async () => (await unsent()) === 0, 'all is sent');
    expect(typesOf(ticket)).toEqual(Array.from({ length: 31 }, () => 'deadlines-changed'));
  });

  it('has its limits: events wait', async () => {
    const { orgId } = await ruled();
    const ticket = opened(orgId);
    one.trouble = other.trouble = new Fault('no broker');
    await one.follow(...ticket.events);
    const stored = one.db.collection<{ _id: string; outgoing: object[] }>('watched_tickets');
    const { outgoing } = (await stored.findOne({ _id: `${orgId}/${ticket.id}` }))!;
    await stored.updateOne({ _id: `${orgId}/${ticket.id}` }, { $set: { outgoing: Array.from({ length: 501 }, () => outgoing[0]!) } });
    const replied = later(ticket, 0).replied();
    await expect(one.follow(...replied.events)).rejects.toThrow('could be sent');
    one.trouble = other.trouble = undefined;
    await eventually(async () => (await unsent()) === 0, 'all is sent');
    await one.follow(...replied.events);
    await eventually(() => typesOf(ticket).includes('deadline-met'), 'it is told');
  });
});

describe('who has enough to send', () => {
  it('sends what another one left as well, and looks for it no more often than once a second', async () => {
    const { orgId } = await ruled();
    const unsentBy = jest.spyOn(one.part(WatchedTickets), 'unsent');
    const looks: number[] = [];
    const ask = WatchedTickets.prototype.unsent.bind(one.part(WatchedTickets));
    unsentBy.mockImplementation((limit) => {
      looks.push(performance.now());
      return ask(limit);
    });
    other.trouble = new Fault('no broker');
    const ticket = opened(orgId);
    await other.follow(...ticket.events);
    await eventually(async () => {
      await one.follow(...opened(orgId).events);
      return one.told.some(({ ticketId }) => ticketId === ticket.id);
    }, 'it is told');
    unsentBy.mockRestore();
    expect(Math.min(...looks.slice(1).map((at, i) => at - looks[i]!))).toBeGreaterThan(900);
  });
});

describe('policies', () => {
  it('are changed at the revision that is expected, and repeats find their answers', async () => {
    const orgId = fresh();
    const ask = (method: string, path: string, more: object = {}) => one.ask(admin(orgId), method, `/sla-policies${path}`, more);
    expect((await ask('GET', '')).headers.get('etag')).toBe('"0"');
    const request = { id: randomUUID(), body: policyInput(), expected: 0 };
    const [made, again] = [await ask('POST', '', request), await ask('POST', '', request)];
    expect([made.status, again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([201, 201, made.body, 'true']);
    expect((await ask('POST', '', { ...request, id: randomUUID() })).body).toMatchObject({ status: 412, type: '/problems/version-conflict', current: 1 });
    const second = (await ask('POST', '', { body: policyInput({ enabled: false }), expected: 1 })).body;
    expect((await ask('PUT', '/order', { body: { ids: [second.id, made.body.id] } })).status).toBe(200);
    expect((await ask('PUT', '/order', { body: { ids: [second.id] } })).body.errors).toMatchObject([{ pointer: '/ids', code: 'incomplete' }]);
    const renamed = await ask('PUT', `/${made.body.id}`, { body: policyInput({ name: 'Renamed' }) });
    expect(renamed.body).toMatchObject({ name: 'Renamed', since: made.body.since });
    expect(Date.parse((await ask('PUT', `/${second.id}`, { body: policyInput() })).body.since)).toBeGreaterThanOrEqual(Date.parse(second.since));
    const list = await ask('GET', '');
    expect([list.headers.get('etag'), list.body.items]).toMatchObject(['"5"', [{ id: second.id }, { name: 'Renamed' }]]);
    expect((await ask('PUT', `/${randomUUID()}`, { body: policyInput() })).status).toBe(404);
    expect([(await ask('DELETE', `/${second.id}`)).status, (await ask('DELETE', `/${second.id}`)).status]).toEqual([204, 404]);
  });

  const mondays = Array.from({ length: 300 }, (_, i) => new Date(Date.now() + (i * 7 + ((8 - new Date().getUTCDay()) % 7) - 7) * 86_400_000).toISOString().slice(0, 10));
  const broken: [string, object, string, string][] = [
    ['no time', { targets: { normal: { firstReply: 0 } } }, '/targets/normal/firstReply', 'too_small'],
    ['negative time', { targets: { normal: { resolution: -5 } } }, '/targets/normal/resolution', 'too_small'],
    ['broken time', { targets: { normal: { resolution: 1.5 } } }, '/targets/normal/resolution', 'invalid_type'],
    ['no targets', { targets: {} }, '/targets', 'too_small'],
    ['no times', { targets: { normal: {} } }, '/targets/normal', 'too_small'],
    ['an unknown zone', { hours: { timeZone: 'Mars/Olympus' } }, '/hours/timeZone', 'unknown_time_zone'],
    ['no hours', { hours: { timeZone: 'UTC', workingHours: [] } }, '/hours/workingHours', 'too_small'],
    ['a day that is none', { hours: { timeZone: 'UTC', holidays: ['2026-02-30'] } }, '/hours/holidays/0', 'invalid_format'],
    ['more time than there is', { targets: { normal: { resolution: 525_600 } }, hours: { timeZone: 'UTC', workingHours: [{ days: ['mon'], from: '09:00', to: '09:30' }] } }, '/targets/normal/resolution', 'out_of_reach'],
    ['no working time at all', { hours: { timeZone: 'UTC', workingHours: [{ days: ['mon'], from: '09:00', to: '17:00' }], holidays: mondays } }, '/hours', 'no_working_time'],
    ['an unknown assistant', { condition: { assistantIds: ['no-bot'] } }, '/condition/assistantIds/0', 'unknown_assistant'],
    ['an unknown member', { onMissed: [{ type: 'reassign', to: { type: 'member', id: 'nobody' } }] }, '/onMissed/0/to/id', 'unknown_member'],
    ['unknown people', { onMissed: [{ type: 'notify', memberIds: ['nobody'] }] }, '/onMissed/0/memberIds/0', 'unknown_member'],
    ['an action twice', { onMissed: [{ type: 'raise-priority' }, { type: 'raise-priority', to: 'urgent' }] }, '/onMissed/1/type', 'duplicate'],
    ['an unknown action', { onMissed: [{ type: 'explode' }] }, '/onMissed/0/type', 'invalid_union'],
    ['a warning at the end', { warnAtPercent: 100 }, '/warnAtPercent', 'too_big'],
    ['another field', { deadline: 1 }, '/deadline', 'unknown_field'],
  ];
  it.each(broken)('with %s are refused by name', async (_, change, pointer, code) => {
    const { status, body } = await one.ask(admin(fresh()), 'POST', '/sla-policies', { body: { name: 'x', targets: { normal: { firstReply: 60 } }, ...change } });
    expect([status, body.errors]).toMatchObject([422, [{ pointer, code }]]);
  });

  it('are a hundred at most, and administrators’', async () => {
    const orgId = fresh();
    for (let i = 0; i < 100; i += 1) expect((await one.ask(admin(orgId), 'POST', '/sla-policies', { body: policyInput() })).status).toBe(201);
    expect((await one.ask(admin(orgId), 'POST', '/sla-policies', { body: policyInput() })).body.errors).toMatchObject([{ code: 'too_many' }]);
    const somebody = { ...admin(orgId), access: { role: 'member' as const, assistantIds: [] } };
    expect((await one.ask(somebody, 'GET', '/sla-policies')).status).toBe(403);
    expect((await one.ask(admin(orgId), 'GET', '/sla-policies', { audience: 'query-search' })).status).toBe(401);
  });

  it('name assistants that there are', async () => {
    const orgId = fresh();
    await one.knowRecords(directoryRecord({ orgId, kind: 'assistant', id: 'bot', revision: 1, deleted: false, value: { id: 'bot', name: 'Bot', memberIds: [] } }));
    await ruled({ condition: { assistantIds: ['bot'] }, onMissed: [{ type: 'reassign', to: { type: 'agent', id: 'bot' } }] }, orgId);
  });
});
