import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { exportColumns, sorts, type Principal, type Ticket } from '#contracts';
import type { Database } from '#persistence';
import { ada, agent, assigneeOf, grace, linus } from '../../../../libs/contracts/testing/builders.js';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { readCsv } from '../../testing/read-csv.js';
import { Running } from '../../testing/running.js';
import { newYear, Story } from '../../testing/stories.js';
import { collectionsOf } from '../collections.js';
import { STORE } from '../store.js';
import { viewOf, type TicketView } from '../ticket-view.projection.js';
import { runningExports } from './exports.js';
import { TicketExport } from './ticket-export.store.js';

const hank: Principal = { orgId: 'globex', actor: { type: 'member', id: 'ada', name: 'Hank' }, access: { role: 'admin', assistantIds: [] } };
const noteless = agent('billing-bot', 'tickets:read');
const noteReader = agent('billing-bot', 'tickets:read', 'notes:read');
const initech = { ...ada, orgId: 'initech' };
const pick = <T>(from: readonly T[], i: number) => from[i % from.length]!;
const nasty = ['=HYPERLINK("http://evil","x")', '+1', '-1+2', '@SUM(A1)', 'a,b', 'say "hi"', '🔥 Überlauf', "'quoted", 'plain'];
const texts = ['', '\t=1', 'two\nlines', 'two\r\nlines, "quoted"', '\r=2', 'x'.repeat(300), '=cmd|\' /C calc\'!A0', '𝔘𝔫𝔦'];

/** Tickets of two assistants, whose twins another organisation has: same ids and numbers. */
const tickets = Array.from({ length: 240 }, (_, i) => lifeOf(i, 'acme', randomUUID()));
const twins = tickets.slice(0, 60).map(({ id }, i) => lifeOf(i, 'globex', id));

function lifeOf(i: number, orgId: string, id: string): Story {
  const story = new Story({ orgId, id, number: i + 1, at: newYear + Math.floor(i / 3) * 3_600_000 }).create(
    {
      title: `${pick(nasty, i)} ${orgId}`,
      description: pick(texts, i),
      priority: pick(['low', 'normal', 'high', 'urgent'], i >> 1),
      assistantId: pick(['billing-bot', 'tech-bot'], i),
      requester: pick([null, { id: '-7', name: '=Zoë' }, { email: 'zoe@example.com' }], i),
      tags: pick([[], ['=a', 'b,c'], ['vip']], i),
      customFields: pick<Ticket['customFields']>([{}, { plan: 'pro, "big"', seats: 3, paid: true }], i),
      assignee: pick([null, null, null, null, assigneeOf(grace)], i),
    },
    { ...ada, orgId },
  );
  if (i % 4 === 0) story.comment('about water', 'reply');
  if (i % 5 === 0) story.comment('secret confidential', 'note');
  if (i % 3 === 0) story.move('pending');
  if (i % 11 === 10) story.happens('ticket.delete.v1', {});
  return story;
}

let service: Running;
beforeAll(async () => {
  Logger.overrideLogger(false);
  service = await Running.start();
  await service.project(...[...tickets, ...twins].flatMap(({ events }) => events));
});
afterAll(() => service.stop());

const running = async () => (await runningExports.get()).values[0]?.value ?? 0;
const text = async (by: Principal, query: string) => {
  const response = await service.open(by, `/tickets/export?${query}`);
  expect([query, response.status]).toEqual([query, 200]);
  return { headers: response.headers, text: Buffer.from(await response.arrayBuffer()).toString() };
};
const lines = async (by: Principal, query: string) =>
  (await text(by, `format=ndjson&${query}`)).text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Ticket);
