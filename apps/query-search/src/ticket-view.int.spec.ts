import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '#contracts';
import { ada, agent, grace, linus } from '../../../libs/contracts/testing/builders.js';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { awaited } from '../testing/awaited.js';
import { assertionOf, Running, type Answer } from '../testing/running.js';
import { Story } from '../testing/stories.js';

const noteless = agent('billing-bot', 'tickets:read');
const noteReader = agent('billing-bot', 'tickets:read', 'notes:read');
const hank: Principal = { orgId: 'globex', actor: { type: 'member', id: 'ada', name: 'Hank' }, access: { role: 'admin', assistantIds: [] } };

let service: Running;
beforeAll(async () => {
  service = await Running.start();
});
afterAll(() => service.stop());

const tell = async (...stories: Story[]) => {
  await service.project(...stories.flatMap(({ events }) => events));
  return stories[0]!;
};

/** A ticket of billing-bot, with a hidden note in the middle; its twins are another assistant's and another organisation's. */
const billing = (beginning = {}) =>
  new Story(beginning)
    .create({ title: 'Printer on fire', assistantId: 'billing-bot' })
    .comment('try water')
    .comment('he sounds drunk', 'note')
    .comment('Have you tried water?', 'reply')
    .move('pending', 'waiting for him');

const problemIn = ({ status, body }: Answer) => [status, body.type];
/** What two refusals must share: everything but what names the request. */
const bare = ({ status, body: { instance: _instance, requestId: _requestId, ...body } }: Answer) => ({ status, body: body as unknown });
const routes = ['', '/transitions', '/comments', '/timeline', '/conversation'];

describe('a ticket', () => {
  it('is found by id and by number, with its version and the moves of who asks', async () => {
    const story = await tell(billing({ number: 501 }));
    const whole = { ...story.ticket, deadlines: [], allowedTransitions: ['open', 'resolved'] };
    for (const ref of [story.id, story.id.toUpperCase(), '501']) {
      const { status, headers, body } = await service.get(grace, `/tickets/${ref}`);
      expect([status, headers.get('etag'), body]).toEqual([200, '"5"', whole]);
    }
    expect((await service.get(noteless, `/tickets/${story.id}`)).body).toEqual({ ...whole, allowedTransitions: [] });
    expect((await service.get(grace, `/tickets/${story.id}/transitions`)).body).toEqual({ status: 'pending', allowed: ['open', 'resolved'] });
  });

  it('that is absent, another assistant\'s or another organisation\'s is not found, in the same words', async () => {
    const id = '0196f0a0-0000-7000-8000-000000000502';
    await tell(billing({ id, number: 502 }), new Story({ orgId: 'globex', id, number: 503 }).create({ title: 'Printer on fire' }));
    for (const route of routes) {
      const absent = bare(await service.get(linus, `/tickets/0196f0a0-0000-7000-8000-0000000000ff${route}`));
      expect(absent).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
      expect(bare(await service.get(linus, `/tickets/${id}${route}`))).toEqual(absent);
      expect((await service.get(hank, `/tickets/${id}${route}`)).status).toBe(200);
    }
    expect((await service.get(hank, `/tickets/${id}`)).body).toMatchObject({ number: 503 });
    for (const [by, number] of [[linus, 502], [ada, 503], [hank, 502]] as const) expect(problemIn(await service.get(by, `/tickets/${number}`))).toEqual([404, '/problems/not-found']);
  });

  it('is seen by its assistant\'s members, its assignee and who created it, as long as they are', async () => {
    const story = new Story({ number: 504 }).create({ assistantId: 'tech-bot', assignee: { type: 'member', id: 'grace', name: 'Grace' } }, { ...linus, access: { role: 'admin', assistantIds: [] } });
    await tell(story);
    const statuses = async () => Promise.all([ada, grace, linus, noteless].map(async (by) => (await service.get(by, `/tickets/${story.id}`)).status));
    expect(await statuses()).toEqual([200, 200, 200, 404]);
    await tell(story.happens('ticket.assign.v1', { to: { type: 'agent', id: 'billing-bot', name: 'B' } }));
    expect(await statuses()).toEqual([200, 404, 200, 200]);
  });

  it('that was deleted is gone for who could see it and not found for others, until it is restored', async () => {
    const story = await tell(billing({ number: 505 }).happens('ticket.delete.v1', {}));
    for (const route of routes) {
      expect(problemIn(await service.get(grace, `/tickets/${story.id}${route}`))).toEqual([410, '/problems/gone']);
      expect(problemIn(await service.get(linus, `/tickets/${story.id}${route}`))).toEqual([404, '/problems/not-found']);
    }
    expect((await service.get(ada, '/tickets?q=%23505')).body).toMatchObject({ items: [], total: 0 });
    await tell(story.happens('ticket.restore.v1', {}));
    expect((await service.get(grace, `/tickets/505`)).status).toBe(200);
  });

  it('needs tickets:read of an agent, which the refusal names', async () => {
    const story = await tell(billing());
    const blind = agent('billing-bot', 'tickets:write', 'notes:read');
    for (const path of [...routes.map((route) => `/tickets/${story.id}${route}`), '/tickets', '/tickets/counts']) {
      const answer = await service.get(blind, path);
      expect([answer.status, answer.body.missing]).toEqual([403, 'scope tickets:read']);
    }
  });
});

