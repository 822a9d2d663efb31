import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Assignee, CustomFieldValue, Principal, RuleInput } from '#contracts';
import { openDatabase, StoreFault } from '#persistence';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { course, type Course } from '../../testing/course.js';
import { member, Running } from '../../testing/running.js';
import { Agenda } from './agenda.store.js';
import { TrackedTickets, type Finding } from './tracked-tickets.store.js';

let one: Running;

beforeAll(async () => {
  one = await Running.start();
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => one?.stop());

const admin = (orgId: string): Principal => ({ orgId, actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } });
const inTurn = (...memberIds: string[]): Partial<RuleInput> => ({ name: 'In turn', strategy: { type: 'round-robin', memberIds } });
const away = { away: { until: null } };
const to = (id: string): Assignee => ({ type: 'member', id, name: id.toUpperCase() });

async function organised(rule: Partial<RuleInput>, ...members: ReturnType<typeof member>[]): Promise<{ orgId: string; ruleId: string }> {
  const orgId = `org-${randomUUID().slice(0, 8)}`;
  await one.know(...members.map((entry) => ({ ...entry, orgId })));
  const { body } = await one.ask(admin(orgId), 'POST', '/assignment-rules', { body: rule });
  return { orgId, ruleId: body.id };
}

/** Until restored, whatever would have the organisation looked at fails; others are woken as ever. */
function cannotTell(orgId: string) {
  const agenda = one.part(Agenda);
  const wake = agenda.wake.bind(agenda);
  return jest.spyOn(agenda, 'wake').mockImplementation(async (orgIds) => {
    if (orgIds.has(orgId)) throw new StoreFault('gone');
    return wake(orgIds);
  });
}

const chosenFor = ({ id }: Course, ...instances: Running[]) => [one, ...instances].flatMap(({ sent }) => sent.filter(({ ticketId }) => ticketId === id).map(({ data }) => data.to?.id));
const stateOf = async ({ id }: Course, { db } = one) => (await db.collection('tickets').findOne({ ticketId: id }))?.['need']?.state as string | undefined;
const is = (ticket: Course, state: string, instance = one) => eventually(async () => (await stateOf(ticket, instance)) === state, `the ticket is ${state}`);