const cells = async (by: Principal, query: string) => {
  const [header, ...rows] = readCsv((await text(by, `format=csv&${query}`)).text.replace('\ufeff', ''));
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [header![i]!, cell])) as Record<keyof typeof exportColumns, string>);
};
/** All of a list, page by page. */
async function listed(by: Principal, query: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await service.get(by, `/tickets?${query}&pageSize=100${cursor === '' ? '' : `&cursor=${cursor}`}`);
    items.push(...(body.items as Record<string, unknown>[]));
    cursor = body.nextCursor as string | null;
  }
  return items;
}
const original = ({ id }: { id: string }, orgId = 'acme') => [...tickets, ...twins].find((story) => story.id === id && story.orgId === orgId)!.ticket;

describe('an export', () => {
  const questions = ['', 'status=open', 'tag=vip&priority=high,low', 'q=water', 'q=water&status=pending', 'q=conf', 'q=acme', 'assignee=grace', 'createdTo=2026-01-02', 'q=nothing', 'requester=-7'];

  it.each(questions)('of ?%s holds what the list holds, for everybody, whole tickets in the list\'s order', async (query) => {
    for (const [i, by] of [ada, grace, linus, noteless, noteReader, hank].entries()) {
      const asked = `${query}&sort=${pick(sorts, i + questions.indexOf(query))}`;
      const list = await listed(by, asked);
      const exported = await lines(by, asked);
      expect(exported.map(({ id }) => id)).toEqual(list.map(({ id }) => id));
      for (const [at, { snippet: _snippet, allowedTransitions: _moves, deadlines: _deadlines, ...item }] of list.entries()) {
        expect(exported[at]).toEqual({ ...item, description: original(exported[at]!, by.orgId).description });
      }
    }
  });

  it.each([...sorts])('by %s is the list by %s, with words or without', async (sort) => {
    for (const query of [`sort=${sort}`, `sort=${sort}&q=ac`, `sort=${sort}&q=acme&priority=low,urgent`]) {
      expect((await lines(ada, query)).map(({ id }) => id)).toEqual((await listed(ada, query)).map(({ id }) => id));
    }
  });

  it('never holds a ticket out of sight, a deleted one or another organisation\'s', async () => {
    for (const [by, mine] of [[linus, (ticket: Ticket) => ticket.assistantId === 'tech-bot'], [noteless, (ticket: Ticket) => ticket.assistantId === 'billing-bot']] as const) {
      const expected = tickets.filter((story) => !story.isDeleted && mine(story.ticket)).map(({ id }) => id);
      expect((await lines(by, '')).map(({ id }) => id).sort()).toEqual(expected.sort());
      expect((await text(by, '')).text).not.toContain('globex');
    }
    expect((await lines(hank, '')).every(({ title }) => title.endsWith('globex'))).toBe(true);
    expect(await lines({ ...grace, access: { role: 'member', assistantIds: [] }, actor: { ...grace.actor, id: 'nobody' } }, '')).toEqual([]);
  });

  it('shows nothing that a search which lags behind still finds', async () => {
    const hits = [...tickets, ...twins].map(({ id, orgId, ticket }) => ({ id: `${orgId}/${id}`, position: [Date.parse(ticket.createdAt), id] }));
    const lagging = { find: async () => hits } as never;
    for (const sort of ['-createdAt', 'number'] as const) {
      const told: string[] = [];
      for await (const piece of new TicketExport(service.part<Database>(STORE as never), collectionsOf(1), lagging).tickets(noteless, { q: 'x', sort, format: 'csv', status: ['open'] })) {
        told.push(...piece.map(({ ticket }) => (JSON.parse(ticket) as Ticket).id));
      }
      const expected = tickets.filter((story) => !story.isDeleted && story.ticket.status === 'open' && story.ticket.assistantId === 'billing-bot').map(({ id }) => id);
      expect(told.sort()).toEqual(expected.sort());
    }
  });

  it('finds no word of a note for who may not read notes', async () => {
    expect(await lines(noteless, 'q=confidential')).toEqual([]);
    expect((await lines(noteReader, 'q=confidential')).length).toBeGreaterThan(5);
  });

  it('is a file of its kind', async () => {
    const day = new Date().toISOString().slice(0, 10);
    for (const [format, type] of [['csv', 'text/csv; charset=utf-8; header=present'], ['ndjson', 'application/x-ndjson; charset=utf-8']] as const) {
      const { headers } = await text(grace, `format=${format}`);
      expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual([type, `attachment; filename="tickets-acme-${day}.${format}"`]);
    }
    expect((await text(grace, '')).text.startsWith('\ufeffnumber,id,title,')).toBe(true);
  });

  it('as CSV tells the same tickets, cell by cell, and nothing that a spreadsheet would run', async () => {
    const rows = await cells(ada, 'sort=number');
    const whole = await lines(ada, 'sort=number');
    expect(rows).toHaveLength(whole.length);
    const safe = (value: unknown) => (typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? ''));
    for (const [i, row] of rows.entries()) {
      const ticket = whole[i]!;
      expect(row).toEqual(Object.fromEntries(Object.entries(exportColumns).map(([name, cell]) => [name, safe(cell(ticket))])));
      for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    }
    expect(rows.find(({ number }) => number === '2')).toMatchObject({ title: "'+1 acme", description: "'\t=1", requesterId: "'-7", requesterName: "'=Zoë", tags: "'=a,b,c", customFields: '{"plan":"pro, \\"big\\"","seats":3,"paid":true}' });
  });

  it('is complete while tickets change, come and go: what existed throughout is there once', async () => {
    const stories = Array.from({ length: 1_200 }, (_, i) => new Story({ orgId: 'initech', number: i + 1, at: newYear + i }).create({}, initech));
    for (let i = 0; i < stories.length; i += 400) await service.project(...stories.slice(i, i + 400).flatMap(({ events }) => events));
    for (const [round, sort] of ['-createdAt', 'createdAt', 'number', '-number'].entries()) {
      const response = await service.open(initech, `/tickets/export?format=ndjson&sort=${sort}`);
      const ids: string[] = [];
      let rest = '';
      let news = 0;
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        const found = (rest + chunk).split('\n');
        rest = found.pop()!;
        ids.push(...found.map((line) => (JSON.parse(line) as Ticket).id));
        if (news++ > 3) continue;
        const changed = pick(stories, news * 311).comment('again', 'comment', initech).events.slice(-1);
        const come = new Story({ orgId: 'initech', number: 2_000 + 100 * round + news, at: newYear + 600 }).create({}, initech);
        const gone = new Story({ orgId: 'initech', number: 3_000 + 100 * round + news, at: newYear + 700 }).create({}, initech).happens('ticket.delete.v1', {}, initech);
        await service.project(...changed, ...come.events, ...gone.events);
      }
      const known = new Set(stories.map(({ id }) => id));
      expect(ids.filter((id) => known.has(id)).sort()).toEqual([...known].sort());
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it.each(['format=xml', 'format=', 'format=csv&format=csv', 'page=1', 'pageSize=5', 'cursor=x', 'q[$ne]=', 'q=a&q=b', 'sort=title', 'status=new', 'createdFrom=2026-01-03&createdTo=2026-01-01', 'version=1', 'foo=1'])(
    'with ?%s is refused by name',
    async (query) => {
      const { status, body } = await service.get(ada, `/tickets/export?${query}`);
      expect([status, body.type, body.errors[0].pointer]).toEqual([422, '/problems/validation-failed', `?${query.split('=')[0]!}`]);
    },
  );

  it('takes the right to read tickets', async () => {
    const answer = await service.get(agent('billing-bot', 'tickets:write'), '/tickets/export');
    expect([answer.status, answer.body.missing]).toEqual([403, 'scope tickets:read']);
  });
});

/** Tickets that are much larger than all buffers on their way together. */
const vast = { ...ada, orgId: 'vast' };
const kilobytes = 20;
describe('an export of 3,000 large tickets', () => {
  beforeAll(async () => {
    const description = 'lorem ipsum '.repeat((kilobytes * 1_024) / 12);
    for (let i = 0; i < 3_000; i += 100) {
      const events = Array.from({ length: 100 }, (_, at) => new Story({ orgId: 'vast', number: i + at + 1, at: newYear + i + at }).create({ description }, vast).events[0]!);
      await service.db.collection<TicketView>(collectionsOf(1).views).insertMany(events.map(viewOf));
    }
  });

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  it('takes as little memory as one of a few, and is whole', async () => {
    const { held, bytes, ended } = await eventually(async () => {
      const response = await service.open(vast, '/tickets/export?format=ndjson&sort=number');
      const seen = { held: [] as number[], bytes: 0, ended: 0 };
      let chunks = 0;
      for await (const chunk of response.body!) {
        seen.bytes += (chunk as Uint8Array).length;
        seen.ended += (chunk as Uint8Array).filter((byte) => byte === 10).length;
        if (chunks++ % 50 === 0) seen.held.push(heap());
      }
      return seen;
    }, 'one comes to its end, which none does whose store is too slow');
    expect(ended).toBe(3_000);
    expect(bytes).toBeGreaterThan(3_000 * kilobytes * 1_000);
    // Now and then a sample meets buffers of the sockets at their fullest; what piles up would be there in all later ones.
    const later = held.slice(held.length / 2).sort((one, other) => one - other);
    expect(later.length).toBeGreaterThan(5);
    expect(later[later.length >> 1]! - held[0]!).toBeLessThan(bytes / 10);
  });

  it('waits for a client that stops reading, and its place is free once that one has gone', async () => {
    const before = heap();
    const leaving = new AbortController();
    const response = await service.open(vast, '/tickets/export?format=ndjson', leaving.signal);
    const reader = response.body!.getReader();
    await reader.read();
    let settled = heap();
    await eventually(() => {
      const last = settled;
      settled = heap();
      return Math.abs(settled - last) < 100_000;
    }, 'nothing is read any more');
    expect(settled - before).toBeLessThan((3_000 * kilobytes * 1_024) / 3);
    await eventually(async () => (await running()) === 1, 'the place of the one before is free, and this one has its own');
    leaving.abort();
    await eventually(async () => (await running()) === 0, 'its place is free');
  });

  it('is one of four at a time', async () => {
    const leaving = new AbortController();
    const open = await Promise.all(Array.from({ length: 4 }, () => service.open(vast, '/tickets/export', leaving.signal)));
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { status, headers, body } = await service.get(vast, '/tickets/export');
    expect([status, body.type, headers.get('retry-after')]).toEqual([503, '/problems/overloaded', '10']);
    leaving.abort();
    await eventually(async () => (await running()) === 0, 'their places are free');
  });

  it('whose client leaves before it began takes no place', async () => {
    const leaving = new AbortController();
    const asked = service.open(vast, '/tickets/export', leaving.signal).catch(() => undefined);
    setTimeout(() => leaving.abort(), 5);
    await asked;
    await eventually(async () => (await running()) === 0, 'its place is free');
  });

  it('breaks off where the store dies, so that nobody takes it for whole, and does not begin without a store', async () => {
    const other = await Running.start(service.database);
    const response = await other.open(vast, '/tickets/export?format=ndjson');
    const reader = response.body!.getReader();
    await reader.read();
    await other.part<Database>(STORE as never).close();
    const readAll = async () => {
      for (let done = false; !done; ) ({ done } = await reader.read());
    };
    await expect(readAll()).rejects.toThrow();
    const { status, body } = await other.once(vast, '/tickets/export');
    expect([status, body.type]).toEqual([503, '/problems/dependency-unavailable']);
    await eventually(async () => (await running()) === 0, 'its place is free');
    await other.stop({ keep: true });
  });
});
