import { z } from 'zod';

/**
 * How people are told what is wrong with what they sent, wherever a schema has no words of its own: as the end of a sentence that begins with the
 * field's name. Importing this file sets it for every schema of the process.
 */
const worded: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${types[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum)}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum)}`;
    case 'invalid_union':
      return 'is of no known kind';
    default:
      return undefined;
  }
};

const types: Partial<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const counted: Partial<Record<string, string>> = { string: 'characters', array: 'entries', set: 'entries', map: 'entries', record: 'entries' };

/** Numbers are this much, all else has this many parts. */
function bound(origin: string, limit: string, value: number | bigint): string {
  const unit = counted[origin];
  return unit ? `have ${limit} ${value} ${unit}` : `be ${limit} ${value}`;
}

z.config({ customError: worded });
