import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { validationErrors, jsonPointer } from '#contracts';
import { ProblemError } from '#observability';
import type { z } from 'zod';

/** Names a query parameter in an error. */
export const queryPointer = (path: readonly PropertyKey[]) => `?${String(path[0] ?? '')}`;

/** Parses parameters with the schema they name (`@Body({ schema })`). Nest's own pipe does not tell a body from a query in its errors. */
export class SchemaPipe implements PipeTransform {
  transform(value: unknown, { type, schema, data }: ArgumentMetadata): unknown {
    if (schema === undefined) throw new Error(`a ${type} parameter ${data ?? ''} without a schema`);
    const result = schema['~standard'].validate(value);
    if (result instanceof Promise) throw new Error('schemas of requests are synchronous');
    if (result.issues === undefined) return result.value;
    if (type === 'param') throw new ProblemError('malformed-request', `The path holds no valid ${data ?? 'parameter'}.`);
    if (type === 'body' && value === undefined) throw new ProblemError('malformed-request', 'The body is missing.');
    const errors = validationErrors(result.issues as readonly z.core.$ZodIssue[], type === 'query' ? queryPointer : jsonPointer);
    throw new ProblemError('validation-failed', 'The request is not valid.', { errors });
  }
}