describe('a ticket that waits', () => {
  it('is not held up by tickets that can be given to nobody who is free', async () => {
    const { orgId } = await organised(inTurn('a', 'b'), member('', 'a', away), member('', 'b', away));
    const givenBack = Array.from({ length: 250 }, () => course(orgId).created({ assignee: to('a') }).assigned(null));
    await one.follow(...givenBack.flatMap(({ events }) => events));
    await is(givenBack.at(-1)!, 'waits');
    const ticket = course(orgId).created();
    await one.follow({ ...ticket.events[0]!, at: '2026-02-01T00:00:00.000Z' });
    await is(ticket, 'waits');
    await one.know({ ...member('', 'a', { revision: 2 }), orgId });
    await eventually(() => chosenFor(ticket)[0] === 'a', 'it is given');
    expect(givenBack.flatMap((other) => chosenFor(other))).toEqual([]);
  });

  it('is with nobody’s rule while that is disabled, and given when it is enabled again', async () => {
    const { orgId, ruleId } = await organised(inTurn('a'), member('', 'a', away));
    const ticket = course(orgId).created();
    await one.follow(...ticket.events);
    await is(ticket, 'waits');
    await one.ask(admin(orgId), 'PUT', `/assignment-rules/${ruleId}`, { body: { ...inTurn('a'), enabled: false } });
    await is(ticket, 'idle');
    await one.know({ ...member('', 'a', { revision: 2 }), orgId });
    await one.ask(admin(orgId), 'PUT', `/assignment-rules/${ruleId}`, { body: inTurn('a') });
    await eventually(() => chosenFor(ticket)[0] === 'a', 'it is given');
  });

  it('is given also where whoever changed the rules died before telling', async () => {
    const { orgId, ruleId } = await organised(inTurn('a'), member('', 'a', away), member('', 'b'));
    const ticket = course(orgId).created();
    await one.follow(...ticket.events);
    await is(ticket, 'waits');
    const untold = cannotTell(orgId);
    expect((await one.ask(admin(orgId), 'PUT', `/assignment-rules/${ruleId}`, { body: inTurn('b') })).status).toBe(503);
    untold.mockRestore();
    await eventually(() => chosenFor(ticket)[0] === 'b', 'it is given');
  });

  it('is dealt with in bounds, however large tickets are', async () => {
    const { orgId } = await organised(inTurn('a'), member('', 'a', away));
    const customFields: Record<string, CustomFieldValue> = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field ${i}`, '\u{1f600}'.repeat(1_000)]));
    const tickets = Array.from({ length: 120 }, () => course(orgId).created({ customFields }));
    const settle = jest.spyOn(one.part(TrackedTickets), 'settle');
    for (let i = 0; i < tickets.length; i += 10) await one.follow(...tickets.slice(i, i + 10).flatMap(({ events }) => events));
    await eventually(async () => (await one.db.collection('tickets').countDocuments({ orgId, 'need.state': 'waits' })) === tickets.length, 'all wait');
    await one.know({ ...member('', 'a', { revision: 2 }), orgId });
    await eventually(() => tickets.every((ticket) => chosenFor(ticket).length === 1), 'all are given');
    const sizes = settle.mock.calls.map(([findings]) => findings.reduce((sum: number, { ticket }: Finding) => sum + JSON.stringify(ticket.facts).length, 0));
    expect(Math.max(...sizes)).toBeLessThan(5 * 1024 * 1024);
  });
});

describe('a ticket that was given', () => {
  it('counts for somebody no more when nothing came of it for an hour, and is looked at again when it changes', async () => {
    const { orgId } = await organised(inTurn('a'), member('', 'a', { capacity: 1 }));
    const [refused, waiting] = [course(orgId).created(), course(orgId).created()];
    await one.follow(...refused.events);
    await eventually(() => chosenFor(refused).length === 1, 'it is sent');
    await one.follow(...waiting.events);
    await is(waiting, 'waits');
    const hourAgo = new Date(Date.now() - 3_600_000);
    const agenda = await eventually(async () => (await one.db.collection<{ _id: string; dueAt: Date | null }>('agendas').findOne({ _id: orgId, dueAt: { $gt: new Date(hourAgo.getTime() + 3_600_000) }, lease: null })) ?? false, 'it is looked at later');
    expect(agenda.dueAt!.getTime() - hourAgo.getTime()).toBeGreaterThan(3_600_000);
    await one.db.collection('tickets').updateOne({ ticketId: refused.id }, { $set: { 'need.choice.at': hourAgo } });
    await one.part(Agenda).wake(new Set([orgId]));
    await eventually(() => chosenFor(waiting)[0] === 'a', 'the other one is given');
    await one.know({ ...member('', 'a', { capacity: 5, revision: 2 }), orgId });
    await one.follow(refused.edited({ tags: ['smaller'] }).events.at(-1)!);
    await eventually(() => chosenFor(refused).length === 2, 'it is given again');
    expect(new Set(one.sent.filter(({ ticketId }) => ticketId === refused.id).map(({ commandId }) => commandId)).size).toBe(2);
  });
});

describe('a process that was paused while it dealt out', () => {
  it('chooses nobody when it goes on, by what it knew before', async () => {
    const paused = await Running.start();
    const orgId = `org-${randomUUID().slice(0, 8)}`;
    await paused.know({ ...member('', 'a'), orgId });
    await paused.ask(admin(orgId), 'POST', '/assignment-rules', { body: inTurn('a') });
    const loads = paused.part(TrackedTickets).loads.bind(paused.part(TrackedTickets));
    let goOn: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    jest.spyOn(paused.part(TrackedTickets), 'loads').mockImplementation(async (...asked) => {
      const found = await loads(...asked);
      await gate;
      return found;
    });
    const ticket = course(orgId).created();
    await paused.follow(...ticket.events);
    await eventually(() => jest.mocked(paused.part(TrackedTickets).loads).mock.calls.length === 1, 'it deals out');
    const heir = await Running.start(paused.database);
    await heir.know({ ...member('', 'a', { ...away, revision: 2 }), orgId });
    await is(ticket, 'waits', heir);
    goOn();
    await eventually(async () => (await heir.db.collection<{ _id: string; dueAt: Date | null; lease: object | null }>('agendas').findOne({ _id: orgId }))?.lease === null, 'all is dealt with');
    await paused.stop({ keep: true });
    expect([await stateOf(ticket, heir), chosenFor(ticket, paused, heir)]).toEqual(['waits', []]);
    await heir.stop();
  });
});

describe('somebody who hands back', () => {
  const a = (orgId: string): Principal => ({ orgId, actor: { type: 'member', id: 'a', name: 'A' }, access: { role: 'member', assistantIds: Array.from({ length: 100 }, (_, i) => `assistant-${i}`) } });

  it('is heard also where whoever was asked died before telling', async () => {
    const { orgId } = await organised(inTurn('a'), member('', 'a'));
    const ticket = course(orgId).created({ assignee: to('a') });
    await one.follow(...ticket.events);
    const untold = cannotTell(orgId);
    expect((await one.ask(a(orgId), 'POST', '/members/a/hand-back')).status).toBe(503);
    untold.mockRestore();
    await eventually(() => chosenFor(ticket).length === 1, 'it is given back');
  });

  it('brings into each command no more than it needs', async () => {
    const { orgId } = await organised(inTurn('a'), member('', 'a'));
    const tickets = Array.from({ length: 20 }, () => course(orgId).created({ assignee: to('a') }));
    await one.follow(...tickets.flatMap(({ events }) => events));
    expect((await one.ask(a(orgId), 'POST', '/members/a/hand-back')).body).toEqual({ tickets: 20 });
    await eventually(() => tickets.every((ticket) => chosenFor(ticket).length === 1), 'they are given back');
    const access = one.sent.filter((sent) => sent.orgId === orgId).map((sent) => sent.access);
    expect(new Set(access.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"role":"member","assistantIds":[]}']));
  });
});

describe('organisations', () => {
  it('have their turn however often others are woken', async () => {
    const database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `spec_agenda_${randomUUID().slice(0, 8)}` });
    const agenda = new Agenda(database);
    for (const orgId of ['busy', 'other', 'busy']) {
      await agenda.wake(new Set([orgId]));
      const wokenAt = Date.now();
      await eventually(() => Date.now() > wokenAt, 'the next is woken later');
    }
    const held = (await agenda.take())!;
    expect(held.orgId).toBe('busy');
    await agenda.wake(new Set(['busy']));
    await agenda.finish(held, null);
    expect([(await agenda.take())?.orgId, (await agenda.take())?.orgId]).toEqual(['other', 'busy']);
    await database.db.dropDatabase();
    await database.close();
  });
});
