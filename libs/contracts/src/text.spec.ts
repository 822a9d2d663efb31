import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';
import { CommentBody, CustomFields, DetailsPatch, Instant, isStorable, Json, JsonObject, MessageInput, PersonId, Requester, Slug, Tags, text, Title, trimmedText, Uuid } from './index.js';

const takes = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;
const codes = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map((issue) => (issue.code === 'custom' ? (issue.params?.['code'] as string | undefined) : issue.code)) ?? [];
const fire = '🔥';
/** One character to people, seven code points. */
const family = '👩\u200d👩\u200d👧\u200d👦';

describe('text', () => {
  it.each([
    ['nothing', '', true],
    ['10 letters', 'x'.repeat(10), true],
    ['11 letters', 'x'.repeat(11), false],
    ['10 emoji, which are 20 UTF-16 units', fire.repeat(10), true],
    ['11 emoji', fire.repeat(11), false],
    ['a family, which is seven code points', family, true],
    ['two families', family + family, false],
    ['letters and emoji up to the limit', `${fire}${'x'.repeat(9)}`, true],
    ['white space at both ends', ' x ', true],
  ])('of at most 10 characters: %s', (_, value, expected) => expect(takes(text(10), value)).toBe(expected));

  it('is kept as it was sent', () => expect(text(10).parse(' é\n\t ')).toBe(' é\n\t '));
  it('of at least one character is not empty', () => expect([takes(text(10, 1), ''), takes(text(10, 1), ' ')]).toEqual([false, true]));
  it.each([1, null, undefined, true, ['x'], { length: 3 }])('is not %j', (value) => expect(takes(text(10), value)).toBe(false));

  it.each([
    ['a lone high surrogate', 'a\ud800b'],
    ['a lone low surrogate', '\udc00'],
    ['surrogates in the wrong order', '\udc00\ud800'],
    ['U+0000', 'a\u0000b'],
  ])('holds no %s', (_, value) => {
    expect(isStorable(value)).toBe(false);
    expect(codes(text(10), value)).toEqual(['bad_unicode']);
  });
  it('holds any other control character', () => expect(takes(text(10), '\u0001\u001f\u007f\ufffe')).toBe(true));
  it('too long says so, and only that', () => expect(codes(text(3), '\u0000'.repeat(9))).toEqual(['too_long']));

  it('takes exactly what has at most so many code points and is storable', () =>
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', fire, 'é', '\ud800', '\u0000'), maxLength: 14 }), (value) => {
        expect(takes(text(8), value)).toBe([...value].length <= 8 && value.isWellFormed() && !value.includes('\u0000'));
      }),
    ));
});

describe('trimmed text', () => {
  it.each([
    ['  x y ', 'x y'],
    ['\u00a0\u2003x\ufeff\n', 'x'],
    [` ${'x'.repeat(5)} `, 'xxxxx'],
  ])('%j is kept as %j', (given, kept) => expect(trimmedText(5).parse(given)).toBe(kept));
  it.each(['', ' ', '\n\t\u00a0', 'xxxxxx', ' xxxxxx '])('%j is none', (given) => expect(takes(trimmedText(5), given)).toBe(false));
  it('a title is one of 1 to 200 characters', () => expect([takes(Title, fire.repeat(200)), takes(Title, fire.repeat(201)), takes(Title, '  ')]).toEqual([true, false, false]));
  it('tags are trimmed, each kept once, in their order', () => expect(Tags.parse([' b ', 'a', 'b', 'A'])).toEqual(['b', 'a', 'A']));
  it('tags are at most 20 of 1 to 50', () => {
    expect(takes(Tags, Array.from({ length: 20 }, (_, n) => `t${n}`))).toBe(true);
    expect(takes(Tags, Array.from({ length: 21 }, (_, n) => `t${n}`))).toBe(false);
    expect([takes(Tags, ['x'.repeat(50)]), takes(Tags, ['x'.repeat(51)]), takes(Tags, [' '])]).toEqual([true, false, false]);
  });
});

describe('names and ids', () => {
  it.each(['a', 'Acme-1_2.x', '0', 'x'.repeat(64)])('%s names an organisation', (value) => expect(takes(Slug, value)).toBe(true));
  it.each(['', '-a', '.a', 'a/b', 'a b', 'é', 'x'.repeat(65), 'a\n', '$a'])('%j does not', (value) => expect(takes(Slug, value)).toBe(false));
  it.each(['0196F0A0-0000-7000-8000-00000000000A', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])('%s is a UUID, in lower case', (value) =>
    expect(Uuid.parse(value)).toBe(value.toLowerCase()));
  it.each(['', 'x', '0196f0a0-0000-7000-8000-00000000000', '{0196f0a0-0000-7000-8000-000000000001}', '0196f0a000007000800000000000000a', ' 0196f0a0-0000-7000-8000-000000000001', 7, null])(
    '%j is none',
    (value) => expect(takes(Uuid, value)).toBe(false),
  );
  it.each(['auth0|507f', 'a b', 'é', '$x', 'x'.repeat(255)])('%j may be a person’s id', (value) => expect(takes(PersonId, value)).toBe(true));
  it.each(['', 'x'.repeat(256), '\ud800'])('%j may not', (value) => expect(takes(PersonId, value)).toBe(false));
});

