import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Priority, type Principal, type Stats, type Ticket, type TicketEvent } from '#contracts';
import { ada, agent, grace, linus } from '../../../../libs/contracts/testing/builders.js';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Running } from '../../testing/running.js';
import { expectedStats, type Asked } from '../../testing/stats-oracle.js';
import { recordOf, roundOf, Story } from '../../testing/stories.js';
import { TicketViewConsumer } from '../ticket-view.consumer.js';
import { Cells, personScope } from './cells.store.js';
import { Marks } from './marks.store.js';
import { Recount } from './recount.js';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2025-11-20T00:00:00Z');

const many: Principal = { orgId: 'acme', actor: { type: 'member', id: 'mia', name: 'Mia' }, access: { role: 'member', assistantIds: ['tech-bot', ...Array.from({ length: 30 }, (_, i) => `no-bot-${i}`)] } };
const bot = agent('billing-bot', 'tickets:read');
const nobody: Principal = { orgId: 'acme', actor: { type: 'member', id: 'nobody', name: 'N' }, access: { role: 'member', assistantIds: [] } };
const hank: Principal = { orgId: 'globex', actor: { type: 'member', id: 'ada', name: 'Hank' }, access: { role: 'admin', assistantIds: [] } };
const askers = { ada, grace, linus, many, bot, nobody, hank };

const pick = <T>(from: readonly T[], i: number) => from[i % from.length]!;
const titles = ['Order has not arrived', 'Refund for the printer', 'Printer on fire', 'Rückerstattung fehlt', 'Where is my refund?', 'Password'];
const assignees: readonly Ticket['assignee'][] = [null, { type: 'member', id: 'grace', name: 'Grace' }, { type: 'member', id: 'linus', name: 'Linus' }, { type: 'agent', id: 'billing-bot', name: 'B' }, { type: 'member', id: 'mia', name: 'Mia' }];

/** Happens at odd moments, over weeks: a ticket every 19 hours and a bit, some of them resolved months later. */
function lifeOf(i: number, orgId: string): Story {
  const slow = 1 + (i % 13) ** 2;
  const story = new Story({ orgId, number: i + 1, at: start + i * (19 * hour + 1_234_567), behind: (version) => (version - 1) * slow * 2_345_678 });
  story.create(
    {
      title: pick(titles, i),
      priority: pick(Priority.options, i >> 1),
      assistantId: pick(['billing-bot', 'tech-bot', undefined, 'tech-bot', 'sales-bot'], i),
      tags: pick([[], ['VIP'], ['vip', 'a.b$c'], ['VIP', 'late', '__proto__']], i),
      assignee: pick(assignees, i >> 1),
    },
    pick([ada, ada, { ...grace, access: { role: 'admin', assistantIds: [] } } as Principal, ada], i),
  );
  const isResolved = i % 3 !== 0 && i % 4 !== 0;
  const later: [boolean, () => Story][] = [
    [i % 2 === 1, () => story.comment('we look into it', 'reply')],
    [i % 3 !== 0, () => story.move('pending')],
    [i % 5 === 0, () => story.comment('a note', 'note')],
    [isResolved, () => story.move('resolved')],
    [i % 20 === 2, () => story.move('open')],
    [i % 7 === 0, () => story.move('closed')],
    [i % 17 === 3, () => story.happens('ticket.assign.v1', { to: pick([{ type: 'member', id: 'linus', name: 'Linus' } as const, null], i >> 2) })],
    [i % 23 === 6, () => story.happens('ticket.update-details.v1', { assistantId: 'sales-bot', title: 'Moved elsewhere' })],
    [i % 11 === 10, () => story.happens('ticket.delete.v1', {})],
    [i % 22 === 10, () => story.happens('ticket.restore.v1', {})],
  ];
  for (const [isSo, happens] of later) if (isSo) tryHard(happens);
  return story;
}

/** What the state of a ticket forbids does not happen to it. */
function tryHard(happens: () => unknown) {
  try {
    happens();
  } catch {
    // a story goes on without it
  }
}

const stories = Array.from({ length: 130 }, (_, i) => lifeOf(i, 'acme'));
const twins = Array.from({ length: 40 }, (_, i) => lifeOf(i, 'globex'));
const all = [...stories, ...twins];

let one: Running;
let other: Running;
const running: Running[] = [];
beforeAll(async () => {
  one = await Running.start();
  other = await Running.start(one.database);
  running.push(one, other);
});
afterAll(async () => {
  const services = [...running].reverse();
  for (const service of services) await service.part(Recount).onApplicationShutdown();
  for (const service of services) await service.stop({ keep: service !== one });
});

