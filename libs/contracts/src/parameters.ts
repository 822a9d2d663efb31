import { z } from 'zod';
import { text } from './text.js';

/** What query parameters are made of. Each is a text, or an array where it was repeated; what they say of themselves (`meta`) is how a URL is written. */

/** A parameter that is given once. */
export const single = z.string({ error: (issue) => (Array.isArray(issue.input) ? 'must be given once' : 'must be a text') });

/** A parameter that may be repeated, or hold several values between commas: any of them. */
export const anyOf = <T extends z.ZodType<unknown, string>>(value: T) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((one) => one.split(',')).map((one) => one.trim()))
    .pipe(z.array(value).min(1).max(100))
    .meta({ anyOf: undefined, type: 'array', items: wireSchema(value), minItems: 1, maxItems: 100 });

/** How values between commas are told to readers; their schema is only converted when somebody asks. */
const wireSchema = (value: z.ZodType) => ({
  toJSON() {
    const { $schema: _, ...schema } = z.toJSONSchema(value, { io: 'input' });
    return schema;
  },
});

const integer = (digits: RegExp, max: number) =>
  single
    .regex(digits, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(1).max(max))
    .meta({ type: 'integer', pattern: undefined, minimum: 1, maximum: max });

/** From 1. */
export const wholeNumber = (max: number) => integer(/^[0-9]{1,9}$/, max);

/** A version of a ticket; one that is far beyond any there is can still be asked for. */
export const version = integer(/^[0-9]{1,15}$/, Number.MAX_SAFE_INTEGER);

const isDate = /^\d{4}-\d{2}-\d{2}$/;

/** Instants are compared as texts, whose years have four digits: what lies beyond them is their first or last moment. */
const [firstMs, lastMs] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')];
const withinReach = (ms: number) => new Date(Math.min(lastMs, Math.max(firstMs, ms))).toISOString();

const time = (ofDate: string) =>
  single
    .pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], { error: 'must be a date or an instant with an offset (a + is written %2B)' }))
    .transform((value) => (isDate.test(value) ? `${value}T${ofDate}Z` : withinReach(Date.parse(value))))
    .pipe(z.string())
    .meta({ anyOf: [{ type: 'string', format: 'date' }, { type: 'string', format: 'date-time' }], type: undefined });

/** A text that is given once. */
export const singleText = (max: number, min: 0 | 1 = 0) => single.pipe(text(max, min)).meta({ minLength: min, maxLength: max });

/**
 * An instant, or a bare date: that day's first moment as a start, its end as an end (UTC). Answers an ISO instant. A day ends at 24:00, which as a text
 * lies before the next day's 00:00: a range that begins there is told from an empty one.
 */
export const bound = (edge: '00' | '24') => time(`${edge}:00:00.000`);

/** An instant, or a bare date: that day's last moment (UTC). Answers an ISO instant. */
export const moment = time('23:59:59.999');