describe('instants', () => {
  it.each([
    ['2026-01-01T12:00:00Z', '2026-01-01T12:00:00.000Z'],
    ['2026-01-01T12:00:00.123456Z', '2026-01-01T12:00:00.123Z'],
    ['2026-01-01T01:00:00+05:30', '2025-12-31T19:30:00.000Z'],
    ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('%s is kept as %s', (given, kept) => expect(Instant.parse(given)).toBe(kept));
  it.each(['2026-01-01', '2026-01-01T12:00:00', '2026-02-30T12:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01 12:00:00Z', '2026-01-01T12:00:60Z', 'yesterday', '', 1_767_268_800_000])('%j is none', (value) =>
    expect(takes(Instant, value)).toBe(false));
  it.each(['9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00+01:00'])('%s lies in a year that does not sort', (value) => expect(takes(Instant, value)).toBe(false));
});

describe('free JSON', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

  it.each([null, true, 0, -1.5, '', fire, [], {}, [{ a: [null, 'x', { b: false }] }]].map((value) => [value]))('%j is kept as it is', (value) => expect(Json.parse(value)).toStrictEqual(value));
  it.each<[string, unknown, string]>([
    ['a lone surrogate in a text', ['\ud800'], 'bad_unicode'],
    ['a lone surrogate in a key', { '\ud800': 1 }, 'bad_unicode'],
    ['U+0000 deep inside', { a: [{ b: 'x\u0000' }] }, 'bad_unicode'],
    ['no finite number', [Infinity], 'not_json'],
    ['no JSON', [undefined], 'not_json'],
    ['more than 32 levels', nested(33), 'too_deep'],
    ['2,000 levels', nested(2_000), 'too_deep'],
  ])('%s is refused', (_, value, code) => expect(codes(Json, value)).toEqual([code]));
  it('takes 32 levels', () => expect(takes(Json, nested(32))).toBe(true));
  it('an object is one', () => {
    expect(JsonObject.parse({ a: [1] })).toEqual({ a: [1] });
    for (const other of [[], null, 'x', 1]) expect(takes(JsonObject, other)).toBe(false);
    expect(codes(JsonObject, { a: '\ud800' })).toEqual(['bad_unicode']);
  });
});

describe('what tickets hold', () => {
  it('a comment says something', () => {
    expect([takes(CommentBody, 'x'), takes(CommentBody, ' \n '), takes(CommentBody, ''), takes(CommentBody, 'x'.repeat(50_001))]).toEqual([true, false, false, false]);
    expect(CommentBody.parse(' x ')).toBe(' x ');
  });
  it('custom fields are at most 50 of a text, a number or a boolean', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
    expect([takes(CustomFields, many(50)), takes(CustomFields, many(51))]).toEqual([true, false]);
    expect([takes(CustomFields, { a: 'x'.repeat(1_000) }), takes(CustomFields, { a: 'x'.repeat(1_001) })]).toEqual([true, false]);
    expect([takes(CustomFields, { ['x'.repeat(64)]: 1 }), takes(CustomFields, { ['x'.repeat(65)]: 1 }), takes(CustomFields, { '': 1 })]).toEqual([true, false, false]);
    for (const value of [null, [], {}, Infinity, NaN]) expect(takes(CustomFields, { a: value })).toBe(false);
  });
  it('a merge-patch may empty, and names nothing unknown', () => {
    const patch = { description: null, tags: null, requester: { name: null }, customFields: { a: null }, assistantId: null };
    expect(DetailsPatch.parse(patch)).toEqual(patch);
    for (const bad of [{ title: null }, { priority: null }, { status: 'open' }, { number: 7 }, { requester: { phone: '1' } }]) expect(takes(DetailsPatch, bad)).toBe(false);
  });
  it('a requester has an e-mail address that is one', () => {
    for (const email of ['a@b.co', 'a.b+c@example.co.uk']) expect(takes(Requester, { email })).toBe(true);
    for (const email of ['', 'a', 'a@', '@b.c', 'a@b', 'a b@c.de', `${'x'.repeat(250)}@b.de`]) expect(takes(Requester, { email })).toBe(false);
  });
  it('a message may bring its id and time', () => {
    expect(MessageInput.parse({ role: 'user', content: '', id: 'm', at: '2026-01-01T13:00:00+01:00' })).toEqual({ role: 'user', content: '', id: 'm', at: '2026-01-01T12:00:00.000Z' });
    for (const bad of [{ role: 'user' }, { role: 'boss', content: '' }, { role: 'user', content: '', id: '' }, { role: 'user', content: '', id: 'x'.repeat(65) }]) expect(takes(MessageInput, bad)).toBe(false);
  });
});
