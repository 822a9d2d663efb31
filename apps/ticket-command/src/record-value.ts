import { isUtf8 } from 'node:buffer';
import { forbiddenKeys, isStorable, maxCommandBytes, type DeadLetterReason } from '#contracts';
import { z } from 'zod';

/** Characters of a command's id, or of the `ce_id` it comes from, at most. */
export const maxIdLength = 300;
/** W3C Trace Context. Anything else is not passed on: it would stand in every event of the ticket, however long. */
const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Why a record is a dead letter. */
export class Unreadable extends Error {
  constructor(
    readonly reason: DeadLetterReason,
    detail: string,
  ) {
    super(detail);
  }
}

/** @throws Unreadable */
export function parseJson(value: Buffer | null): unknown {
  if (value === null) throw new Unreadable('not-json', 'the value is null');
  if (value.length > maxCommandBytes) throw new Unreadable('oversize', `the value has ${value.length} bytes, at most ${maxCommandBytes} are taken`);
  if (!isUtf8(value)) throw new Unreadable('not-json', 'the value is not UTF-8');
  try {
    return JSON.parse(value.toString());
  } catch (error) {
    throw new Unreadable('not-json', error instanceof Error ? error.message : String(error));
  }
}

/** @throws Unreadable naming what is wrong with the first twenty members */
export function parseValue<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 20);
  throw new Unreadable('schema-invalid', issues.map(({ path, message }) => `${path.join('.') || 'the value'}: ${message}`).join('; '));
}

/** No schema looks at depth, and none sees a key that would reach a prototype. Works level by level: a recursion could be made to overflow. @throws Unreadable */
export function demandTame(json: unknown, maxDepth: number): void {
  for (let depth = 0, level = containersIn([json]); level.length > 0; depth += 1, level = level.flatMap((container) => containersIn(Object.values(container)))) {
    if (depth === maxDepth) throw new Unreadable('schema-invalid', `nested deeper than ${maxDepth}`);
    for (const container of level) {
      const key = Array.isArray(container) ? undefined : Object.keys(container).find((name) => forbiddenKeys.has(name));
      if (key !== undefined) throw new Unreadable('schema-invalid', `the key ${key} is not allowed`);
    }
  }
}

const containersIn = (values: readonly unknown[]) => values.filter((value): value is object => typeof value === 'object' && value !== null);

/** @throws Unreadable */
export function demandId(id: string | undefined): asserts id is string {
  if (!id || id.length > maxIdLength || !isStorable(id)) throw new Unreadable('schema-invalid', `ce_id is not a text of 1 to ${maxIdLength} characters`);
}

/** RFC 3339, as CloudEvents has it. `Date.parse` alone takes "5" for a day in 2001, and the 30th of February for one in March. */
const Timestamp = z.iso.datetime({ offset: true });

/** @throws Unreadable when the event is of another version, or its time none */
export function demandEvent(specversion = '1.0', time?: string): void {
  if (specversion !== '1.0') throw new Unreadable('schema-invalid', `ce_specversion is ${specversion}, not 1.0`);
  if (time !== undefined && !Timestamp.safeParse(time.toUpperCase()).success) throw new Unreadable('schema-invalid', 'ce_time is not a time as RFC 3339 writes it');
}

export const wellFormed = (text: string | undefined, form: RegExp): string | undefined => (text !== undefined && form.test(text) ? text : undefined);

export const traceparentOf = (traceparent: string | undefined): string | undefined => wellFormed(traceparent, traceparentForm);
