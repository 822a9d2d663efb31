import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ListQuery, Priority, sorts, Status, type Principal, type Sort, type Ticket, type TicketCounts, type TicketDeadline, type TicketList } from '#contracts';
import { lacks, sees } from '#domain';
import { ada, agent, grace, linus } from '../../../libs/contracts/testing/builders.js';
import { Running, type Answer } from '../testing/running.js';
import { newsRecordOf, newYear, recordOf, roundOf, Story } from '../testing/stories.js';
import { TicketViewConsumer } from './ticket-view.consumer.js';

const day = 86_400_000;
const noteless = agent('billing-bot', 'tickets:read');
const noteReader = agent('billing-bot', 'tickets:read', 'notes:read', 'tickets:transition');
const outsider: Principal = { orgId: 'acme', actor: { type: 'member', id: 'nobody', name: 'N' }, access: { role: 'member', assistantIds: [] } };
const hank: Principal = { orgId: 'globex', actor: { type: 'member', id: 'ada', name: 'Hank' }, access: { role: 'admin', assistantIds: ['billing-bot'] } };
const askers = { ada, grace, linus, noteless, noteReader, outsider, hank };

const titles = ['Printer on fire', 'Paper jam', 'Éclair invoice', 'Straße gesperrt', 'Password reset'];
const words = ['water', 'toner', 'refund', 'Überweisung', 'naïve', 'paperwork', 'jammed'];
const pick = <T>(from: readonly T[], i: number) => from[i % from.length]!;

/**
 * One organisation's tickets, and their twins in another one: same ids, numbers and titles. Many share a moment and a priority, so that
 * every order has ties to break.
 */
const tickets = Array.from({ length: 90 }, (_, i) => lifeOf(i, 'acme', randomUUID()));
const twins = tickets.slice(0, 60).map(({ id }, i) => lifeOf(i, 'globex', id));

function lifeOf(i: number, orgId: string, id: string): Story {
  const story = new Story({ orgId, id, number: i + 1, at: newYear + Math.floor(i / 4) * day }).create(
    {
      title: pick(titles, i),
      description: pick(['', `it needs ${pick(words, i)}`, `who needs ${pick(words, i)}`], i),
      priority: pick(Priority.options, i >> 1),
      assistantId: pick(['billing-bot', 'tech-bot', null, 'tech-bot'], i) ?? undefined,
      requester: pick([null, { id: 'cust-7', name: 'Zoë' }, { id: 'c8', email: 'Zoe.K@Example.com' }], i),
      tags: pick([[], ['VIP'], ['vip', 'a,b'], ['VIP', 'late']], i),
      assignee: pick([null, grace.actor, null, linus.actor, { type: 'agent', id: 'billing-bot', name: 'B' }], i) as Ticket['assignee'],
    },
    pick([{ ...ada, orgId }, { ...ada, orgId }, { ...grace, orgId, access: { role: 'admin', assistantIds: [] } }], i),
  );
  const later: [boolean, () => Story][] = [
    [i % 2 === 1, () => story.comment(`about ${pick(words, i + 3)}`)],
    [i % 5 === 0, () => story.comment(`secret ${pick(words, i + 1)} confidential`, 'note')],
    [i % 4 === 1, () => story.say(`bot says ${pick(words, i + 2)}`)],
    [i % 3 === 1, () => story.move('pending')],
    [i % 9 === 1, () => story.move('resolved')],
    [i % 18 === 1, () => story.move('closed')],
    [i % 11 === 10, () => story.happens('ticket.delete.v1', {})],
  ];
  for (const [isSo, happens] of later) if (isSo) happens();
  return story;
}

/** The deadlines of a ticket: many are due at the same moment. */
function deadlinesOf(i: number, orgId: string): TicketDeadline[] {
  const dueAt = new Date(newYear + (i % 7) * day).toISOString();
  const later = new Date(newYear + 30 * day).toISOString();
  const mixed: TicketDeadline[][] = [
    [],
    [{ kind: 'first-reply', dueAt, state: 'running' }],
    [{ kind: 'first-reply', dueAt, state: 'met' }, { kind: 'resolution', dueAt: later, state: 'warning' }],
    [{ kind: 'first-reply', dueAt, state: 'missed' }, { kind: 'next-reply', dueAt: null, state: 'paused' }, { kind: 'resolution', dueAt: later, state: 'running' }],
    [{ kind: 'resolution', dueAt: null, state: 'paused' }],
    [{ kind: 'resolution', dueAt, state: 'late' }],
  ];
  return pick(mixed, orgId === 'acme' ? i : i + 1);
}
const dueIn = (deadlines: readonly TicketDeadline[]) => deadlines.filter(({ dueAt, state }) => dueAt !== null && state !== 'met' && state !== 'late').map(({ dueAt }) => dueAt!).sort()[0];
const dues = new Map<Ticket, string>();
const deadlinesIn = ({ ticket, orgId }: Pick<Story, 'ticket' | 'orgId'>) => deadlinesOf(ticket.number - 1, orgId);

