import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor, DeadlineNews, Principal, Role } from '#contracts';
import { Fault } from '#messaging';
import { course } from '../../testing/course.js';
import { assistant, member, Running } from '../../testing/running.js';
import { mostOfOne } from './notices.store.js';

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

const person = (id: string): Actor & { type: 'member' } => ({ type: 'member', id, name: id });
const principal = (orgId: string, id: string, assistantIds: string[] = [], role: Role = 'member'): Principal => ({ orgId, actor: person(id), access: { role, assistantIds } });

/** An organisation: grace sees what is billing-bot's, linus what is tech-bot's, eve administers. */
async function organised(): Promise<string> {
  const orgId = `org-${randomUUID().slice(0, 8)}`;
  const people = [member(orgId, 'ada'), member(orgId, 'grace', { name: 'Grace Hopper' }), member(orgId, 'linus'), member(orgId, 'eve', { role: 'admin' }), member(orgId, 'gone', { deleted: true })];
  await one.know(...people, assistant(orgId, 'billing-bot', ['grace', 'gone']), assistant(orgId, 'tech-bot', ['linus']));
  return orgId;
}

const opened = (orgId: string) => course(orgId).by(person('ada')).created({ assistantId: 'billing-bot', createdBy: person('ada'), updatedAt: new Date().toISOString() });
const billing = ['billing-bot'];
const list = async (who: Principal, query = '', at = one) => {
  const { status, body } = await at.ask(who, 'GET', `/notifications${query}`);
  expect([status, body.errors]).toEqual([200, undefined]);
  return body as { items: { id: string; kind: string; readAt: string | null; ticket: { title: string }; data: { excerpt: string } }[]; nextAfter: string | null };
};
const kinds = async (who: Principal) => (await list(who)).items.map(({ kind }) => kind);
const unread = async (who: Principal) => (await one.ask(who, 'GET', '/notifications/unread')).body.count as number;

