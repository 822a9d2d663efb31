import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CommandData, CommandType, Principal } from '#contracts';
import { Rejection, sees, lacks } from '#domain';
import { ada, agent, assigneeOf, grace, linus } from '../../../../libs/contracts/testing/builders.js';
import { awaited } from '../../testing/awaited.js';
import { Running, type Answer } from '../../testing/running.js';
import { newYear, Story } from '../../testing/stories.js';
import { commentIn } from '../events.js';

const hank: Principal = { orgId: 'globex', actor: { type: 'member', id: 'ada', name: 'Hank' }, access: { role: 'admin', assistantIds: [] } };
const billingReader = agent('billing-bot', 'tickets:read');
const billingTeam = agent('billing-bot', 'tickets:read', 'notes:read', 'tickets:transition');
/** Sees every ticket of these stories whatever happens to it, but no notes. */
const watcher: Principal = { ...billingReader, access: { assistantIds: ['billing-bot', 'tech-bot'], scopes: ['tickets:read', 'tickets:transition'] } };

let service: Running;
beforeAll(async () => {
  service = await Running.start();
});
afterAll(() => service.stop());

const routes = ['', '/timeline', '/timeline?type=comment-added,status-changed', '/comments', '/conversation'] as const;
type Route = (typeof routes)[number];

/** What two answers to different questions must share. */
const bare = ({ status, body }: Answer) => {
  const { instance: _instance, requestId: _requestId, ...rest } = body as Record<string, unknown>;
  return { status, body: rest };
};
const asked = (id: string, route: string, moment = '') => `/tickets/${id}${route}${route.includes('?') ? '&' : '?'}${route === '' ? '' : 'limit=100&'}${moment}`;

/** What was shown at each version, to who reads notes and to who does not. */
class Recorded {
  private readonly shown = new Map<string, Answer>();

  constructor(readonly story: Story) {}

  /** Lets the newest event happen and looks at everything. */
  async happened(): Promise<void> {
    await service.project(this.story.events.at(-1)!);
    for (const by of [ada, watcher]) for (const route of routes) this.shown.set(this.name(this.story.events.length, route, by), await service.get(by, asked(this.story.id, route)));
  }

  at(version: number, route: Route, by: Principal): Answer {
    return this.shown.get(this.name(version, route, by))!;
  }

  private name = (version: number, route: Route, by: Principal) => `${version} ${route} ${lacks(by, 'read-notes') === null}`;
}

const step = <T extends CommandType>(type: T, ...data: CommandData<T>[]) => fc.constantFrom(...data).map((one) => [type, one] as const);
const often = [
  step('ticket.add-comment.v1', { kind: 'comment', body: 'try water' }, { kind: 'note', body: 'he sounds drunk' }, { kind: 'reply', body: 'Have you tried water?' }),
  step('ticket.change-status.v1', { to: 'pending' }, { to: 'resolved', comment: 'done' }, { to: 'open', comment: 'again' }),
  step('ticket.assign.v1', { to: assigneeOf(grace) }, { to: assigneeOf(linus) }, { to: null }, { to: { type: 'agent', id: 'billing-bot', name: 'B' } }),
  step(
    'ticket.update-details.v1',
    { title: 'Printer on ice', customFields: { plan: 'pro', 7: 'seven' } },
    { description: 'It burns.', priority: 'urgent', customFields: { plan: null, seats: 3 } },
    { tags: ['vip', 'late'], requester: { name: 'Zoë', id: 'c7' } },
    { requester: { email: 'zoe@example.com', name: null }, tags: [], title: 'Printer' },
    { requester: null, description: '', customFields: {} },
    { assistantId: 'tech-bot' },
    { assistantId: 'billing-bot', customFields: null },
  ),
  fc.constantFrom('delivered' as const, 'failed' as const).map((state) => ['report', state] as const),
];
const seldom = [
  step('ticket.append-conversation.v1', { messages: [{ id: 'm1', role: 'user', content: 'Help!' }, { id: 'm2', role: 'assistant', content: 'How?' }] }),
  step('ticket.record-tool-call.v1', { tool: 'look-up', arguments: { a: 1 }, status: 'ok' }),
  step('ticket.change-status.v1', { to: 'closed' }),
  step('ticket.delete.v1', {}),
];
const restored = step('ticket.restore.v1', {});
const steps = fc.oneof(...often.map((arbitrary) => ({ arbitrary, weight: 6 })), ...seldom.map((arbitrary) => ({ arbitrary, weight: 1 })), { arbitrary: restored, weight: 12 });
const lives = fc.array(steps, { minLength: 25, maxLength: 40 });

