import { describe, expect, it } from '@jest/globals';
import { type z } from 'zod';
import { bodies, jsonPointer, ListQuery, queryPointer, validationErrors } from './index.js';

const errorsOf = (schema: z.ZodType, value: unknown, at?: (path: readonly PropertyKey[]) => string) => validationErrors(schema.safeParse(value).error!.issues, at);

describe('validation errors', () => {
  it('name where, what and why', () => {
    expect(errorsOf(bodies.create, { title: '', priority: 'x', requester: { email: 'no' } })).toEqual([
      { pointer: '/title', code: 'too_small', message: expect.any(String) },
      { pointer: '/priority', code: 'invalid_value', message: expect.any(String) },
      { pointer: '/requester/email', code: 'invalid_format', message: expect.any(String) },
    ]);
  });

  it('name every unknown field by itself, where it stands', () => {
    expect(errorsOf(bodies.create, { title: 'T', colour: 'red', requester: { phone: '1', 'a/b~c': 2 } })).toEqual([
      { pointer: '/requester/phone', code: 'unknown_field', message: 'is not known' },
      { pointer: '/requester/a~1b~0c', code: 'unknown_field', message: 'is not known' },
      { pointer: '/colour', code: 'unknown_field', message: 'is not known' },
    ]);
  });

  it('have codes of our own for what zod has none', () => {
    expect(errorsOf(bodies.create, { title: 'x'.repeat(201) })).toMatchObject([{ pointer: '/title', code: 'too_long', message: 'must have at most 200 characters' }]);
    expect(errorsOf(bodies.create, { title: '\ud800' })).toMatchObject([{ code: 'bad_unicode' }]);
    expect(errorsOf(ListQuery, { createdFrom: '2026-01-02', createdTo: '2026-01-01T00:00:00Z' })).toMatchObject([{ pointer: '/createdFrom', code: 'out_of_order' }]);
  });

  it('point into arrays', () => expect(errorsOf(bodies.create, { title: 'T', tags: ['a', 7] })).toMatchObject([{ pointer: '/tags/1', code: 'invalid_type' }]));

  it('of the whole body point at the whole', () => expect(errorsOf(bodies.create, [])).toMatchObject([{ pointer: '', code: 'invalid_type' }]));

  it.each([
    [{ customFields: { plan: {} } }, '/customFields/plan', 'invalid_union', 'must be a text of at most 1000 characters, a number or a boolean'],
    [{ customFields: { plan: null } }, '/customFields/plan', 'invalid_union', 'must be a text of at most 1000 characters, a number or a boolean'],
    [{ customFields: { plan: 'x'.repeat(1_001) } }, '/customFields/plan', 'too_long', 'must have at most 1000 characters'],
    [{ customFields: { '': 1 } }, '/customFields/', 'too_small', 'the name must not be empty'],
    [{ customFields: { ['k'.repeat(65)]: 1 } }, `/customFields/${'k'.repeat(65)}`, 'too_long', 'the name must have at most 64 characters'],
    [{ conversation: 'Help!' }, '/conversation', 'invalid_union', 'must be messages, or an object that holds them'],
    [{ conversation: [{ role: 'user', content: '\u0000' }] }, '/conversation/0/content', 'bad_unicode', 'must be well-formed Unicode without U+0000'],
    [{ conversation: { messages: [{ id: 'a', role: 'user', content: '' }, { id: 'a', role: 'user', content: '' }] } }, '/conversation/messages/1/id', 'duplicate', 'is the id of an earlier message'],
    [{ conversation: [{ role: 'user', content: '', at: 'now' }] }, '/conversation/0/at', 'invalid_format', 'must be an instant with an offset, such as 2026-01-31T10:00:00Z'],
    [{ requester: { email: 'rita' } }, '/requester/email', 'invalid_format', 'must be an e-mail address'],
    [{ followUpOf: '7' }, '/followUpOf', 'invalid_format', 'must be a UUID'],
    [{ externalId: '' }, '/externalId', 'too_small', 'must not be empty'],
    [{ title: undefined }, '/title', 'invalid_type', 'is missing'],
    [{ title: 7 }, '/title', 'invalid_type', 'must be a string'],
    [{ tags: 'vip' }, '/tags', 'invalid_type', 'must be a list'],
    [{ conversation: [] }, '/conversation', 'too_small', 'must have at least 1 entry'],
    [{ tags: Array.from({ length: 21 }, (_, n) => `t${n}`) }, '/tags', 'too_big', 'must have at most 20 entries'],
    [{ priority: 'huge' }, '/priority', 'invalid_value', 'must be one of low, normal, high, urgent'],
  ])('say what is wanted instead of %j', (wrong, pointer, code, message) => expect(errorsOf(bodies.create, { title: 'T', ...wrong })).toEqual([{ pointer, code, message }]));

  it('say what numbers of a query are to be', () =>
    expect(errorsOf(ListQuery, { page: '0', pageSize: '101' })).toMatchObject([{ message: 'must be at least 1' }, { message: 'must be at most 100' }]));

  it('say that null removes a custom field where it does', () =>
    expect(errorsOf(bodies.patch, { customFields: { plan: [] } })).toEqual([
      { pointer: '/customFields/plan', code: 'invalid_union', message: 'must be a text of at most 1000 characters, a number or a boolean, or null to remove the field' },
    ]));

  it.each(['', ' \n'])('name one flaw once: a comment of %j', (body) => {
    expect(errorsOf(bodies.comment, { body })).toHaveLength(1);
    expect(errorsOf(bodies.transition, { to: 'open', comment: body })).toHaveLength(1);
  });

  it('are at most 20', () => {
    const unknown = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, 1]));
    expect(errorsOf(bodies.create, { title: 'T', ...unknown })).toHaveLength(20);
    expect(errorsOf(bodies.create, { title: 'T', tags: Array.from({ length: 20 }, () => 7), ...unknown })).toHaveLength(20);
  });

  it('point as the door wants it', () => {
    expect(errorsOf(ListQuery, { colour: 'red', status: 'new', page: '0' }, queryPointer)).toMatchObject([
      { pointer: '?status', code: 'invalid_value' },
      { pointer: '?page', code: 'too_small' },
      { pointer: '?colour', code: 'unknown_field' },
    ]);
  });
});

describe('JSON pointer', () => {
  it.each([
    [[], ''],
    [['a'], '/a'],
    [['a', 0, 'b'], '/a/0/b'],
    [['a/b', '~', ''], '/a~1b/~0/'],
  ])('of %j is %j', (path, pointer) => expect(jsonPointer(path)).toBe(pointer));
});