describe('what somebody is told', () => {
  it('is what concerns them, newest first, once however often events come, at either instance', async () => {
    const orgId = await organised();
    const story = opened(orgId).assigned(person('grace')).commented('note', 'see this, @grace').said().moved('pending');
    await one.tell(...story.events);
    await Promise.all([one.tell(...story.events, ...story.events), other.tell(...story.events)]);
    const who = principal(orgId, 'grace', billing);
    expect(await kinds(who)).toEqual(expect.arrayContaining(['assigned', 'mentioned', 'requester-replied', 'status']));
    expect((await list(who)).items).toHaveLength(4);
    expect((await list(who, '', other)).items).toEqual((await list(who)).items);
    expect(await unread(who)).toBe(4);
    expect((await list(who)).items.find(({ kind }) => kind === 'mentioned')).toMatchObject({ ticket: { id: story.id, number: 1042, title: 'Printer on fire' }, actor: { id: 'ada' }, version: 3, readAt: null, data: { where: 'note', excerpt: 'see this, @grace' } });
  });

  it('is nothing that they did themselves', async () => {
    const orgId = await organised();
    await one.tell(...opened(orgId).by(person('grace')).assigned(person('grace')).commented('comment', '@grace @eve').moved('pending').events);
    expect([await kinds(principal(orgId, 'grace', billing)), await kinds(principal(orgId, 'eve', [], 'admin')), await kinds(principal(orgId, 'ada'))]).toEqual([[], ['mentioned'], ['status']]);
  });

  it('is nothing of a ticket that they do not see, of another organisation, or after they left', async () => {
    const [orgId, twin] = [await organised(), await organised()];
    await one.tell(...opened(orgId).commented('comment', '@linus @"Grace Hopper" @gone @nobody').events);
    const seen = await Promise.all([principal(orgId, 'linus', ['tech-bot']), principal(orgId, 'grace', billing), principal(orgId, 'gone', billing), principal(twin, 'grace', billing), principal(twin, 'eve', [], 'admin')].map(kinds));
    expect(seen).toEqual([[], ['mentioned'], [], [], []]);
  });

  it('is nothing any more once the ticket has left their sight, and again when it is back', async () => {
    const orgId = await organised();
    const story = opened(orgId).commented('note', 'the secret, @grace');
    await one.tell(...story.events);
    const [sees, sawIt] = [principal(orgId, 'grace', billing), principal(orgId, 'grace')];
    expect([await kinds(sees), await kinds(sawIt), await unread(sawIt)]).toEqual([['mentioned'], [], 0]);
    const left = story.refiled('tech-bot');
    await one.tell(...left.events);
    await one.tell(...story.events); // late, again
    const [{ id } = { id: '' }] = await one.db.collection<{ _id: string }>('notices').find({ orgId, memberId: 'grace' }).map(({ _id }) => ({ id: _id })).toArray();
    expect([await kinds(sees), await unread(sees), (await one.ask(sees, 'POST', `/notifications/${id}/read`)).status]).toEqual([[], 0, 404]);
    const back = left.refiled('billing-bot');
    await one.tell(...back.events);
    expect([await kinds(sees), await unread(sees)]).toEqual([['mentioned'], 1]);
    await one.tell(...back.deleted().events);
    expect([await kinds(sees), await unread(sees)]).toEqual([[], 0]);
    await one.tell(...back.deleted().restored().events);
    expect(await kinds(sees)).toEqual(['mentioned']);
  });

  it('is judged by the directory as it was when it happened, too', async () => {
    const orgId = await organised();
    const story = opened(orgId).commented('comment', '@linus');
    await one.tell(...story.events);
    await one.know(assistant(orgId, 'billing-bot', ['linus'], 2));
    await one.tell(...story.commented('comment', '@linus @grace').events.slice(-1));
    expect([await kinds(principal(orgId, 'linus', billing)), await kinds(principal(orgId, 'grace', []))]).toEqual([['mentioned'], []]);
  });

  it('comes in pages without a gap, over what is hidden', async () => {
    const orgId = await organised();
    let [seen, hidden] = [opened(orgId), opened(orgId)];
    for (let i = 0; i < 30; i += 1) [seen, hidden] = [seen.commented('comment', `@grace ${i}`), hidden.commented('comment', `@grace hidden ${i}`)];
    for (let i = 0; i < 31; i += 1) await one.tell(...seen.events.slice(i, i + 1), ...hidden.events.slice(i, i + 1));
    await one.tell(...hidden.refiled('tech-bot').events.slice(-1));
    const who = principal(orgId, 'grace', billing);
    const excerpts: string[] = [];
    for (let after: string | null = '0'; after !== null; ) {
      const page: Awaited<ReturnType<typeof list>> = await list(who, `?limit=7&after=${after}`);
      excerpts.push(...page.items.map(({ data }) => data.excerpt));
      after = page.nextAfter;
    }
    expect(excerpts).toEqual(Array.from({ length: 30 }, (_, i) => `@grace ${29 - i}`));
    const bad = await one.ask(who, 'GET', '/notifications?after=bad');
    expect([bad.status, bad.body.type, await unread(who)]).toEqual([422, '/problems/invalid-cursor', 30]);
  });

  it('has a bound: of very many the newest stay', async () => {
    const orgId = await organised();
    let story = opened(orgId);
    for (let i = 0; i < mostOfOne + 500; i += 1) story = story.commented('comment', `@grace ${i}`);
    for (let i = 0; i < story.events.length; i += 500) await one.tell(...story.events.slice(i, i + 500));
    const who = principal(orgId, 'grace', billing);
    expect(await one.db.collection('notices').countDocuments({ orgId })).toBeLessThan(mostOfOne + 200);
    expect(await unread(who)).toBeLessThanOrEqual(mostOfOne);
    expect(await unread(who)).toBeGreaterThan(mostOfOne - 100);
  });
});