/** Lets something happen if it may. */
function happens(story: Story, [type, data]: readonly [string, unknown]): boolean {
  const replies = story.events.flatMap((event) => commentIn(event) ?? []).filter(({ kind }) => kind === 'reply');
  if (type === 'report' && replies.length === 0) return false;
  const [command, content] = type === 'report' ? ['ticket.report-reply-delivery.v1', { commentId: replies.at(-1)!.id, state: data, channel: 'email' }] : [type, data];
  try {
    story.happens(command as CommandType, content as never);
    return true;
  } catch (error) {
    if (error instanceof Rejection || (error as Error).message.endsWith('changed nothing')) return false;
    throw error;
  }
}

/** Some versions share a moment. */
const behind = (version: number) => Math.floor(version / 3) * 60_000 + (version % 3) * (version % 2) * 1_000;
const timeOf = (version: number) => Math.max(...Array.from({ length: version }, (_, i) => behind(i + 1)));

async function told(life: readonly (readonly [string, unknown])[]): Promise<Recorded> {
  const conversation = { messages: [{ id: 'm0', role: 'user' as const, content: 'My printer burns.' }] };
  const story = new Story({ id: randomUUID(), behind: timeOf }).create({ assistantId: 'billing-bot', requester: { name: 'Zoe' }, customFields: { plan: 'basic' }, conversation });
  const recorded = new Recorded(story);
  await recorded.happened();
  for (const one of life) if (happens(story, one)) await recorded.happened();
  return recorded;
}

/** What somebody is shown of a version now: rights are today's, and so is who sees the ticket. */
function expected(recorded: Recorded, version: number, route: Route, by: Principal) {
  const { story } = recorded;
  const isHidden = by.orgId !== story.orgId || !sees(by, story.ticket);
  if (isHidden) return { status: 404, body: expect.objectContaining({ type: '/problems/not-found', detail: 'There is no such ticket.' }) as unknown };
  if (story.isDeleted) return { status: 410, body: expect.objectContaining({ type: '/problems/gone' }) as unknown };
  const then = withoutDeadlines(bare(recorded.at(version, route, by)));
  if (route !== '' || then.status !== 200 || version === story.events.length) return then;
  return { status: 200, body: { ...then.body, allowedTransitions: [] } };
}

async function check(recorded: Recorded, version: number, moment: string) {
  const { id } = recorded.story;
  for (const by of [ada, watcher]) {
    for (const route of routes) {
      const answer = await service.get(by, asked(id, route, moment));
      expect({ moment, route, ...withoutDeadlines(bare(answer)) }).toEqual({ moment, route, ...expected(recorded, version, route, by) });
      expect(answer.headers.get('etag')).toBe(route === '' && answer.status === 200 ? `"${version}"` : null);
    }
  }
  const route = routes[version % routes.length]!;
  for (const by of [grace, linus, billingReader, billingTeam, hank]) {
    const shown = withoutDeadlines(bare(await service.get(by, asked(id, route, moment))));
    expect({ moment, route, ...withoutMoves(shown) }).toEqual({ moment, route, ...withoutMoves(expected(recorded, version, route, by)) });
  }
}

/** Deadlines are told as they are now, or not at all. */
const withoutDeadlines = <T extends { body: Record<string, unknown> }>({ body: { deadlines: _deadlines, ...body }, ...rest }: T) => ({ ...rest, body });

/** The moves of the newest version are those of who asks. */
const withoutMoves = ({ status, body }: { status: number; body: unknown }) => ({ status, body: status === 200 ? { ...(body as object), allowedTransitions: undefined } : body });

describe('a ticket as it was', () => {
  it('is what was shown then, at every version and at times between, to everybody who may see it now', () =>
    fc.assert(
      fc.asyncProperty(lives, async (life) => {
        const recorded = await told(life);
        const { events } = recorded.story;
        for (const { version, at } of events) {
          await check(recorded, version, `version=${version}`);
          const newestThen = events.findLast((event) => event.at === at)!.version;
          // No two times lie closer together than a second.
          const time = version % 2 === 0 ? at : new Date(Date.parse(at) + 999).toISOString();
          await check(recorded, newestThen, `asOf=${time}`);
        }
      }),
      { numRuns: 5 },
    ));
});

const problemIn = ({ status, body }: Answer) => [status, body.type];

