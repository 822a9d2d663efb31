import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { jsonSchema, type JsonSchema } from '#contracts';
import { breaches, type Direction } from './schema-changes.js';

const rooted = (schema: JsonSchema) => ({ schema, root: schema });
const changed = (released: z.ZodType, current: z.ZodType, direction: Direction) =>
  breaches(rooted(jsonSchema(released)), rooted(jsonSchema(current)), direction).map(({ rule, at }) => `${rule} ${at}`);

const text = z.string();
const object = (members: z.ZodRawShape) => z.object(members);
const strict = (members: z.ZodRawShape) => z.strictObject(members);

/** A change, what it breaks for those who write to us, and what for those who read us. */
const cases: [string, z.ZodType, z.ZodType, string[], string[]][] = [
  ['no change', object({ a: text }), object({ a: text }), [], []],
  ['a new optional member', object({ a: text }), object({ a: text, b: text.optional() }), [], []],
  ['a new optional member where nothing unknown passes', strict({ a: text }), strict({ a: text, b: text.optional() }), [], ['object-opened /b']],
  ['a new required member', object({ a: text }), object({ a: text, b: text }), ['member-newly-required /b'], []],
  ['a member is gone', object({ a: text, b: text.optional() }), object({ a: text }), ['member-removed /b'], ['member-removed /b']],
  ['a required member is gone', strict({ a: text, b: text }), strict({ a: text }), ['member-removed /b'], ['member-removed /b']],
  ['a member may be left out', object({ a: text }), object({ a: text.optional() }), [], ['member-no-longer-required /a']],
  ['a member must be there', object({ a: text.optional() }), object({ a: text }), ['member-newly-required /a'], []],
  ['a member may be null', object({ a: text }), object({ a: text.nullable() }), [], ['type-widened /a']],
  ['a member is never null', object({ a: text.nullable() }), object({ a: text }), ['type-narrowed /a'], []],
  ['another type', object({ a: text }), object({ a: z.number() }), ['type-narrowed /a'], ['type-widened /a']],
  ['whole numbers only', object({ a: z.number() }), object({ a: z.number().int() }), ['type-narrowed /a'], []],
  ['not only whole numbers', object({ a: z.number().int() }), object({ a: z.number() }), [], ['type-widened /a']],
  ['a new value', object({ a: z.enum(['x']) }), object({ a: z.enum(['x', 'y']) }), [], ['value-added /a']],
  ['a value is gone', object({ a: z.enum(['x', 'y']) }), object({ a: z.enum(['x']) }), ['value-removed /a'], []],
  ['any text instead of values', object({ a: z.enum(['x']) }), object({ a: text }), [], ['value-added /a']],
  ['values instead of any text', object({ a: text }), object({ a: z.enum(['x']) }), ['value-removed /a'], []],
  ['another constant', object({ a: z.literal('x') }), object({ a: z.literal('y') }), ['value-removed /a'], ['value-added /a']],
  ['a longer text', object({ a: text.max(5) }), object({ a: text.max(6) }), [], ['limit-loosened /a']],
  ['a shorter text', object({ a: text.max(6) }), object({ a: text.max(5) }), ['limit-tightened /a'], []],
  ['a limit where there was none', object({ a: text }), object({ a: text.max(5) }), ['limit-tightened /a'], []],
  ['a smaller number', object({ a: z.number().min(1) }), object({ a: z.number().min(0) }), [], ['limit-loosened /a']],
  ['a larger number at least', object({ a: z.number().min(0) }), object({ a: z.number().min(1) }), ['limit-tightened /a'], []],
  ['another pattern', object({ a: text.regex(/^a/) }), object({ a: text.regex(/^b/) }), ['limit-tightened /a'], ['limit-loosened /a']],
  ['no pattern any more', object({ a: text.regex(/^a/) }), object({ a: text }), [], ['limit-loosened /a']],
  ['fewer items', object({ a: z.array(text).max(5) }), object({ a: z.array(text).max(4) }), ['limit-tightened /a'], []],
  ['other items', object({ a: z.array(text) }), object({ a: z.array(z.number()) }), ['type-narrowed /a/*'], ['type-widened /a/*']],
  ['deep inside', object({ a: object({ b: z.array(object({ c: text })) }) }), object({ a: object({ b: z.array(object({ c: text.optional() })) }) }), [], ['member-no-longer-required /a/b/*/c']],
  ['nothing unknown passes any more', object({ a: text }), strict({ a: text }), ['object-closed '], []],
  ['unknown members pass', strict({ a: text }), object({ a: text }), [], ['object-opened ']],
  ['values of a record', z.record(text, text), z.record(text, z.number()), ['type-narrowed /*'], ['type-widened /*']],
  ['names of a record', z.record(text.max(64), text), z.record(text.max(32), text), ['limit-tightened /*'], []],
  ['one more kind', object({ a: z.union([text, z.number()]) }), object({ a: z.union([text, z.number(), z.boolean()]) }), [], ['type-widened /a']],
  ['one kind less', object({ a: z.union([text, z.number()]) }), object({ a: z.union([text]) }), ['type-narrowed /a'], []],
  ['kinds in another order', object({ a: z.union([text, z.number()]) }), object({ a: z.union([z.number(), text]) }), [], []],
  ['anything instead of a text', object({ a: text }), object({ a: z.unknown() }), [], ['type-widened /a']],
  ['other words', object({ a: text.describe('one') }), object({ a: text.describe('two') }), [], []],
];

describe('changes of a schema', () => {
  it.each(cases)('%s', (_, released, current, read, written) => {
    expect(changed(released, current, 'read').sort()).toEqual(read.sort());
    expect(changed(released, current, 'written').sort()).toEqual(written.sort());
  });

  it('is followed through names and through shapes that hold themselves', () => {
    const tree = (leaf: JsonSchema): JsonSchema => ({ $ref: '#/$defs/Tree', $defs: { Tree: { type: 'object', properties: { leaf, more: { type: 'array', items: { $ref: '#/$defs/Tree' } } } } } });
    const [text, number] = [tree({ type: 'string' }), tree({ type: 'number' })];
    expect(breaches(rooted(text), rooted(text), 'written')).toEqual([]);
    expect(breaches(rooted(text), rooted(number), 'written')).toEqual([{ rule: 'type-widened', at: '/leaf' }]);
  });

  it('sees through parts that all hold', () => {
    const whole = (type: string): JsonSchema => ({ allOf: [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }], properties: { b: { type: type as 'string' } } });
    expect(breaches(rooted(whole('string')), rooted(whole('string')), 'written')).toEqual([]);
    expect(breaches(rooted(whole('string')), rooted(whole('number')), 'written')).toEqual([{ rule: 'type-widened', at: '/b' }]);
  });
});
