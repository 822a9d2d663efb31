import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { bodies, CountsQuery, ListQuery, NoQuery, PageQuery, snippetOf, TicketIdOrNumber, TicketQuery, TimelineQuery } from './index.js';

const takes = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;
const wrong = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues.map(({ path, code }) => `${path.join('.')} ${code}`) ?? [];
const list = (query: object) => ListQuery.parse(query);
const ticketId = '0196f0a0-0000-7000-8000-000000000001';

describe('list query', () => {
  it('of nothing is the first 25, newest created first', () => expect(list({})).toEqual({ sort: '-createdAt', pageSize: 25 }));

  it('reads every parameter', () => {
    expect(
      list({
        status: 'open',
        priority: 'high',
        assignee: 'me',
        assistantId: 'billing-bot',
        tag: 'vip',
        requester: 'rita@example.com',
        createdFrom: '2026-01-01',
        createdTo: '2026-01-31',
        updatedFrom: '2026-01-01T10:00:00+01:00',
        updatedTo: '2026-01-31T10:00:00Z',
        q: 'fire!',
        sort: '-priority',
        page: '3',
        pageSize: '100',
      }),
    ).toEqual({
      status: ['open'],
      priority: ['high'],
      assignee: ['me'],
      assistantId: ['billing-bot'],
      tag: ['vip'],
      requester: ['rita@example.com'],
      createdFrom: '2026-01-01T00:00:00.000Z',
      createdTo: '2026-01-31T24:00:00.000Z',
      updatedFrom: '2026-01-01T09:00:00.000Z',
      updatedTo: '2026-01-31T10:00:00.000Z',
      q: 'fire!',
      sort: '-priority',
      page: 3,
      pageSize: 100,
    });
  });

  it.each([
    ['given twice', ['open', 'pending']],
    ['with a comma', 'open,pending'],
    ['with white space', ' open , pending '],
    ['given twice, with a comma', ['open,pending']],
  ])('takes any of several: %s', (_, status) => expect(list({ status }).status).toEqual(['open', 'pending']));

  it('reads in_progress and in-progress as pending', () => expect(list({ status: 'in_progress,in-progress,pending' }).status).toEqual(['pending', 'pending', 'pending']));

  it.each(['me', 'none', 'grace', 'agent:billing-bot', 'auth0|507f'])('takes %s for an assignee', (assignee) => expect(list({ assignee }).assignee).toEqual([assignee]));

  it.each([
    ['a bare date at the end is that whole day', { createdTo: '2026-12-31' }, '2026-12-31T24:00:00.000Z'],
    ['an instant at the end is exclusive', { createdTo: '2026-12-31T00:00:00Z' }, '2026-12-31T00:00:00.000Z'],
    ['the end of all years is the end', { createdTo: '9999-12-31T23:59:59-12:00' }, '9999-12-31T23:59:59.999Z'],
    ['an instant is told in UTC', { createdTo: '2026-12-31T23:00:00-02:00' }, '2027-01-01T01:00:00.000Z'],
  ])('%s', (_, query, createdTo) => expect(list(query).createdTo).toBe(createdTo));

  it('the same day may be start and end', () =>
    expect(list({ updatedFrom: '2026-01-01', updatedTo: '2026-01-01' })).toMatchObject({ updatedFrom: '2026-01-01T00:00:00.000Z', updatedTo: '2026-01-01T24:00:00.000Z' }));
  it('the end of a day is the moment after it, for whoever reads times', () => expect(Date.parse(list({ createdTo: '2024-02-28' }).createdTo!)).toBe(Date.parse('2024-02-29')));
  it.each([
    ['a day begins before its own end, however late', { createdFrom: '2026-05-01T23:59:59.999Z', createdTo: '2026-05-01' }],
    ['a day begins when an instant ends it', { createdFrom: '2026-05-02', createdTo: '2026-05-02T00:00:00Z' }],
    ['the last of all days has an end', { createdFrom: '9999-12-31T23:59:59.999Z', createdTo: '9999-12-31' }],
  ])('%s', (_, query) => expect(takes(ListQuery, query)).toBe(true));
  it('the same instant may be both, and then nothing lies between', () => expect(takes(ListQuery, { createdFrom: '2026-01-01T00:00:00Z', createdTo: '2026-01-01T00:00:00Z' })).toBe(true));
  it('before all years and after them is in order', () => expect(takes(ListQuery, { createdFrom: '0000-01-01T00:00:00+14:00', createdTo: '9999-12-31T23:59:59-12:00' })).toBe(true));

  it.each([
    [{ status: 'new' }, ['status.0 invalid_value']],
    [{ status: '' }, ['status.0 invalid_value']],
    [{ status: 'open,' }, ['status.1 invalid_value']],
    [{ priority: 'HIGH' }, ['priority.0 invalid_value']],
    [{ assistantId: 'a/b' }, ['assistantId.0 invalid_format']],
    [{ tag: '' }, ['tag.0 too_small']],
    [{ tag: Array(101).fill('a') }, ['tag too_big']],
    [{ createdFrom: 'yesterday' }, ['createdFrom invalid_union']],
    [{ createdFrom: '2026-02-30' }, ['createdFrom invalid_union']],
    [{ createdFrom: '2026-01-01T10:00:00' }, ['createdFrom invalid_union']],
    [{ createdFrom: ['2026-01-01', '2026-01-02'] }, ['createdFrom invalid_type']],
    [{ createdFrom: '2026-01-02', createdTo: '2026-01-01T00:00:00Z' }, ['createdFrom custom']],
    [{ updatedFrom: '2026-01-03', updatedTo: '2026-01-01' }, ['updatedFrom custom']],
    [{ createdFrom: '2026-05-02', createdTo: '2026-05-01' }, ['createdFrom custom']],
    [{ createdFrom: '2026-05-02T00:00:00Z', createdTo: '2026-05-01' }, ['createdFrom custom']],
    [{ updatedFrom: '2026-05-02', updatedTo: '2026-05-01T23:59:59.999Z' }, ['updatedFrom custom']],
    [{ updatedFrom: '2026-05-02T01:00:00+02:00', updatedTo: '2026-04-30' }, ['updatedFrom custom']],
    [{ q: ['a', 'b'] }, ['q invalid_type']],
    [{ q: 'x'.repeat(2_001) }, ['q custom']],
    [{ q: '\u0000' }, ['q custom']],
    [{ sort: 'title' }, ['sort invalid_value']],
    [{ sort: '+createdAt' }, ['sort invalid_value']],
    [{ page: '0' }, ['page too_small']],
    [{ page: '-1' }, ['page invalid_format']],
    [{ page: '1.5' }, ['page invalid_format']],
    [{ page: '1e3' }, ['page invalid_format']],
    [{ page: '' }, ['page invalid_format']],
    [{ page: '1'.repeat(10) }, ['page invalid_format']],
    [{ pageSize: '101' }, ['pageSize too_big']],
    [{ pageSize: '0' }, ['pageSize too_small']],
    [{ cursor: '' }, ['cursor too_small']],
    [{ cursor: 'abc', page: '2' }, ['cursor custom']],
    [{ colour: 'red' }, [' unrecognized_keys']],
    [{ 'status[$ne]': 'open' }, [' unrecognized_keys']],
  ])('refuses %j', (query, expected) => expect(wrong(ListQuery, query)).toEqual(expected));
});

