import { z } from 'zod';

const inCodePoints = (text: string) => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** Whether a text has at most `max` characters. Characters are Unicode code points, as in JSON Schema, not UTF-16 units. */
const atMost = (max: number) => (text: string) => text.length <= max || (text.length <= 2 * max && inCodePoints(text) <= max);

/** Text that survives every store and wire: well-formed Unicode without U+0000 (a lone surrogate comes back from BSON as U+FFFD). */
export const isStorable = (text: string) => text.isWellFormed() && !text.includes('\u0000');

/** A text of `min` to `max` characters, stored as it was sent. */
export const text = (max: number, min = 0) =>
  z
    .string()
    .min(min)
    .refine(atMost(max), { error: `must have at most ${max} characters`, params: { code: 'too_long' }, abort: true })
    .refine(isStorable, { error: 'must be well-formed Unicode without U+0000', params: { code: 'bad_unicode' } })
    .meta({ minLength: min, maxLength: max });

/** A text of `min` to `max` characters after white space at both ends was cut off. */
export const trimmedText = (max: number, min = 1) => z.string().trim().pipe(text(max, min));

/** Name of an organisation, an assistant or an outside system: safe in topic names, document ids and URLs. */
export const Slug = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1–64 letters, digits, dots, dashes or underscores');

/** Identifier of a person as the OpenID Connect issuer calls them (`sub`: up to 255 characters). */
export const PersonId = text(255, 1);

/** A moment, ISO 8601 with an offset; kept in UTC with milliseconds. */
export const Instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value).toISOString()).pipe(z.string());

/** A UUID in lower case. Any variant is taken: an unknown one is not found, it is not malformed. */
export const Uuid = z.string().toLowerCase().pipe(z.guid());

const isStorableJson = (value: unknown): boolean => {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value !== 'object' || value === null) return true;
  return Array.isArray(value) ? value.every(isStorableJson) : Object.entries(value).every(([key, item]) => isStorable(key) && isStorableJson(item));
};
const unstorable = { error: 'must hold well-formed Unicode without U+0000 only', params: { code: 'bad_unicode' } };

/** Any JSON whose keys and texts survive every store and wire. */
export const Json = z.json().refine(isStorableJson, unstorable);

/** An object of any JSON whose keys and texts survive every store and wire. */
export const JsonObject = z.record(z.string(), z.json()).refine(isStorableJson, unstorable);