let service: Running;
/** The same store asked in each of the ways in which words are looked for among few and among many tickets. */
let ways: Running[];
beforeAll(async () => {
  service = await Running.start();
  const among = (narrow: number) => Running.start(service.database, { few: 0, narrow, steps: [2, 5] });
  ways = [service, await among(0), await among(1_000)];
  const all = [...tickets, ...twins];
  for (const story of all) {
    const due = dueIn(deadlinesIn(story));
    if (due !== undefined) dues.set(story.ticket, due);
  }
  // Of every second ticket they come before the ticket itself.
  const news = (half: number) => all.filter((_, i) => i % 2 === half).map((story) => newsRecordOf(story.orgId, story.id, deadlinesIn(story)));
  await service.hear(...news(0));
  await service.project(...all.flatMap(({ events }) => events));
  await service.hear(...news(1));
});
afterAll(async () => {
  for (const way of ways.slice(1)) await way.stop({ keep: true });
  await service.stop();
});

/** What a search may look into, told again from scratch: folded texts, with notes or without. */
function textsOf({ ticket, events }: Story, notes: boolean): string[] {
  const said = events.flatMap(({ data }) => {
    const { comment, messages = [] } = data as { comment?: { kind: string; body: string }; messages?: { content: string }[] };
    return [...(comment && (notes || comment.kind !== 'note') ? [comment.body] : []), ...messages.map(({ content }) => content)];
  });
  const { requester: { id = '', name = '', email = '' } = {} } = { requester: ticket.requester ?? {} };
  const text = [ticket.title, ticket.description, ...ticket.tags, id, name, email, ...said].join(' ').normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss').toLowerCase();
  return [...text.split(/[^\p{L}\p{N}]+/u), String(ticket.number), `#${ticket.number}`, ticket.id];
}

function matches(story: Story, asked: ListQuery, by: Principal): boolean {
  const { ticket, orgId, isDeleted } = story;
  const { id, email = '' } = ticket.requester ?? {};
  return [
    orgId === by.orgId && !isDeleted && sees(by, ticket),
    any(asked.status, [ticket.status]),
    isDueAs(story, asked),
    any(asked.priority, [ticket.priority]),
    any(asked.assistantId, [ticket.assistantId]),
    any(asked.tag, ticket.tags),
    any(asked.assignee?.map((value) => assigneeAsked(value, by)), [assigneeIn(ticket)]),
    any(asked.requester, [id]) || any(asked.requester?.map((value) => value.toLowerCase()), [email.toLowerCase()]),
    inRange(ticket.createdAt, asked.createdFrom, asked.createdTo),
    inRange(ticket.updatedAt, asked.updatedFrom, asked.updatedTo),
    found(story, asked.q, by),
  ].every(Boolean);
}

const isDueAs = (story: Story, { deadline, sort }: ListQuery) => any(deadline, deadlinesIn(story).map(({ state }) => state)) && (!sort.endsWith('deadline') || dues.has(story.ticket));
const any = <T>(values: readonly T[] | undefined, has: readonly unknown[]) => values === undefined || values.some((value) => has.includes(value));
const inRange = (at: string, from = '', to = '9') => at >= from && at < to;

const assigneeIn = ({ assignee }: Ticket) => (assignee === null ? 'none' : `${assignee.type}:${assignee.id}`);

function assigneeAsked(value: string, { actor }: Principal): string {
  if (value === 'none' || value.startsWith('agent:')) return value;
  return value === 'me' ? `${actor.type}:${actor.id}` : `member:${value}`;
}