describe('who listens', () => {
  it('is told as soon as it is stored, again where that may have failed, and nothing of what is not theirs', async () => {
    const orgId = await organised();
    const story = opened(orgId).commented('note', '@grace @linus');
    one.trouble = new Fault('no broker');
    await expect(one.tell(...story.events)).rejects.toThrow('no broker');
    one.trouble = undefined;
    await other.tell(...story.events);
    const told = other.notices.filter((some) => some.orgId === orgId);
    expect(told).toMatchObject([{ memberId: 'grace', isNote: true, sight: { assistantId: 'billing-bot', assignee: null, createdBy: { type: 'member', id: 'ada' } } }]);
    expect([told[0]!.notice]).toEqual((await list(principal(orgId, 'grace', billing))).items);
    await one.ask(principal(orgId, 'grace', billing), 'POST', '/notifications/read', { body: {} });
    await other.tell(...story.events);
    expect(other.notices.filter((some) => some.orgId === orgId)).toHaveLength(1);
  });

  it('hears of a ticket as it is seen now, however late the event comes', async () => {
    const orgId = await organised();
    const story = opened(orgId).commented('comment', '@grace');
    await one.tell(...story.refiled('tech-bot').events.slice(-1));
    await one.tell(...story.events);
    expect(one.notices.filter((some) => some.orgId === orgId)).toMatchObject([{ memberId: 'grace', sight: { assistantId: 'tech-bot' } }]);
  });
});

describe('a deadline', () => {
  const missed = (orgId: string, ticketId: string, changes: object = {}) =>
    ({ type: 'ticket.deadline-missed.v1', orgId, ticketId, revision: 2, version: 1, at: new Date().toISOString(), deadlines: [], sight: { assistantId: 'billing-bot', assignee: person('grace'), createdBy: person('ada') }, deadline: { kind: 'first-reply', since: 1, dueAt: new Date().toISOString() }, policy: { id: randomUUID(), name: 'p' }, ...changes }) as unknown as DeadlineNews;

  it('is told once to whose ticket it is and whom the policy names, if they see it', async () => {
    const orgId = await organised();
    const story = opened(orgId).by(person('grace')).assigned(person('grace'));
    await one.tell(...story.events);
    const tell = [person('grace'), person('linus'), person('eve'), { type: 'agent', id: 'billing-bot' }];
    const news = [missed(orgId, story.id, { type: 'ticket.deadline-warning.v1' }), missed(orgId, story.id, { tell })];
    await one.tellDeadlines(...news);
    await Promise.all([one.tellDeadlines(...news), other.tellDeadlines(...news)]);
    const [grace, eve, linus] = await Promise.all([principal(orgId, 'grace', billing), principal(orgId, 'eve', [], 'admin'), principal(orgId, 'linus', ['tech-bot'])].map(async (who) => (await list(who)).items.map(({ data }) => (data as unknown as { state: string }).state)));
    expect([grace!.sort(), eve, linus]).toEqual([['missed', 'warning'], ['missed'], []]);
  });

  it('is judged by the ticket as it is now, and told of none that has no name or was due before the service began', async () => {
    const orgId = await organised();
    const story = opened(orgId).assigned(person('linus'));
    const away = story.assigned(null).refiled('other-bot');
    await one.tell(...away.events);
    await one.tellDeadlines(missed(orgId, story.id, { sight: { assistantId: 'tech-bot', assignee: person('linus'), createdBy: person('ada') } }), missed(orgId, randomUUID()), missed(orgId, story.id, { at: '2026-01-01T00:00:00.000Z', tell: [person('eve')] }));
    expect([await one.db.collection('notices').countDocuments({ orgId, kind: 'deadline' })]).toEqual([0]);
  });

  it('is told also of a ticket whose events have not come, or came long ago: to who sees it as it was then', async () => {
    const orgId = await organised();
    const story = opened(orgId);
    const called = { number: 1042, title: 'As it was' };
    await one.tellDeadlines(missed(orgId, story.id, { tell: [person('linus')], called }), missed(orgId, story.id, { revision: 3, type: 'ticket.deadline-warning.v1', called }));
    const states = async (who: Principal) => (await list(who)).items.map(({ ticket, data }) => [(data as unknown as { state: string }).state, ticket.title]).sort();
    const [grace, linus] = [principal(orgId, 'grace', billing), principal(orgId, 'linus', ['tech-bot'])];
    expect([await states(grace), await states(linus)]).toEqual([[['missed', 'As it was'], ['warning', 'As it was']], []]);
    expect(one.notices.filter((some) => some.orgId === orgId)).toMatchObject([{ memberId: 'grace', sight: { assistantId: 'billing-bot' } }, { memberId: 'grace' }]);
    await one.tell(...story.events);
    expect(await states(grace)).toEqual([['missed', 'Printer on fire'], ['warning', 'Printer on fire']]);
    await one.tellDeadlines(missed(orgId, story.id, { version: 3, revision: 4, deadline: { kind: 'resolution', since: 1, dueAt: new Date().toISOString() }, sight: { assistantId: 'tech-bot', assignee: person('linus'), createdBy: person('ada') }, called }));
    await one.tell(...story.edited({ priority: 'high' }).events.slice(-1));
    expect([await states(principal(orgId, 'grace')), await states(linus)]).toEqual([[], [['missed', 'Printer on fire']]]);
    await one.tell(...story.edited({ priority: 'high' }).deleted().events.slice(-1));
    expect(await states(linus)).toEqual([]);
  });
});

