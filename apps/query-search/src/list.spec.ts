import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ListQuery, sorts, type Sort } from '#contracts';
import { ada, agent, grace } from '../../../libs/contracts/testing/builders.js';
import { conditionsOf, type Condition } from './list-conditions.js';
import { ListCursors } from './list-cursor.js';
import { behind, isPosition, positionOf } from './list-order.js';
import { queryOf } from './list-plan.js';
import { listAnswer, listLinks, ticketAnswer } from './ticket-answers.js';
import { entryConditions } from './search/search-plan.js';
import { currentShape } from './shape.js';
import { asked as words } from './search/words.js';

const query = (asked: Record<string, string | string[]> = {}) => ListQuery.parse(asked);
const base = { orgId: 'acme', deleted: false };
const conditions = (asked: Record<string, string | string[]>, by = ada) => {
  const { q, ...filters } = query(asked);
  return q === undefined ? conditionsOf(by, filters) : entryConditions(by, filters, words(q)!);
};
/** Conditions with sizes given by a text in their filter; 1,000 for the others. */
const sized = (asked: Record<string, string | string[]>, sizes: Record<string, number> = {}, by = ada) =>
  conditions(asked, by).map((one) => {
    const text = inspect(one.filter);
    const size = Object.entries(sizes).find(([part]) => text.includes(part))?.[1] ?? 1_000;
    return one.lead ? { ...one, lead: { ...one.lead, size } } : one;
  });
const filtersOf = (asked: Record<string, string | string[]>, by = ada) => conditions(asked, by).map(({ filter }) => filter);
const plans = (asked: Record<string, string | string[]>, sizes: Record<string, number> = {}, by = ada) => {
  const { sort } = query(asked);
  const { walk, led } = queryOf({ base, sort, conditions: sized(asked, sizes, by) });
  return led ? [...((led.isOrdered && !led.isSkipping) || led.isRare ? [] : [walk.hint]), led.hint] : [walk.hint];
};

describe('filters', () => {
  it.each([
    [{ status: 'in_progress' }, { keys: 'status:pending' }],
    [{ status: ['open,pending', 'open'] }, { keys: { $in: ['status:open', 'status:pending'] } }],
    [{ assignee: 'me' }, { keys: 'assignee:member:ada' }],
    [{ assignee: 'none,grace,agent:billing-bot' }, { keys: { $in: ['assignee:none', 'assignee:member:grace', 'assignee:agent:billing-bot'] } }],
    [{ assistantId: 'billing-bot' }, { keys: 'assistant:billing-bot' }],
    [{ tag: 'VIP' }, { keys: 'tag:VIP' }],
    [{ requester: 'c1' }, { keys: 'requester:c1' }],
    [{ requester: 'Bob@Example.com' }, { keys: { $in: ['requester:Bob@Example.com', 'email:bob@example.com'] } }],
    [{ priority: 'high,urgent' }, { priority: { $in: [2, 3] } }],
    [{ createdFrom: '2026-01-01', createdTo: '2026-01-01' }, { createdAt: { $gte: new Date('2026-01-01T00:00:00Z'), $lt: new Date('2026-01-02T00:00:00Z') } }],
    [{ updatedTo: '2026-01-01T10:00:00+02:00' }, { updatedAt: { $lt: new Date('2026-01-01T08:00:00Z') } }],
    [{ q: 'Printer FI' }, { tokens: 'printer' }],
  ])('%j become %j', (asked, filter) => expect(filtersOf(asked as Record<string, string>)).toContainEqual(filter));

  it('never lack the organisation, nor let deleted tickets through', () => {
    const { walk, led } = queryOf({ base, sort: '-createdAt', conditions: conditions({ status: 'open,closed', sort: 'number' }, grace) });
    for (const plan of [walk, led]) expect(plan!.filter).toMatchObject({ orgId: 'acme', deleted: false, $and: expect.arrayContaining([{ keys: { $in: ['assistant:billing-bot', 'assignee:member:grace', 'creator:member:grace'] } }]) as unknown });
  });

  it('of an agent without notes:read are checked against the words outside notes too', () => {
    expect(filtersOf({ q: 'a b' }, agent('billing-bot', 'tickets:read'))).toContainEqual({ $or: [{ open: { $exists: false } }, { $and: [{ open: { $all: ['a'] } }, { open: /^b/ }] }] });
    expect(JSON.stringify(filtersOf({ q: 'a b' }, agent('billing-bot', 'tickets:read', 'notes:read')))).not.toContain('open');
  });

  it('that only views can answer are not asked of what tickets are found by', () => {
    const asked = filtersOf({ q: 'a', status: 'open', priority: 'low', updatedFrom: '2026-01-01', tag: 'vip', createdTo: '2026-01-01' });
    expect(asked).toEqual([{ tokens: /^a/ }, { tokens: '=tag:vip' }, { createdAt: { $lt: new Date('2026-01-02T00:00:00Z') } }]);
  });

  it('of several words check each of them', () => expect(filtersOf({ q: 'a bbb cc d' })).toEqual([{ tokens: 'bbb' }, { tokens: 'cc' }, { tokens: 'a' }, { tokens: /^d/ }]));

  it('of very many words let those with the most letters lead', () => {
    const all = conditions({ q: 'aaaaaa bbbbb cccc ddd ee f g' });
    expect(all.filter(({ lead }) => lead).map(({ filter }) => filter)).toEqual(['aaaaaa', 'bbbbb', 'cccc', 'ddd', /^g/].map((tokens) => ({ tokens })));
    expect(all).toContainEqual({ filter: { $nor: [{ tokens: { $ne: 'ee' } }, { tokens: { $ne: 'f' } }] } });
  });
});