describe('moments of a ticket', () => {
  const story = new Story({ number: 900, at: Date.parse('2026-03-01T23:59:58.500Z') }).create({ assistantId: 'billing-bot' }).comment('one').comment('two').comment('secret', 'note').move('pending');
  const get = (moment: string, by: Principal = grace, headers = {}) => service.get(by, `/tickets/${story.id}?${moment}`, headers);
  beforeAll(() => service.project(...story.events));

  it('are times with any offset, or dates, which end at midnight UTC', async () => {
    for (const [moment, version] of [['2026-03-01', 2], ['2026-03-02', 5], ['2026-03-01T23:59:59.499Z', 1], ['2026-03-02T00:59:59.500%2B01:00', 2], ['9999-12-31', 5]] as const) {
      expect([moment, (await get(`asOf=${moment}`)).body.version]).toEqual([moment, version]);
    }
  });

  it('are found by number too', async () => expect((await service.get(grace, '/tickets/900?version=2')).body).toMatchObject({ id: story.id, version: 2, commentCount: 1 }));

  it('that never were are not found', async () => {
    for (const moment of ['version=6', 'version=999999999999999', 'asOf=2026-03-01T23:59:58.499Z', 'asOf=2026-02-28', 'asOf=0001-01-01']) {
      for (const route of routes) expect(problemIn(await service.get(grace, asked(story.id, route, moment)))).toEqual([404, '/problems/not-found']);
    }
  });

  it.each(['version=0', 'version=x', 'version=1.5', 'version=-1', 'version=', 'version=1&version=2', 'asOf=x', 'asOf=2026-02-30', 'asOf=2026-03-01T00:00:00', 'asOf=2026-03-01&asOf=2026-03-02', 'asOf=2026-03-01&version=1', 'version[$gt]=0'])(
    'with ?%s are refused by name',
    async (moment) => {
      for (const route of routes) {
        const { status, body } = await service.get(grace, asked(story.id, route, moment));
        expect([status, body.type, body.errors[0].pointer]).toEqual([422, '/problems/validation-failed', `?${moment.split('=')[0]!}`]);
      }
    },
  );

  it('are none for other questions', async () => {
    for (const path of [`/tickets/${story.id}/transitions?version=1`, '/tickets?version=1', '/tickets/counts?asOf=2026-03-01']) expect((await service.get(grace, path)).status).toBe(422);
  });

  it('wait for the version that the reader must see, which is about the ticket as it is', async () => {
    const answers = await awaited(async () => {
      const late = new Story().create().comment('one').comment('two');
      await service.project(...late.events.slice(0, 2));
      const asks = ['version=3', 'version=1', 'asOf=9999-12-31'].map((moment) => () => service.get(ada, `/tickets/${late.id}?${moment}`, { 'x-min-version': '3' }));
      return { ask: () => Promise.all(asks.map((ask) => ask())), come: () => service.project(late.events[2]!) };
    });
    expect(answers.map(({ body }) => body.version as number)).toEqual([3, 1, 3]);
    expect(problemIn(await get('version=1', grace, { 'x-min-version': '6' }))).toEqual([503, '/problems/not-yet']);
  });

  it('of a ticket out of sight are as absent as the ticket, whatever moment is asked for', async () => {
    await service.project(...new Story({ orgId: 'globex', id: story.id, number: 900 }).create().comment('theirs').events);
    for (const route of routes) {
      const absent = bare(await service.get(linus, asked('0196f0a0-0000-7000-8000-0000000000ff', route)));
      for (const moment of ['version=1', 'version=99', 'asOf=2026-03-01', 'asOf=0001-01-01']) expect(bare(await service.get(linus, asked(story.id, route, moment)))).toEqual(absent);
    }
    expect((await service.get(hank, asked(story.id, '/comments', 'version=2'))).body.items).toMatchObject([{ body: 'theirs' }]);
  });

  it('go on page by page like the newest', async () => {
    const bodies: string[] = [];
    for (let after: string | null = '0'; after !== null; ) {
      const { body } = await service.get(grace, `/tickets/${story.id}/comments?version=4&limit=1&after=${after}`);
      bodies.push(...body.items.map((comment: { body: string }) => comment.body));
      after = body.nextAfter as string | null;
    }
    expect(bodies).toEqual(['one', 'two', 'secret']);
  });

  it('are found among many versions that share their times', async () => {
    const many = new Story({ at: newYear, behind: (version) => Math.floor(version / 40) * 1_000 }).create();
    for (let i = 0; i < 160; i++) many.comment(`c${i}`);
    await service.project(...many.events);
    for (const seconds of [0, 1, 2, 3, 4]) {
      const version = many.events.findLast(({ at }) => Date.parse(at) <= newYear + seconds * 1_000)!.version;
      expect((await service.get(ada, `/tickets/${many.id}?asOf=${new Date(newYear + seconds * 1_000 + 1).toISOString()}`)).body).toMatchObject({ version, commentCount: version - 1 });
    }
  });
});