function found(story: Story, q: string | undefined, by: Principal): boolean {
  if (q === undefined) return true;
  const texts = textsOf(story, lacks(by, 'read-notes') === null);
  const fold = (word: string) => word.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss').toLowerCase();
  const asked = fold(q).match(/#\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[\p{L}\p{N}]+/gu) ?? [];
  return asked.length > 0 && asked.every((word, i) => texts.some((text) => (i === asked.length - 1 ? text.startsWith(word) : text === word)));
}

const rank = (ticket: Ticket) => Priority.options.indexOf(ticket.priority);
const compare = (one: string | number, other: string | number) => (one < other ? -1 : one > other ? 1 : 0);
const comparisons: Record<Sort, (one: Ticket, other: Ticket) => number> = {
  '-createdAt': (a, b) => compare(b.createdAt, a.createdAt) || compare(b.id, a.id),
  createdAt: (a, b) => compare(a.createdAt, b.createdAt) || compare(a.id, b.id),
  '-updatedAt': (a, b) => compare(b.updatedAt, a.updatedAt) || compare(b.id, a.id),
  updatedAt: (a, b) => compare(a.updatedAt, b.updatedAt) || compare(a.id, b.id),
  '-priority': (a, b) => rank(b) - rank(a) || compare(b.createdAt, a.createdAt) || compare(b.id, a.id),
  priority: (a, b) => rank(a) - rank(b) || compare(b.createdAt, a.createdAt) || compare(a.id, b.id),
  number: (a, b) => a.number - b.number,
  '-number': (a, b) => b.number - a.number,
  deadline: (a, b) => compare(dues.get(a)!, dues.get(b)!) || compare(a.id, b.id),
  '-deadline': (a, b) => compare(dues.get(b)!, dues.get(a)!) || compare(b.id, a.id),
};

const expectedList = (asked: ListQuery, by: Principal) =>
  [...tickets, ...twins].filter((story) => matches(story, asked, by)).map(({ ticket }) => ticket).sort(comparisons[asked.sort]);

const search = (asked: Record<string, string | string[]>) => {
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(asked)) for (const value of [values].flat()) parameters.append(name, value);
  return parameters.size === 0 ? '' : `?${parameters}`;
};
const list = (by: Principal, asked: Record<string, string | string[]> = {}, at = service) => at.get(by, `/tickets${search(asked)}`) as Promise<Answer & { body: TicketList }>;
const idsOf = ({ items }: TicketList) => items.map(({ id }) => id);

const oneOrTwo = <T extends string>(...from: T[]) => fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 2 });
const instant = fc.integer({ min: 0, max: 24 * 4 }).map((quarter) => new Date(newYear + quarter * (day / 4)).toISOString());
const date = instant.map((at) => at.slice(0, 10));
const asked = fc.record(
  {
    status: oneOrTwo('open', 'in_progress', 'resolved', 'closed'),
    priority: oneOrTwo('low', 'normal', 'high', 'urgent'),
    deadline: oneOrTwo('running', 'paused', 'warning', 'missed'),
    assignee: oneOrTwo('me', 'none', 'grace', 'linus', 'agent:billing-bot'),
    assistantId: oneOrTwo('billing-bot', 'tech-bot', 'no-bot'),
    tag: oneOrTwo('VIP', 'vip', 'late', 'none'),
    requester: oneOrTwo('cust-7', 'zoe.k@EXAMPLE.com', 'c8'),
    createdFrom: fc.oneof(instant, date),
    updatedTo: fc.oneof(instant, date),
    q: fc.constantFrom('printer', 'print', 'paper', 'eclair INV', 'strasse', 'secret', 'water', 'water conf', 'uber', 'naive', 'jam needs', 'zoe', 'example', '12', '#12', '#1', 'vip', 'cust 7', 'no such word', 'toner about'),
    sort: fc.constantFrom(...sorts),
    pageSize: fc.constantFrom('1', '7', '25', '100'),
  },
  { requiredKeys: [] },
);

