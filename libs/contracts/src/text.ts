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

const bounded = (string: z.ZodString, max: number, min: 0 | 1) =>
  string
    .min(min, { error: 'must not be empty', abort: true })
    .refine(atMost(max), { error: `must have at most ${max} characters`, params: { code: 'too_long' }, abort: true })
    .refine(isStorable, { error: 'must be well-formed Unicode without U+0000', params: { code: 'bad_unicode' } })
    .meta({ minLength: min, maxLength: max });

/** A text of `min` (0 or 1) to `max` characters, stored as it was sent. */
export const text = (max: number, min: 0 | 1 = 0) => bounded(z.string(), max, min);

/** A text of `min` (0 or 1) to `max` characters after white space at both ends was cut off. */
export const trimmedText = (max: number, min: 0 | 1 = 1) => bounded(z.string().trim(), max, min);

/** Name of an organisation, an assistant or an outside system: safe in topic names, document ids and URLs. */
export const Slug = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1–64 letters, digits, dots, dashes or underscores');

/** Identifier of a person as the OpenID Connect issuer calls them (`sub`: up to 255 characters). */
export const PersonId = text(255, 1);

/** A moment, ISO 8601 with an offset; kept in UTC with milliseconds. UTC years have four digits, or texts would not sort as times do. */
export const Instant = z.iso
  .datetime({ offset: true, error: 'must be an instant with an offset, such as 2026-01-31T10:00:00Z' })
  .transform((value) => new Date(value).toISOString())
  .pipe(z.string().regex(/^\d{4}-/, 'must lie in the years 0000 to 9999'));

/** A moment as answers and events tell it: ISO 8601, UTC, milliseconds. Not checked where it is read: it is our own. */
export const Time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds.' });

/** A UUID in lower case. Any variant is taken: an unknown one is not found, it is not malformed. */
export const Uuid = z.guid('must be a UUID').toLowerCase();

/** How deep the JSON of a request may be nested. */
export const maxJsonDepth = 32;

const jsonFlaws = {
  bad_unicode: 'must hold well-formed Unicode without U+0000 only',
  not_json: 'must be JSON, numbers finite',
  too_deep: `must be nested at most ${maxJsonDepth} deep`,
} as const;
type JsonFlaw = keyof typeof jsonFlaws;

/** By hand: `z.json()` takes ten times as long, two thirds of a second for a hostile half megabyte. */
function jsonFlaw(value: unknown, depth = 1): JsonFlaw | undefined {
  if (typeof value !== 'object') return plainFlaw(value);
  if (value === null) return undefined;
  if (depth > maxJsonDepth) return 'too_deep';
  return Array.isArray(value) ? flawOf(value, depth) : (flawOf(Object.keys(value), depth) ?? flawOf(Object.values(value), depth));
}

function plainFlaw(value: unknown): JsonFlaw | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : 'bad_unicode';
  return typeof value === 'boolean' || Number.isFinite(value) ? undefined : 'not_json';
}

function flawOf(values: readonly unknown[], depth: number): JsonFlaw | undefined {
  for (const value of values) {
    const flaw = jsonFlaw(value, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

const flawless = ({ value, issues }: z.core.ParsePayload) => {
  const code = jsonFlaw(value);
  if (code !== undefined) issues.push({ code: 'custom', input: value, message: jsonFlaws[code], params: { code } });
};

type JsonValue = z.core.util.JSONType;

/** Any JSON that survives every store and wire. */
export const Json = z.unknown().check(flawless) as unknown as z.ZodType<JsonValue, JsonValue>;

/** An object of any JSON that survives every store and wire. */
export const JsonObject = z.record(z.string(), z.unknown()).check(flawless) as unknown as z.ZodType<Record<string, JsonValue>, Record<string, JsonValue>>;

/** What a list must hold only once each. */
export const distinct = <T extends string>({ value, issues }: z.core.ParsePayload<T[]>) => {
  const seen = new Set<T>();
  for (const [index, one] of value.entries()) {
    if (seen.size < seen.add(one).size) continue;
    issues.push({ code: 'custom', path: [index], message: 'is named twice', input: one, params: { code: 'duplicate' } });
  }
};
