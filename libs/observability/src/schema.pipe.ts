import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { jsonPointer, queryPointer, validationErrors } from '#contracts';
import { ProblemError } from './problem.filter.js';

/** Parses parameters with the schema they name (`@Body({ schema })`). Nest's own pipe does not tell a body from a query in its errors. */
export class SchemaPipe implements PipeTransform {
  /** @throws ProblemError 400 for a path or a missing body, 422 with its errors for a query or a body */
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (metadata.schema === undefined) throw new Error(`a ${metadata.type} parameter without a schema`);
    const result = metadata.schema['~standard'].validate(value);
    if (result instanceof Promise) throw new Error('schemas of requests are synchronous');
    if (result.issues === undefined) return result.value;
    throw refusal(value, metadata, result.issues as readonly z.core.$ZodIssue[]);
  }
}

function refusal(value: unknown, { type, data }: ArgumentMetadata, issues: readonly z.core.$ZodIssue[]): ProblemError {
  if (type === 'param') return new ProblemError('malformed-request', `The path holds no valid ${data ?? 'parameter'}.`);
  if (type === 'body' && value === undefined) return new ProblemError('malformed-request', 'The body is missing.');
  return new ProblemError('validation-failed', 'The request is not valid.', { errors: validationErrors(issues, type === 'query' ? queryPointer : jsonPointer) });
}