describe('the list', () => {
  it('holds exactly what was asked for and may be seen, in order, and counts just that', () =>
    fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(...Object.values(askers)), fc.nat(2), async (query, by, way) => {
        const parsed = ListQuery.parse(query);
        const all = expectedList(parsed, by);
        const { status, body } = await list(by, query, ways[way]);
        expect(status).toBe(200);
        expect(idsOf(body)).toEqual(all.slice(0, parsed.pageSize).map(({ id }) => id));
        expect(body).toMatchObject({ page: 1, pageSize: parsed.pageSize, total: all.length, totalIsExact: true, totalPages: Math.ceil(all.length / parsed.pageSize) });
      }),
      { numRuns: 300 },
    ));

  it('is counted by status under the same filters', () =>
    fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(...Object.values(askers)), fc.nat(2), async ({ status: _status, sort: _sort, pageSize: _pageSize, ...query }, by, way) => {
        const all = expectedList(ListQuery.parse(query), by);
        const byStatus = Object.fromEntries(Status.options.map((status) => [status, all.filter((ticket) => ticket.status === status).length]));
        const { body } = (await ways[way]!.get(by, `/tickets/counts${search(query)}`)) as { body: TicketCounts };
        expect(body).toEqual({ ...byStatus, total: all.length, isExact: true });
      }),
      { numRuns: 100 },
    ));

  it('tells tickets with a snippet for the description and the moves of who asks', async () => {
    const { body } = await list(noteReader, { sort: 'number', pageSize: '100' });
    for (const item of body.items) {
      const { description, ...ticket } = tickets[item.number - 1]!.ticket;
      const allowedTransitions = { open: ['pending'], pending: ['open', 'resolved'], resolved: ['open', 'closed'], closed: [] }[ticket.status];
      expect(item).toEqual({ ...ticket, snippet: description, deadlines: deadlinesOf(item.number - 1, 'acme'), allowedTransitions });
    }
    expect(body.items.length).toBeGreaterThan(10);
  });

  it('never shows or counts a word of a note to who may not read notes', async () => {
    for (const q of ['secret', 'secr', 'confidential', 'printer confidential', 'confidential printer']) {
      expect((await list(noteless, { q })).body).toMatchObject({ items: [], total: 0 });
      expect((await service.get(noteless, `/tickets/counts${search({ q })}`)).body.total).toBe(0);
    }
    expect((await list(noteReader, { q: 'confidential' })).body.total).toBeGreaterThan(0);
  });

  it('never tells who may not read notes what it has just told who may', async () => {
    for (const way of ways) {
      const asked = { q: 'confidential', status: 'open' };
      const told = (await list(noteReader, asked, way)).body.total;
      expect(told).toBeGreaterThan(0);
      expect((await list(noteless, asked, way)).body.total).toBe(0);
      for (const [by, total] of [[noteReader, told], [noteless, 0]] as const) expect((await way.get(by, `/tickets/counts${search({ q: 'confidential' })}`)).body.open).toBe(total);
    }
  });

  it.each<Record<string, string>>([{}, { assignee: 'me' }, { q: 'confidential' }, { q: 'printer', sort: '-updatedAt' }])('tells each what they would be told alone, whoever asks for %j at the same time', async (query) => {
    const { sort: _sort, ...filters } = query;
    const told = async (by: Principal) => [(await list(by, query)).body, (await service.get(by, `/tickets/counts${search(filters)}`)).body as TicketCounts] as const;
    const all = [...Object.values(askers), { ...ada, actor: grace.actor }]; // who sees the same as another, and means somebody else by `me`
    const alone = [];
    for (const by of all) alone.push(await told(by));
    for (const i of [0, 1]) expect(new Set(alone.map((answers) => answers[i]!.total)).size).toBeGreaterThan(1);
    const together = await Promise.all([0, 1, 2].flatMap(() => all.map(told)));
    expect(together).toEqual([...alone, ...alone, ...alone]);
  });

  it('neither shows nor counts nor suggests what somebody has just lost from sight, however late the search follows', async () => {
    const story = new Story({ number: 4_711, at: newYear }).create({ title: 'Quokka', assistantId: 'billing-bot' });
    await service.project(...story.events);
    expect((await list(grace, { q: 'quokka' })).body.total).toBe(1);
    story.happens('ticket.update-details.v1', { assistantId: 'tech-bot' });
    await service.part(TicketViewConsumer).project(roundOf(...story.events.slice(1).map((event) => recordOf(event))));
    for (const way of ways) {
      for (const sort of sorts) expect((await list(grace, { q: 'quokka', sort }, way)).body).toMatchObject({ items: [], total: 0, nextCursor: null });
      expect((await way.get(grace, '/tickets/counts?q=quokka')).body.total).toBe(0);
      expect((await way.get(grace, '/suggest?q=quokka')).body.tickets).toEqual([]);
      expect((await list(ada, { q: 'quokka' }, way)).body.total).toBe(1);
    }
    await service.project(...story.happens('ticket.delete.v1', {}).events);
  });

  it('neither counts on later pages nor names in a cursor what somebody has just lost from sight, and fills pages with what is left', async () => {
    const story = (number: number) => new Story({ number, at: newYear + number * 1_000 }).create({ title: 'Numbat', assistantId: 'billing-bot' });
    const [oldest, older, left, newest] = [story(4_721), story(4_722), story(4_723), story(4_724)];
    await service.project(...[oldest, older, left, newest].flatMap(({ events }) => events));
    const lost = [oldest, newest].flatMap((one) => one.happens('ticket.update-details.v1', { assistantId: 'tech-bot' }).events.slice(1));
    await service.part(TicketViewConsumer).project(roundOf(...lost.map((event) => recordOf(event))));
    for (const way of ways) {
      const asked = { q: 'numbat', pageSize: '1' };
      const first = (await list(grace, asked, way)).body;
      expect(first).toMatchObject({ items: [{ id: left.id }], total: 2, totalPages: 2 });
      const next = (await list(grace, { ...asked, cursor: first.nextCursor! }, way)).body;
      expect(next).toMatchObject({ items: [{ id: older.id }], total: 2, nextCursor: null });
      expect(Buffer.from(first.nextCursor!.split('.')[0]!, 'base64url').toString()).toContain(left.id);
      for (const place of [{ page: '2', pageSize: '2' }, { page: '3' }, { page: '4' }]) expect((await list(grace, { ...asked, ...place }, way)).body.total).toBe(2);
      expect((await way.get(grace, '/suggest?q=numbat')).body.tickets.map(({ id }: Ticket) => id)).toEqual([left.id, older.id]);
      expect((await list(ada, asked, way)).body.total).toBe(4);
    }
    await service.project(...lost, ...[oldest, older, left, newest].flatMap((one) => one.happens('ticket.delete.v1', {}).events.slice(-1)));
  });

  it('shows nothing of the organisation to who sees nothing', async () => {
    for (const sort of sorts) expect((await list(outsider, { sort })).body).toMatchObject({ items: [], total: 0, totalPages: 0, nextCursor: null });
  });
});