describe('an affair of the organisation', () => {
  it('is told to its administrators, once however often it is announced, and to nobody who is none any more', async () => {
    const [orgId, twin] = [await organised(), await organised()];
    const announcement = { id: randomUUID(), at: new Date(), data: { subject: 'webhook-disabled', name: 'CRM', detail: '410' } } as const;
    await one.announce(orgId, announcement);
    await other.announce(orgId, announcement);
    const eve = principal(orgId, 'eve', [], 'admin');
    expect((await list(eve)).items).toMatchObject([{ kind: 'organisation', ticket: null, version: null, data: announcement.data }]);
    expect([await kinds(principal(orgId, 'eve')), await kinds(principal(orgId, 'grace', billing)), await kinds(principal(twin, 'eve', [], 'admin'))]).toEqual([[], [], []]);
  });
});

describe('marking as read', () => {
  const told = async () => {
    const orgId = await organised();
    const story = opened(orgId).commented('comment', '@grace 1').commented('comment', '@grace 2').commented('comment', '@grace 3');
    for (const event of story.events) await one.tell(event);
    return { orgId, story, who: principal(orgId, 'grace', billing) };
  };
  const readBy = async (who: Principal) => (await list(who)).items.map(({ readAt }) => readAt !== null);

  it('is of one, of those up to one, and of all', async () => {
    const { who } = await told();
    const [, second, third] = (await list(who)).items;
    expect((await one.ask(who, 'POST', `/notifications/${third!.id}/read`)).status).toBe(204);
    expect([await readBy(who), await unread(who)]).toEqual([[false, false, true], 2]);
    expect((await one.ask(who, 'POST', '/notifications/read', { body: { upTo: second!.id } })).status).toBe(204);
    expect([await readBy(who), (await list(who, '?unread=true')).items.length]).toEqual([[false, true, true], 1]);
    expect((await one.ask(who, 'POST', '/notifications/read', { body: {} })).status).toBe(204);
    expect([await readBy(who), await unread(who)]).toEqual([[true, true, true], 0]);
  });

  it('repeated marks nothing that came later; another request under the key is refused', async () => {
    const { who, story } = await told();
    const id = randomUUID();
    await one.ask(who, 'POST', '/notifications/read', { body: {}, id });
    await one.tell(...story.commented('comment', '@grace 4').events.slice(-1));
    const again = await other.ask(who, 'POST', '/notifications/read', { body: {}, id });
    expect([again.status, again.headers.get('idempotency-replayed'), await unread(who)]).toEqual([204, 'true', 1]);
    expect((await one.ask(who, 'POST', '/notifications/read', { body: {}, id, hash: 'another' })).body).toMatchObject({ status: 422, type: '/problems/idempotency-key-reused' });
    const [absent, repeated] = [await one.ask(who, 'POST', `/notifications/${id}/read`, { id: randomUUID() }), await one.ask(who, 'POST', `/notifications/${id}/read`, { id })];
    expect([absent.status, repeated.status, await unread(who)]).toEqual([404, 204, 1]);
  });

  it('is of one’s own only, and for people only', async () => {
    const { who, orgId } = await told();
    const id = (await list(who)).items[0]!.id;
    for (const stranger of [principal(orgId, 'eve', [], 'admin'), principal(await organised(), 'grace', billing)]) expect((await one.ask(stranger, 'POST', `/notifications/${id}/read`)).status).toBe(404);
    const agent: Principal = { orgId, actor: { type: 'agent', id: 'grace', name: 'x' }, access: { assistantIds: billing, scopes: ['tickets:read'] } };
    for (const [method, path] of [['GET', ''], ['GET', '/unread'], ['POST', '/read'], ['POST', `/${id}/read`]] as const) {
      expect((await one.ask(agent, method, `/notifications${path}`, { ...(path === '/read' && { body: {} }) })).body).toMatchObject({ status: 403, missing: 'role member' });
    }
    expect([(await one.ask(agent, 'GET', '/notification-preferences')).status, (await one.ask(agent, 'PUT', '/notification-preferences', { body: {} })).status, await unread(who)]).toEqual([403, 403, 3]);
  });
});