describe('a beginning that very many tickets have', () => {
  const someOf = (q: string, frequent?: string) =>
    entryConditions(ada, {}, { ...words(q)!, common: { isMost: true, ...(frequent !== undefined && { frequent }) } }).map(({ lead }) => lead?.some);

  it('is counted by its most frequent word first, and by the numbers of tickets where it is digits', () => {
    expect(someOf('th', 'thanks')).toEqual([{ tokens: 'thanks' }]);
    expect(someOf('th')).toEqual([undefined]);
    for (const frequent of [undefined, '11']) expect(someOf('1', frequent)).toEqual([{ tokens: /^#1/ }]);
    expect(someOf('1a', '1ab')).toEqual([{ tokens: '1ab' }]);
    expect(['1', 'th'].map((q) => entryConditions(ada, {}, { ...words(q)!, common: { isMost: true } })[0]!.lead!.common)).toEqual([{ isMost: false }, { isMost: true }]);
  });
});

describe('conditions on one index', () => {
  const allOf = (sizes: Record<string, number>) => queryOf({ base, sort: '-createdAt', conditions: sized({ q: 'printer fire', tag: 'vip' }, sizes) });
  const [printer, vip] = [{ tokens: 'printer' }, { tokens: '=tag:vip' }];
  const checked = (...values: string[]) => ({ $nor: [{ tokens: { $nin: values } }] });

  it('bound it together where tickets are counted, and one alone where it gives the order', () => {
    const { led } = allOf({ fire: 600, printer: 5_000, vip: 9_000 });
    expect(led!.all.filter).toEqual({ ...base, $and: [{ tokens: /^fire/ }, printer, vip] });
    expect(allOf({ vip: 600 }).led!.filter).toEqual({ ...base, $and: [vip, checked('printer'), { $nor: [{ tokens: { $not: /^fire/ } }] }] });
  });

  it('are only checked where they have far more tickets than the one that leads', () => {
    expect(allOf({ fire: 20, printer: 400, vip: 401 }).led!.all.filter).toEqual({ ...base, $and: [{ tokens: /^fire/ }, printer, checked('=tag:vip')] });
    expect(allOf({ fire: 2_500, printer: 9_999, vip: 50_001 }).led!.all.filter).toEqual({ ...base, $and: [{ tokens: /^fire/ }, printer, checked('=tag:vip')] });
    expect(allOf({ fire: 2_500, printer: 9_999, vip: 50_000 }).led!.all.filter).toEqual({ ...base, $and: [{ tokens: /^fire/ }, printer, vip] });
  });
});

describe('values of which a ticket needs one', () => {
  const leads = (asked: Record<string, string>, by = ada) => conditions(asked, by).map(({ lead }) => lead?.anyOf);

  it('are looked up one by one, those that decide what somebody sees, too', () => {
    expect(leads({ status: 'open,pending,open' })).toEqual([{ field: 'keys', values: ['status:open', 'status:pending'] }]);
    expect(leads({ priority: 'high,urgent' })).toEqual([{ field: 'priority', values: [2, 3] }]);
    expect(leads({}, grace)).toEqual([{ field: 'keys', values: ['assistant:billing-bot', 'assignee:member:grace', 'creator:member:grace'] }]);
  });

  it('are not where they are many, or one', () => {
    const many = (count: number) => ({ tag: Array.from({ length: count }, (_, i) => `t${i}`).join(',') });
    expect(leads(many(33))).toEqual([undefined]);
    expect(leads(many(32))[0]!.values).toHaveLength(32);
    expect(leads({ status: 'open' })).toEqual([undefined]);
  });
});

describe('plans', () => {
  it.each([
    [{}, ['byCreation']],
    [{ sort: '-updatedAt' }, ['byUpdate']],
    [{ sort: 'priority' }, ['byLowPriority']],
    [{ status: 'open' }, ['byKey']],
    [{ status: 'open', sort: '-updatedAt' }, ['byUpdate', 'byKey']],
    [{ status: 'open', createdFrom: '2026-01-01' }, ['byCreation', 'byKey']],
    [{ priority: 'urgent' }, ['byPriority']],
    [{ priority: 'urgent', sort: 'number' }, ['byNumber', 'byPriority']],
    [{ priority: 'urgent,high' }, ['byCreation', 'byPriority']],
    [{ status: 'open,pending' }, ['byCreation', 'byKey']],
    [{ q: 'printer' }, ['byCreation', 'byWord']],
  ])('for %j use %j', (asked, hints) => expect(plans(asked as Record<string, string>)).toEqual(hints));

  it.each([
    [{ q: 'printer' }, { printer: 500 }, ['byWord']],
    [{ q: 'printer fire' }, { fire: 5_000 }, ['byWord']],
    [{ q: 'printer', tag: 'vip' }, { vip: 900 }, ['byWord']],
    [{ requester: 'a@b.c', sort: 'number' }, { requester: 20 }, ['byKey']],
    [{ requester: 'a@b.c', sort: 'number' }, { requester: 9_000 }, ['byNumber', 'byKey']],
  ])('for %j go by what is rarest: %j', (asked, sizes, hints) => expect(plans(asked as Record<string, string>, sizes as Record<string, number>)).toEqual(hints));

  it.each<[Record<string, number>, Record<string, number>, string]>([
    [{ open: 10_000, urgent: 20_000 }, { open: 1_000, urgent: 5_000 }, 'byPriority'],
    [{ open: 20_000, urgent: 10_000 }, { open: 5_000, urgent: 1_000 }, 'byKey'],
    [{ open: 10_000, urgent: Infinity }, {}, 'byKey'],
    [{ open: 10_000, urgent: 9_999 }, { open: 9_000 }, 'byPriority'],
  ])('of which more meet %j than are counted go by how far back the newest reach: %j', (sizes, reaches, hint) => {
    const [urgent, open] = [conditionsOf(ada, { priority: ['urgent'] })[0]!, conditionsOf(ada, { status: ['open'] })[0]!];
    const weighed = [['open', open], ['urgent', urgent]] as const;
    for (const order of [weighed, weighed.toReversed()]) {
      const conditions = order.map(([name, one]) => ({ ...one, lead: { ...one.lead!, size: sizes[name], reach: reaches[name] } }));
      expect(queryOf({ base, sort: '-createdAt', conditions: conditions as Condition[] }).led!.hint).toBe(hint);
    }
  });

  it('for how urgent what is open is bound the order by priority too, and check it nowhere else', () => {
    const conditions = conditionsOf(ada, { status: ['open'], priority: ['low'] }, currentShape);
    const { walk, led } = queryOf({ base, sort: '-priority', conditions });
    expect(walk.filter).toMatchObject({ $and: [{ keys: 'open priority:low' }, { priority: 0 }] });
    for (const plan of [led!, led!.all]) expect(plan.filter).toMatchObject({ $and: [{ keys: 'open priority:low' }] });
  });

  it('for somebody who does not see everything walk the list first, then gather what they see', () => expect(plans({}, {}, grace)).toEqual(['byCreation', 'byKey']));
});

const view = { _id: 'acme/1', createdAt: new Date(1_000), updatedAt: new Date(2_000), priority: 2, number: 7, dueAt: new Date(3_000) };

describe('positions', () => {
  it.each([
    ['-createdAt', [{ createdAt: { $lte: new Date(1_000) } }, { $or: [{ createdAt: { $lt: new Date(1_000) } }, { createdAt: new Date(1_000), _id: { $lt: 'acme/1' } }] }]],
    ['number', [{ number: { $gte: 7 } }, { $or: [{ number: { $gt: 7 } }, { number: 7, _id: { $gt: 'acme/1' } }] }]],
    ['priority', [{ priority: { $gte: 2 } }, { $or: [{ priority: { $gt: 2 } }, { priority: 2, createdAt: { $lt: new Date(1_000) } }, { priority: 2, createdAt: new Date(1_000), _id: { $gt: 'acme/1' } }] }]],
  ] as [Sort, object[]][])('in %s lead on', (sort, conditions) => expect(behind(sort, positionOf(sort, view))).toEqual(conditions));

  it.each([...sorts])('in %s are recognised', (sort) => {
    expect(isPosition(sort, positionOf(sort, view))).toBe(true);
    for (const wrong of [[], ['x'], [1, 2], [{}, 'x'], null, 'x', [...positionOf(sort, view), 1]]) expect(isPosition(sort, wrong)).toBe(false);
  });
});

describe('cursors', () => {
  const cursors = new ListCursors('k'.repeat(32));
  const scope = { orgId: 'acme', sort: '-createdAt' as const, filters: { status: ['open' as const, 'closed' as const], q: 'x' } };
  const cursor = cursors.write(scope, [1_000, 'acme/1']);

  it('lead back to their position, whatever the order of the filters', () => {
    expect(cursors.read(scope, cursor)).toEqual([1_000, 'acme/1']);
    expect(cursors.read({ ...scope, filters: { q: 'x', status: ['closed', 'open'], tag: undefined } }, cursor)).toEqual([1_000, 'acme/1']);
  });

  it.each([
    ['another organisation', { ...scope, orgId: 'globex' }],
    ['another sort', { ...scope, sort: '-updatedAt' as const }],
    ['another filter', { ...scope, filters: { ...scope.filters, q: 'y' } }],
    ['one filter less', { ...scope, filters: { q: 'x' } }],
  ])('are refused for %s', (_, other) => expect(cursors.read(other, cursor)).toBeUndefined());

  it('are refused when they were made up, changed or signed by another key', () => {
    const [content, signature] = cursor.split('.') as [string, string];
    const forged = Buffer.from('[9000,"globex/1"]').toString('base64url');
    for (const wrong of ['', '.', 'x', 'x.y', content, `${content}.`, `${cursor}x`, `${cursor}=`, ` ${cursor}`, `${forged}.${signature}`, `${cursor}.x`]) expect(cursors.read(scope, wrong)).toBeUndefined();
    expect(new ListCursors('j'.repeat(32)).read(scope, cursor)).toBeUndefined();
  });
});

describe('answers', () => {
  const listed = { status: 'open' as const, ticket: '{"id":"1","title":"a \\"b\\""}', snippet: 'x "y"' };

  it('add what depends on the caller to a ticket', () => {
    const seen = { ...listed, version: 3, deleted: false, description: 'line\n"two"' };
    expect(JSON.parse(ticketAnswer(ada, seen))).toEqual({ id: '1', title: 'a "b"', description: 'line\n"two"', deadlines: [], allowedTransitions: ['pending'] });
    expect(JSON.parse(ticketAnswer(agent('billing-bot', 'tickets:read'), seen))).toMatchObject({ allowedTransitions: [] });
  });

  it('of lists say where they are and how much there is', () => {
    const answer = JSON.parse(String(listAnswer(ada, query({ page: '2' }), { items: [listed, listed], next: 'c', total: 52, isExact: true }))) as unknown;
    const item = { id: '1', title: 'a "b"', snippet: 'x "y"', deadlines: [], allowedTransitions: ['pending'] };
    expect(answer).toEqual({ items: [item, item], page: 2, pageSize: 25, total: 52, totalIsExact: true, totalPages: 3, nextCursor: 'c' });
    expect(JSON.parse(String(listAnswer(ada, query({ cursor: 'c' }), { items: [], next: null, total: 0, isExact: true })))).toMatchObject({ items: [], page: null, totalPages: 0, nextCursor: null });
  });

  const linksOf = (url: string, asked: Record<string, string>, page: { next: string | null; total: number; isExact: boolean }) =>
    Object.fromEntries(listLinks(url, query(asked), { items: [], ...page }).split(', ').map((link) => /^<(.*)>; rel="(.*)"$/.exec(link)!.slice(1).reverse() as [string, string]));

  it('link to the pages around, with the query as it was asked', () => {
    expect(linksOf('/v1/tickets?tag=a&tag=b%2Cc&page=2', { page: '2' }, { next: 'c', total: 120, isExact: true })).toEqual({
      first: '/v1/tickets?tag=a&tag=b%2Cc', prev: '/v1/tickets?tag=a&tag=b%2Cc&page=1', next: '/v1/tickets?tag=a&tag=b%2Cc&page=3', last: '/v1/tickets?tag=a&tag=b%2Cc&page=5',
    });
    expect(linksOf('/v1/tickets', {}, { next: null, total: 3, isExact: true })).toEqual({ first: '/v1/tickets', last: '/v1/tickets?page=1' });
  });

  it('link on by the cursor where numbered pages end', () => {
    expect(linksOf('/v1/tickets?page=400', { page: '400' }, { next: 'c', total: 10_000, isExact: false })).toEqual({ first: '/v1/tickets', prev: '/v1/tickets?page=399', next: '/v1/tickets?cursor=c' });
    expect(linksOf('/v1/tickets?cursor=b', { cursor: 'b' }, { next: 'c', total: 500, isExact: true })).toEqual({ first: '/v1/tickets', next: '/v1/tickets?cursor=c' });
  });
});
