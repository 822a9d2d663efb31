import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { validationErrors } from '#contracts';
import { ProblemError } from '#observability';

/** Parses a parameter with the schema that it names: a wrong query is 422 with its errors, a wrong path a bad id. */
export class ParsePipe implements PipeTransform {
  transform(value: unknown, { schema, type }: ArgumentMetadata): unknown {
    if (schema === undefined) return value;
    const result = (schema as unknown as z.ZodType).safeParse(value);
    if (result.success) return result.data;
    if (type !== 'query') throw new ProblemError('malformed-request', 'The id in the path is none.');
    const errors = validationErrors(result.error.issues, ([name]) => `?${String(name ?? '')}`);
    throw new ProblemError('validation-failed', 'The query is not valid.', { errors });
  }
}