describe('the thread', () => {
  it('holds comments, replies, those made with a move, and notes for who may read them', async () => {
    const story = await tell(billing());
    const read = async (by: Principal) => (await service.get(by, `/tickets/${story.id}/comments`)).body;
    const bodies = (await read(grace)).items.map(({ kind, body }: { kind: string; body: string }) => `${kind}: ${body}`);
    expect(bodies).toEqual(['comment: try water', 'note: he sounds drunk', 'reply: Have you tried water?', 'comment: waiting for him']);
    const told = (await read(noteless)) as { items: { kind: string }[]; nextAfter: null };
    expect([told.items.map(({ kind }) => kind), told.nextAfter]).toEqual([['comment', 'reply', 'comment'], null]);
    expect(JSON.stringify(told)).not.toContain('drunk');
    expect(await read(noteReader)).toEqual(await read(grace));
  });

  it('tells what became of a reply last', async () => {
    const story = billing();
    const commentId = (story.events[3]!.data as { comment: { id: string } }).comment.id;
    await tell(story);
    const delivery = async () => (await service.get(grace, `/tickets/${story.id}/comments?after=2`)).body.items[1].delivery as unknown;
    expect(await delivery()).toEqual({ state: 'pending' });
    await tell(story.happens('ticket.report-reply-delivery.v1', { commentId, state: 'failed', channel: 'email', detail: 'mailbox full' }));
    expect(await delivery()).toEqual({ state: 'failed', channel: 'email', detail: 'mailbox full', at: story.ticket.updatedAt });
    await tell(story.happens('ticket.report-reply-delivery.v1', { commentId, state: 'delivered', channel: 'email' }));
    expect(await delivery()).toEqual({ state: 'delivered', channel: 'email', at: story.ticket.updatedAt });
  });
});

describe('the timeline', () => {
  it('holds every event as it happened', async () => {
    const story = await tell(billing());
    const { items, nextAfter } = (await service.get(grace, `/tickets/${story.id}/timeline`)).body as { items: unknown[]; nextAfter: null };
    const all = story.events.map(({ version, type, at, actor, data }) => ({ version, type: type.slice(7, -3), at, actor, data: JSON.parse(JSON.stringify(data)) as unknown }));
    expect([items, nextAfter]).toEqual([all, null]);
  });

  it('tells who may not read notes only that there is one', async () => {
    const story = await tell(billing());
    const answer = await service.get(noteless, `/tickets/${story.id}/timeline?type=comment-added`);
    expect(answer.body.items[1]).toEqual({ version: 3, type: 'comment-added', at: story.events[2]!.at, hidden: true });
    expect(JSON.stringify(answer.body)).not.toContain('drunk');
    expect((await service.get(noteReader, `/tickets/${story.id}/timeline`)).body.items[2]).toHaveProperty('data');
  });

  it('is asked for some types', async () => {
    const story = await tell(billing());
    const versions = async (type: string) => (await service.get(grace, `/tickets/${story.id}/timeline?${type}`)).body.items.map(({ version }: { version: number }) => version) as number[];
    expect(await versions('type=created,status-changed')).toEqual([1, 5]);
    expect(await versions('type=comment-added&type=created')).toEqual([1, 2, 3, 4]);
    expect(problemIn(await service.get(grace, `/tickets/${story.id}/timeline?type=sung`))).toEqual([422, '/problems/validation-failed']);
  });
});