describe('other queries', () => {
  it('counts take the filters but neither status nor pages', () => {
    expect(CountsQuery.parse({ tag: 'a,b', createdTo: '2026-01-01' })).toEqual({ tag: ['a', 'b'], createdTo: '2026-01-01T24:00:00.000Z' });
    for (const other of [{ status: 'open' }, { page: '1' }, { sort: 'number' }, { cursor: 'x' }]) expect(wrong(CountsQuery, other)).toEqual([' unrecognized_keys']);
  });
  it('pages of a ticket begin at the start, 25 at a time', () => {
    expect(PageQuery.parse({})).toEqual({ after: '0', limit: 25 });
    expect(PageQuery.parse({ after: 'abc', limit: '100' })).toEqual({ after: 'abc', limit: 100 });
    for (const bad of [{ limit: '0' }, { limit: '101' }, { limit: 'x' }, { after: 'x'.repeat(201) }, { after: ['1', '2'] }, { page: '1' }]) expect(takes(PageQuery, bad)).toBe(false);
  });
  it('timelines take short types', () => {
    expect(TimelineQuery.parse({ type: 'status-changed,created' })).toMatchObject({ type: ['ticket.status-changed.v1', 'ticket.created.v1'] });
    for (const type of ['ticket.created.v1', 'exploded', '', 'toString']) expect(takes(TimelineQuery, { type })).toBe(false);
  });
  it.each([
    [{}, {}],
    [{ version: '7' }, { version: 7 }],
    [{ version: '999999999999999' }, { version: 999_999_999_999_999 }],
    [{ asOf: '2026-01-01T13:00:00+01:00' }, { asOf: '2026-01-01T12:00:00.000Z' }],
    [{ asOf: '2026-01-01' }, { asOf: '2026-01-01T23:59:59.999Z' }],
    [{ asOf: '9999-12-31T23:59:59-12:00' }, { asOf: '9999-12-31T23:59:59.999Z' }],
  ])('a ticket and its pages are asked for at %j', (query, read) => {
    expect(TicketQuery.parse(query)).toEqual(read);
    for (const pages of [PageQuery, TimelineQuery]) expect(pages.parse(query)).toMatchObject(read);
  });
  it.each([
    [{ version: '0' }, ['version too_small']],
    [{ version: '-1' }, ['version invalid_format']],
    [{ version: '1.5' }, ['version invalid_format']],
    [{ version: '' }, ['version invalid_format']],
    [{ version: '"1"' }, ['version invalid_format']],
    [{ version: '1'.repeat(16) }, ['version invalid_format']],
    [{ version: ['1', '2'] }, ['version invalid_type']],
    [{ asOf: 'yesterday' }, ['asOf invalid_union']],
    [{ asOf: '2026-02-30' }, ['asOf invalid_union']],
    [{ asOf: '2026-01-01T12:00:00' }, ['asOf invalid_union']],
    [{ asOf: ['2026-01-01', '2026-01-02'] }, ['asOf invalid_type']],
    [{ version: '1', asOf: '2026-01-01' }, ['asOf custom']],
    [{ 'version[$gt]': '1' }, [' unrecognized_keys']],
  ])('%j is no moment', (query, expected) => {
    for (const schema of [TicketQuery, PageQuery, TimelineQuery]) expect(wrong(schema, query)).toEqual(expected);
  });

  it('no query is none', () => expect([takes(NoQuery, {}), takes(NoQuery, { a: '1' })]).toEqual([true, false]));

  it.each([
    [ticketId.toUpperCase(), ticketId],
    ['1042', 1042],
    ['999999999999999', 999_999_999_999_999],
  ])('%s names a ticket', (given, read) => expect(TicketIdOrNumber.parse(given)).toBe(read));
  it.each(['', '0', '01', '-1', '1.0', '1e3', '1234567890123456', 'x', `${ticketId}x`, '#1042', '１'])('%j names none', (given) => expect(takes(TicketIdOrNumber, given)).toBe(false));
});