describe('preferences', () => {
  it('are one’s own, whole, with defaults, and changed once per key', async () => {
    const orgId = await organised();
    const who = principal(orgId, 'grace', billing);
    const ask = (method: string, body?: object, id = randomUUID(), hash = 'hash') => one.ask(who, method, '/notification-preferences', { ...(body && { body }), id, hash });
    const before = await ask('GET');
    expect(before.body).toMatchObject({ assigned: { inApp: 'at-once', email: 'at-once' }, status: { inApp: 'at-once', email: 'hourly' } });
    const id = randomUUID();
    const changed = await ask('PUT', { mentioned: { inApp: 'never', email: 'hourly' } }, id);
    expect([changed.status, changed.body]).toEqual([200, { ...before.body, mentioned: { inApp: 'never', email: 'hourly' } }]);
    await ask('PUT', { assigned: { inApp: 'never', email: 'never' } });
    const again = await ask('PUT', { mentioned: { inApp: 'never', email: 'hourly' } }, id);
    expect([again.headers.get('idempotency-replayed'), again.body]).toEqual(['true', changed.body]);
    expect((await ask('GET')).body).toEqual({ ...before.body, assigned: { inApp: 'never', email: 'never' } });
    expect((await ask('PUT', {}, id, 'another')).body).toMatchObject({ type: '/problems/idempotency-key-reused' });
    expect((await one.ask(principal(orgId, 'ada'), 'GET', '/notification-preferences')).body).toEqual(before.body);
  });

  it('count from then on: never is not stored, by the hour shows when the hour is over', async () => {
    const orgId = await organised();
    const who = principal(orgId, 'grace', billing);
    let story = opened(orgId);
    const wanting = async (inApp: string, email: string) => {
      expect((await one.ask(who, 'PUT', '/notification-preferences', { body: { mentioned: { inApp, email } } })).status).toBe(200);
      story = story.commented('comment', `@grace ${inApp} ${email}`);
      await one.tell(...story.events.slice(-1));
      return one.db.collection('notices').findOne({ orgId, memberId: 'grace', version: story.events.length });
    };
    expect(await wanting('never', 'never')).toBeNull();
    expect(await wanting('never', 'at-once')).toMatchObject({ shownAt: null, mailedFor: 'mentioned', digest: null });
    const hourly = await wanting('hourly', 'never');
    expect(hourly).toMatchObject({ mailedFor: null, digest: null });
    expect((hourly!['shownAt'] as Date).getMinutes()).toBe(0);
    expect((hourly!['shownAt'] as Date).getTime()).toBeGreaterThan(Date.parse(story.events.at(-1)!.at));
    // The hour may be over at any moment.
    await one.db.collection('notices').updateOne({ _id: hourly!._id }, { $set: { shownAt: new Date(Date.now() + 3_600_000) } });
    expect([await kinds(who), await unread(who)]).toEqual([[], 0]);
    expect(await wanting('at-once', 'hourly')).toMatchObject({ mailedFor: 'mentioned', digest: expect.stringContaining(`notice-digest/${orgId}/grace/`) as unknown });
    expect((await list(who)).items.map(({ data }) => data.excerpt)).toEqual(['@grace at-once hourly']);
    await one.db.collection('notices').updateOne({ _id: hourly!._id }, { $set: { shownAt: new Date(Date.now() - 3_600_000) } });
    expect((await list(who)).items.map(({ data }) => data.excerpt)).toEqual(['@grace at-once hourly', '@grace hourly never']);
  });
});