describe('pages of the list', () => {
  const numbered = async (by: Principal, asked: Record<string, string>, at = service) => {
    const { totalPages } = (await list(by, asked, at)).body;
    const pages = await Promise.all(Array.from({ length: totalPages }, (_, i) => list(by, { ...asked, page: String(i + 1) }, at)));
    return pages.flatMap(({ body }) => idsOf(body));
  };
  const byCursor = async (by: Principal, asked: Record<string, string>, at = service) => {
    const ids: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const { body } = await list(by, { ...asked, ...(cursor !== undefined && { cursor }) }, at);
      ids.push(...idsOf(body));
      cursor = body.nextCursor;
    }
    return ids;
  };

  it.each([...sorts])('by %s never overlap nor skip, numbered or by cursor, ties or not', async (sort) => {
    for (const [by, pageSize, filter] of [[ada, '7', {}], [grace, '4', {}], [noteless, '3', { q: 'e' }], [ada, '5', { status: 'open,pending' }], [linus, '1', { tag: 'VIP' }]] as const) {
      const query = { sort, pageSize, ...filter };
      const all = expectedList(ListQuery.parse(query), by).map(({ id }) => id);
      for (const way of 'q' in query ? ways : [service]) {
        expect(await numbered(by, query, way)).toEqual(all);
        expect(await byCursor(by, query, way)).toEqual(all);
      }
    }
  });

  it('go on by a cursor without missing or repeating what was there, whatever is created, changed or deleted meanwhile', async () => {
    const orgId = 'initech';
    const by = { ...ada, orgId };
    const stories = Array.from({ length: 30 }, (_, i) => new Story({ orgId, number: i + 1, at: newYear + i }).create({}, by));
    await service.project(...stories.flatMap(({ events }) => events));
    for (const sort of ['-createdAt', 'createdAt', 'number', '-number']) {
      const ids: string[] = [];
      for (let cursor: string | null | undefined, page = 0; cursor !== null; page++) {
        const { body } = await list(by, { sort, pageSize: '4', ...(cursor !== undefined && { cursor }) });
        ids.push(...idsOf(body));
        cursor = body.nextCursor;
        const changed = pick(stories, page * 7);
        await service.project(...changed.comment('again', 'comment', by).events.slice(-1), ...new Story({ orgId, number: 100 + page, at: newYear + 15 }).create({}, by).events);
      }
      expect(ids.filter((id) => stories.some((story) => story.id === id)).sort()).toEqual(stories.map(({ id }) => id).sort());
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('beyond the last one are empty and still tell the total', async () => {
    const { total } = (await list(ada)).body;
    expect((await list(ada, { page: '99' })).body).toMatchObject({ items: [], page: 99, total, nextCursor: null });
  });

  it('end at 10,000 tickets, and say how to go on', async () => {
    for (const query of [{ page: '401' }, { page: '10001', pageSize: '1' }, { page: '999999999' }]) {
      const { status, body } = await service.get(ada, `/tickets${search(query as Record<string, string>)}`);
      expect([status, body.type]).toEqual([422, '/problems/page-too-deep']);
      expect(body.detail).toContain('cursor');
    }
    expect((await list(ada, { page: '400' })).status).toBe(200);
  });

  it('are linked with each other', async () => {
    const { headers, body } = await list(ada, { tag: 'VIP', pageSize: '5', page: '2' });
    const last = body.totalPages;
    expect(headers.get('link')).toBe(`</v1/tickets?tag=VIP&pageSize=5>; rel="first", </v1/tickets?tag=VIP&pageSize=5&page=1>; rel="prev", </v1/tickets?tag=VIP&pageSize=5&page=${last}>; rel="last", </v1/tickets?tag=VIP&pageSize=5&page=3>; rel="next"`);
  });

  it('take no cursor that is forged, of another list or of another organisation', async () => {
    const { nextCursor } = (await list(ada, { pageSize: '5', tag: 'VIP' })).body;
    const wrong: [Principal, Record<string, string>][] = [
      [ada, { cursor: nextCursor! }],
      [ada, { cursor: nextCursor!, tag: 'vip' }],
      [ada, { cursor: nextCursor!, tag: 'VIP', sort: 'number' }],
      [hank, { cursor: nextCursor!, tag: 'VIP' }],
      [ada, { cursor: `${nextCursor}x`, tag: 'VIP' }],
      [ada, { cursor: 'x', tag: 'VIP' }],
      [ada, { cursor: '0', tag: 'VIP' }],
    ];
    for (const [by, query] of wrong) expect((await service.get(by, `/tickets${search(query)}`)).body).toMatchObject({ status: 422, type: '/problems/invalid-cursor' });
    // A cursor says where to go on, not what may be seen: another member of the organisation may use it and sees their own.
    expect(idsOf((await list(linus, { cursor: nextCursor!, tag: 'VIP' })).body).every((id) => sees(linus, tickets.find((story) => story.id === id)!.ticket))).toBe(true);
  });
});

describe('a hostile question', () => {
  const long = { '200 ligatures': '\ufdfa'.repeat(200), '1,000 times a': 'a '.repeat(1_000), 'one word of 1,999 letters': 'x'.repeat(1_999), '500 words': Array.from({ length: 500 }, (_, i) => i.toString(36)).join(' ') };

  it.each(['$where', '.*', '^', '(', '[a-', '\\', '{"$gt":""}', '$', '%', "'; drop table", '#', '##', '#x', '=assistant:billing-bot', 'assignee', '=', '𝔘𝔫𝔦', '\u0301\u0301', ...(Object.keys(long) as (keyof typeof long)[])])(
    'of q=%p is answered like any other',
    async (name) => {
      const q = long[name as keyof typeof long] ?? name;
      for (const by of [ada, grace, noteless]) {
        const { status, body } = await list(by, { q });
        expect([status, idsOf(body)]).toEqual([200, expectedList(ListQuery.parse({ q }), by).slice(0, 25).map(({ id }) => id)]);
      }
    },
  );

  it.each(['page=0', 'page=x', 'page=1.5', 'pageSize=101', 'pageSize=0', 'sort=title', 'sort=number&sort=priority', 'page=1&page=2', 'q=a&q=b', 'q[$ne]=', 'status=new', 'priority=1', 'deadline=met', 'createdFrom=2026-02-30', 'createdFrom=x', 'createdFrom=2026-01-03&createdTo=2026-01-01', 'foo=1', 'cursor=x&page=1', 'assistantId=../x', 'status=', 'version=1'])(
    'with ?%s is refused by name',
    async (query) => {
      const { status, body } = await service.get(ada, `/tickets?${query}`);
      expect([status, body.type]).toEqual([422, '/problems/validation-failed']);
      expect(body.errors[0].pointer).toBe(`?${query.split('=')[0]!}`);
    },
  );
});