/** To those that keep views and statistics. */
async function happen(service: Running, events: readonly TicketEvent[]) {
  const round = roundOf(...events.map((event) => recordOf(event)));
  await untilDone(() => service.part(TicketViewConsumer).project(round));
}

/** Bulks that meet may be told to try again; messaging does that for a round. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return void (await work());
    } catch (error) {
      if ((error as { passes?: boolean }).passes !== true || tries > 20) throw error;
    }
  }
}

const marksLeft = async () => one.db.collection('stats_marks').countDocuments();

async function counted() {
  await eventually(async () => {
    while (await one.part(Recount).next());
    return (await marksLeft()) === 0; // else somebody else is at it
  }, 'all days are counted');
}

const inChunks = <T>(items: readonly T[], sizes: readonly number[]): T[][] => {
  const chunks: T[][] = [];
  for (let at = 0, i = 0; at < items.length; i++) chunks.push(items.slice(at, (at += pick(sizes, i))));
  return chunks;
};

const query = ({ from, to, assistantIds }: Asked) => {
  const parameters = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  if (assistantIds) parameters.set('assistantId', assistantIds.join(','));
  return `/stats?${parameters}`;
};

const ask = async (by: Principal, asked: Asked, service = one): Promise<Stats> => {
  const { status, body } = await service.get(by, query(asked));
  expect(status).toBe(200);
  return body as Stats;
};

type Duration = Stats['firstReply'];
const isNear = (found: number | null, wanted: number | null) => (wanted === null ? found === null : Math.abs(found! - wanted) <= 1 + 0.05 * wanted);

async function expectRight(by: Principal, asked: Asked, service = one) {
  const { asOf: _, firstReply, resolution, ...found } = await ask(by, asked, service);
  const wanted = expectedStats(all, by, asked);
  expect({ ...found, counts: [firstReply.count, resolution.count] }).toEqual({ ...without(wanted), counts: [wanted.firstReply.count, wanted.resolution.count] });
  for (const [duration, exact] of [[firstReply, wanted.firstReply], [resolution, wanted.resolution]] as [Duration, Duration][]) {
    expect([isNear(duration.medianMs, exact.medianMs), isNear(duration.p90Ms, exact.p90Ms)]).toEqual([true, true]);
  }
}

const without = ({ firstReply: _, resolution: __, ...rest }: Omit<Stats, 'asOf'>) => rest;

const moment = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: -5, max: 150 }).map((days) => start + days * day) },
  { weight: 2, arbitrary: fc.integer({ min: -5 * day, max: 150 * day }).map((ms) => start + ms) },
  fc.integer({ min: 9, max: 17 }).map((month) => Date.UTC(2025, month, 1)),
);
const asking = fc.record({
  range: fc.tuple(moment, moment).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
  assistantIds: fc.option(fc.uniqueArray(fc.constantFrom('billing-bot', 'tech-bot', 'sales-bot', 'no-bot'), { minLength: 1, maxLength: 3 }), { nil: undefined }),
  by: fc.constantFrom(...Object.values(askers)),
});
const everything = { from: start - 50 * day, to: start + 300 * day };

describe('statistics', () => {
  beforeAll(async () => {
    const events = all.flatMap(({ events: its }) => its);
    for (const chunk of inChunks(events, [40, 7, 90])) await happen(one, chunk);
    await counted();
  });

  it('are those of the tickets that one sees, for every range and assistant', () =>
    fc.assert(
      fc.asyncProperty(asking, ({ range, assistantIds, by }) => expectRight(by, { ...range, ...(assistantIds && { assistantIds }) })),
      { numRuns: 150 },
    ));

  it('of a member are those of their assistants, and what else is assigned to them or was created by them', async () => {
    const seen = expectedStats(all, grace, everything);
    expect(seen.byAssistant.map(({ id }) => id).sort()).toEqual(['billing-bot', 'sales-bot', 'tech-bot']);
    await expectRight(grace, everything);
    await expectRight(grace, { ...everything, assistantIds: ['tech-bot'] });
    expect((await ask(nobody, everything)).byStatus).toEqual({ open: 0, pending: 0, resolved: 0, closed: 0 });
  });

  it('stay as they are when everything comes again, in other pieces, to two instances at once', async () => {
    const before = await ask(ada, everything);
    const events = all.flatMap(({ events: its }) => its);
    const feed = async (service: Running, sizes: number[]) => {
      for (const chunk of inChunks(events, sizes)) await happen(service, [...chunk, ...chunk.slice(0, 3)]);
    };
    await Promise.all([feed(one, [60, 25]), feed(other, [33, 110])]);
    await counted();
    const after = await ask(ada, everything, other);
    expect({ ...after, asOf: '' }).toEqual({ ...before, asOf: '' });
  });

  it('follow every change: a ticket that is moved, assigned, resolved, reopened, deleted and restored', async () => {
    const story = new Story({ at: start + 40 * day, number: 900, behind: (version) => version * 30 * hour }).create({ title: 'Follow me', assistantId: 'billing-bot', tags: ['followed'] });
    all.push(story);
    const steps: (() => unknown)[] = [
      () => undefined,
      () => story.happens('ticket.update-details.v1', { assistantId: 'sales-bot', tags: [] }),
      () => story.happens('ticket.assign.v1', { to: { type: 'member', id: 'grace', name: 'Grace Renamed' } }),
      () => story.move('pending'),
      () => story.move('resolved'),
      () => story.move('open'),
      () => story.happens('ticket.delete.v1', {}),
      () => story.happens('ticket.restore.v1', {}),
      () => story.happens('ticket.assign.v1', { to: null }),
    ];
    for (const step of steps) {
      step();
      await happen(one, story.events.slice(-1));
      await counted();
      const asked = { from: start + 40 * day, to: start + 41 * day };
      for (const by of [ada, grace, linus]) expect((await ask(by, asked)).byStatus).toEqual(expectedStats(all, by, asked).byStatus);
      await expectRight(ada, everything);
    }
  });

  it('never lose a change to a process that dies between noting and counting, wherever it dies', async () => {
    const story = new Story({ at: start + 10 * day, number: 901 }).create({ title: 'Crash', assistantId: 'tech-bot' }).move('pending');
    all.push(story);
    await counted();
    const dying = await Running.start(one.database);
    running.push(dying);
    // From before it happens nobody else counts, and this one when told to, not by itself.
    for (const service of [one, other, dying]) await service.part(Recount).onApplicationShutdown();
    await happen(one, story.events);
    const cells = dying.part(Cells);
    const put = cells.put.bind(cells);
    const recount = dying.part(Recount);
    for (let writes = 0; writes < 3; writes++) {
      let left = writes;
      jest.spyOn(cells, 'put').mockImplementation((...args) => (left-- > 0 ? put(...args) : Promise.reject(new Error('dies here'))));
      await recount.next().catch(() => undefined);
      await one.db.collection('stats_marks').updateMany({}, { $set: { until: new Date(0) } }); // as time does
      if (writes < 2) expect(await marksLeft()).toBe(1);
    }
    jest.restoreAllMocks();
    while (await recount.next());
    expect(await marksLeft()).toBe(0);
    await expectRight(ada, everything);
  });

  it('keep a day noted that changes while it is counted', async () => {
    const story = new Story({ at: start + 11 * day, number: 902 }).create({ title: 'Race' }).move('pending');
    all.push(story);
    const [created, moved] = story.events;
    await happen(one, [created!]);
    const counting = running[2]!;
    const cells = counting.part(Cells);
    const put = cells.put.bind(cells);
    jest.spyOn(cells, 'put').mockImplementationOnce(async (...args) => {
      await happen(one, [moved!]);
      return put(...args);
    });
    await counting.part(Recount).next();
    jest.restoreAllMocks();
    expect(await marksLeft()).toBe(1);
    while (await counting.part(Recount).next());
    await expectRight(ada, everything);
  });

  it('come to what a process that died had begun to count, although other days change all the time', async () => {
    const marks = running[2]!.part(Marks);
    await marks.note([{ orgId: 'acme', day: '2024-01-01', at: Date.now() }]);
    const died = (await marks.claim())!;
    await one.db.collection('stats_marks').updateMany({}, { $set: { until: new Date(0) } }); // as time does
    await marks.note([{ orgId: 'globex', day: '2024-02-01', at: 1 }]);
    const taken = [await marks.claim(), await marks.claim()];
    expect(taken).toMatchObject([{ orgId: 'acme', month: '2024-01', days: died.days }, { orgId: 'globex', month: '2024-02' }]);
    for (const claim of taken) await marks.settle(claim!);
    expect(await marksLeft()).toBe(0);
  });

  it('are never set back by a count that began earlier, however late it ends', async () => {
    const story = new Story({ at: start + 14 * day, number: 905 }).create({ title: 'Slow', assistantId: 'tech-bot' }).move('pending').happens('ticket.update-details.v1', { assistantId: 'billing-bot' });
    all.push(story);
    const [created, ...later] = story.events;
    await happen(one, [created!]);
    const [slow, quick] = [running[2]!.part(Recount), other.part(Recount)];
    const cells = running[2]!.part(Cells);
    const put = cells.put.bind(cells);
    jest.spyOn(cells, 'put').mockImplementationOnce(async (...args) => {
      await happen(one, later);
      await one.db.collection('stats_marks').updateMany({}, { $set: { until: new Date(0) } }); // as if it had slept
      while (await quick.next());
      expect(await marksLeft()).toBe(0);
      return put(...args);
    });
    await slow.next();
    jest.restoreAllMocks();
    while (await quick.next());
    for (const by of [ada, linus, grace]) await expectRight(by, everything);
  });

  it('say as of when they are: since when something is not counted, else now', async () => {
    const story = new Story({ at: start + 12 * day, number: 903 }).create({ title: 'As of' });
    all.push(story);
    const published = Date.now() - 5_000;
    const record = recordOf(story.events[0]!, { timestamp: String(published) });
    await one.part(TicketViewConsumer).project(roundOf(record));
    expect((await ask(ada, everything)).asOf).toBe(new Date(published).toISOString());
    const before = Date.now();
    expect(Date.parse((await ask(hank, everything)).asOf)).toBeGreaterThanOrEqual(before);
    while (await running[2]!.part(Recount).next());
    expect(Date.parse((await ask(ada, everything)).asOf)).toBeGreaterThanOrEqual(before);
  });

  it('count what a round stored that died before it noted it, once the round comes again', async () => {
    const story = new Story({ at: start + 13 * day, number: 904 }).create({ title: 'Died' });
    all.push(story);
    const dying = running[2]!;
    jest.spyOn(dying.part(Marks), 'note').mockRejectedValueOnce(new Error('dies here'));
    await expect(dying.project(...story.events)).rejects.toThrow('dies here');
    expect(await marksLeft()).toBe(0);
    await happen(one, story.events);
    expect(await marksLeft()).toBe(1);
    while (await dying.part(Recount).next());
    await expectRight(ada, everything);
  });

  it('are noted once while a day waits to be counted, as of the earliest change', async () => {
    const story = new Story({ at: start + 15 * day, number: 906 }).create({ title: 'Busy' }).move('pending').move('resolved');
    all.push(story);
    const written = jest.spyOn(one.part(Marks)['marks'], 'bulkWrite');
    const at = (i: number, timestamp: number) => one.part(TicketViewConsumer).project(roundOf(recordOf(story.events[i]!, { timestamp: String(timestamp) })));
    await at(0, 2_000_000);
    await at(1, 3_000_000);
    expect(written).toHaveBeenCalledTimes(1);
    await at(2, 1_000_000);
    expect(written).toHaveBeenCalledTimes(2);
    jest.restoreAllMocks();
    expect((await ask(ada, everything)).asOf).toBe(new Date(1_000_000).toISOString());
    while (await running[2]!.part(Recount).next());
    await expectRight(ada, everything);
  });
});

describe('the cells of somebody\'s own tickets', () => {
  it.each(['grace', 'grace/2026-01-01', '*', 'ü'.repeat(255)])('of %p have a short name that holds no slash', (id) => expect(personScope({ type: 'member', id })).toMatch(/^~[\w-]{22}$/));
  it('are no one else\'s', () => expect(personScope({ type: 'member', id: 'billing-bot' })).not.toBe(personScope({ type: 'agent', id: 'billing-bot' })));
});

describe('a question for statistics', () => {
  it.each(['from=2026-02-01&to=2026-01-01', 'from=x', 'to=2026-02-30', 'from=2026-01-01&from=2026-01-02', 'from=2001-01-01', 'status=open', 'assistantId=../x', 'to[$ne]='])(
    'with ?%s is refused by name',
    async (asked) => {
      const { status, body } = await one.get(ada, `/stats?${asked}`);
      expect([status, body.type]).toEqual([422, '/problems/validation-failed']);
      expect(body.errors[0].pointer).toBe(`?${asked.split('=')[0]!}`);
    },
  );

  it('without bounds is about the last 30 days', async () => {
    const { days } = (await one.get(ada, '/stats')).body as Stats;
    expect(days).toHaveLength(30);
    expect([0, day]).toContain(Date.parse(new Date().toISOString().slice(0, 10)) - Date.parse(days.at(-1)!.date));
  });

  it('of an agent needs tickets:read', async () => {
    const { status, body } = await one.get(agent('billing-bot', 'tickets:write'), '/stats');
    expect([status, body.type, body.missing]).toEqual([403, '/problems/forbidden', 'scope tickets:read']);
  });

  it('that the store takes too long for is answered 503', async () => {
    const marks = one.part(Marks);
    jest.spyOn(marks, 'oldest').mockReturnValue(new Promise(() => undefined));
    const { status, body, headers } = await one.once(ada, '/stats');
    jest.restoreAllMocks();
    expect([status, body.type, headers.get('retry-after')]).toEqual([503, '/problems/dependency-unavailable', '1']);
  });
});