describe('pages of a ticket', () => {
  const told = new Story({ number: 600 }).create({ assistantId: 'billing-bot', conversation: { messages: ['a', 'b', 'c'].map((content, i) => ({ id: `m${i}`, role: 'user' as const, content })) } });
  for (let i = 0; i < 12; i++) told.comment(`c${i}`, i % 4 === 3 ? 'note' : 'comment').say(...Array.from({ length: (i * 5) % 7 || 1 }, (_, n) => `${i}.${n}`));
  beforeAll(() => tell(told));

  const all = async (route: string, limit: number, by: Principal) => {
    const items: unknown[] = [];
    for (let after: string | null = '0', pages = 0; after !== null; pages++) {
      const { body } = await service.get(by, `/tickets/${told.id}/${route}${route.includes('?') ? '&' : '?'}limit=${limit}&after=${after}`);
      expect(body.items.length).toBeGreaterThan(0);
      expect(body.items.length).toBeLessThanOrEqual(limit);
      items.push(...(body.items as unknown[]));
      after = body.nextAfter as string | null;
      if (pages > 200) throw new Error('no end');
    }
    return items;
  };

  it.each([
    ['comments', grace, 12], ['comments', noteless, 9], ['timeline', grace, 25], ['timeline', noteless, 25],
    ['timeline?type=comment-added', grace, 12], ['conversation', grace, 3 + 1 + 5 + 3 + 1 + 6 + 4 + 2 + 1 + 5 + 3 + 1 + 6],
  ] as const)('of %s never overlap nor skip, whatever their size', async (route, by, count) => {
    const whole = await all(route, 100, by);
    expect(whole).toHaveLength(count);
    for (const limit of [1, 2, 5, 7, count]) expect(await all(route, limit, by)).toEqual(whole);
  });

  it('start behind a place that is none with 422', async () => {
    for (const route of ['comments', 'timeline', 'conversation']) {
      for (const after of ['x', '-1', '1.2.3', '$', '99999999999999', '1e3']) expect(problemIn(await service.get(grace, `/tickets/${told.id}/${route}?after=${encodeURIComponent(after)}`))).toEqual([422, '/problems/invalid-cursor']);
      for (const bad of ['limit=0', 'limit=101', 'limit=x', 'limit=1&limit=2', 'page=1']) expect((await service.get(grace, `/tickets/${told.id}/${route}?${bad}`)).status).toBe(422);
      expect((await service.get(grace, `/tickets/${told.id}/${route}?after=${route === 'conversation' ? '999.1' : '999'}`)).body).toEqual({ items: [], nextAfter: null });
    }
  });
});