describe('bodies', () => {
  it('a title is all that a ticket needs', () => expect(bodies.create.parse({ title: ' T ' })).toEqual({ title: 'T' }));
  it('a conversation may come as messages or as an object of them', () => {
    const messages = [{ role: 'user' as const, content: 'Help!', at: '2026-01-01T13:00:00+01:00' }];
    const read = { messages: [{ ...messages[0]!, at: '2026-01-01T12:00:00.000Z' }] };
    expect(bodies.create.parse({ title: 'T', conversation: messages }).conversation).toEqual(read);
    expect(bodies.create.parse({ title: 'T', conversation: { messages } }).conversation).toEqual(read);
    expect(takes(bodies.create, { title: 'T', conversation: [] })).toBe(false);
    expect(takes(bodies.create, { title: 'T', conversation: Array(201).fill(messages[0]) })).toBe(false);
  });
  it('no two messages of a call have one id', () => {
    const [one, other] = [{ id: 'm1', role: 'user', content: 'Help!' }, { id: 'm2', role: 'user', content: 'Help!' }];
    const anonymous = { role: 'user', content: 'Help!' };
    expect(takes(bodies.conversation, { messages: [one, other, anonymous, anonymous] })).toBe(true);
    expect(wrong(bodies.conversation, { messages: [one, other, one, one] })).toEqual(['messages.2.id custom', 'messages.3.id custom']);
  });
  it('an assignee is named by type and id only', () => {
    expect(takes(bodies.assignee, { type: 'member', id: 'ada' })).toBe(true);
    for (const bad of [{ type: 'member', id: 'ada', name: 'Ada' }, { type: 'system', id: 'x' }, { id: 'ada' }, 'ada', null]) expect(takes(bodies.assignee, bad)).toBe(false);
  });
  it('nobody outside says who is unknown', () => {
    for (const unknown of [{ unknownAssignee: true }, { unknownAssistant: true }]) expect(takes(bodies.create, { title: 'T', ...unknown })).toBe(false);
    expect(takes(bodies.patch, { title: 'T', unknownAssistant: true })).toBe(false);
  });
  it.each(['in_progress', 'in-progress', 'pending'])('a move to %s is one to pending', (to) => expect(bodies.transition.parse({ to })).toEqual({ to: 'pending' }));
  it('a body where none is needed is empty or absent', () => expect([takes(bodies.nothing, undefined), takes(bodies.nothing, {}), takes(bodies.nothing, { a: 1 })]).toEqual([true, true, false]));
});

describe('snippet', () => {
  it.each([
    ['', ''],
    ['  a \n\t b\u00a0c  ', 'a b c'],
    ['x'.repeat(300), 'x'.repeat(200)],
    ['🔥'.repeat(300), '🔥'.repeat(200)],
  ])('of %j is its first 200 characters', (description, snippet) => expect(snippetOf({ description })).toBe(snippet));
  it.each([0, 1, 199, 200])('has 200 whole characters, where %d short ones come before long ones', (short) => {
    const description = 'x'.repeat(short) + '🔥'.repeat(300);
    expect(snippetOf({ description })).toBe([...description].slice(0, 200).join(''));
  });
  it('never ends in half a character', () => expect(snippetOf({ description: `x${' '.repeat(1_998)}🔥` }).isWellFormed()).toBe(true));
});