describe('X-Min-Version', () => {
  const wait = (by: Principal, path: string, version: number | string) => service.get(by, path, { 'x-min-version': String(version) });

  it('waits for a version that is on its way', async () => {
    const answers = await awaited(async () => {
      const story = billing();
      await service.project(...story.events.slice(0, 2));
      return { ask: () => Promise.all(routes.map((route) => wait(grace, `/tickets/${story.id}${route}`, 4))), come: () => service.project(...story.events.slice(2, 4)) };
    });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(answers[0]!.body).toMatchObject({ version: 4 });
  });

  it('waits for a ticket that another instance stores', async () => {
    const other = await Running.start(service.database);
    let number = 7_000;
    const answers = await awaited(() => {
      const story = billing({ number: (number += 1) });
      return { ask: () => Promise.all([wait(grace, `/tickets/${story.id}`, 5), wait(grace, `/tickets/${story.ticket.number}`, 1)]), come: () => other.project(...story.events) };
    });
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await other.stop({ keep: true });
  });

  it('gives up alike on absent, invisible and late tickets', async () => {
    const story = await tell(billing());
    const asked: [Principal, string][] = [[grace, story.id], [linus, story.id], [hank, story.id], [linus, '0196f0a0-0000-7000-8000-0000000000ff']];
    const started = Date.now();
    const answers = await Promise.all(asked.map(([by, id]) => wait(by, `/tickets/${id}`, 6)));
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
    expect(new Set(answers.map((answer) => JSON.stringify(bare(answer)))).size).toBe(1);
    expect(problemIn(answers[0]!)).toEqual([503, '/problems/not-yet']);
    expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual(['1', '1', '1', '1']);
  });

  it('of a deleted ticket is reached like any other', async () => {
    const story = await tell(billing().happens('ticket.delete.v1', {}));
    expect(problemIn(await wait(grace, `/tickets/${story.id}`, 6))).toEqual([410, '/problems/gone']);
  });

  it('may be far beyond any version there is', async () => {
    const story = await tell(billing());
    expect(problemIn(await wait(grace, `/tickets/${story.id}`, 999_999_999_999_999))).toEqual([503, '/problems/not-yet']);
  });

  it.each(['0', '-1', 'x', '1.5', '"1"', '1, 2', '01', '1000000000000000'])('%p is malformed', async (version) =>
    expect(problemIn(await wait(grace, '/tickets/1', version))).toEqual([400, '/problems/malformed-request']));
});

describe('the door', () => {
  const path = '/tickets';
  const refusals = async () => ({
    none: undefined,
    empty: 'Bearer ',
    basic: 'Basic YTpi',
    'another key': `Bearer ${await assertionOf(ada, { secret: 'another key that is long enough, too' })}`,
    'another audience': `Bearer ${await assertionOf(ada, { audience: 'assignment-notification' })}`,
    'another issuer': `Bearer ${await assertionOf(ada, { issuer: 'somebody' })}`,
    expired: `Bearer ${await assertionOf(ada, { expires: '-1s' })}`,
    'valid for longer than a minute': `Bearer ${await assertionOf(ada, { expires: '2m' })}`,
    'no principal': `Bearer ${await assertionOf(undefined)}`,
    'a broken principal': `Bearer ${await assertionOf({ ...ada, orgId: '../x' })}`,
    unsigned: `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: 'gateway', aud: 'query-search', exp: 9e9, principal: ada })).toString('base64url')}.`,
  });

  it('opens only for assertions of the gateway', async () => {
    for (const [name, authorization] of Object.entries(await refusals())) {
      const answer = await service.request(path, authorization === undefined ? {} : { authorization });
      expect([name, ...problemIn(answer)]).toEqual([name, 401, '/problems/unauthenticated']);
    }
  });

  it('closes for an assertion as soon as it expires, though it was let in before', async () => {
    const authorization = await eventually(async () => {
      const fresh = `Bearer ${await assertionOf(ada, { expires: '5s' })}`;
      return (await service.request(path, { authorization: fresh })).status === 200 && fresh;
    }, 'it is let in before it expires');
    await eventually(async () => (await service.request(path, { authorization })).status === 401, 'it is closed');
  });

  it.each(['/tickets/abc', '/tickets/0', '/tickets/1e3', '/tickets/%24where', '/tickets/0196f0a0/comments', '/tickets/12/timeline', '/commands/x'])('names the bad id in %s', async (path) =>
    expect(problemIn(await service.get(ada, path))).toEqual([400, '/problems/malformed-request']));

  it.each(['?foo=1', '?q[$ne]=1', '?limit=1', '?version[$gt]=1'])('knows no %s of a ticket', async (query) => {
    const { status, body } = await service.get(ada, `/tickets/1${query}`);
    expect([status, body.errors[0].code]).toEqual([422, 'unknown_field']);
  });
});
