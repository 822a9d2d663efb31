import { z } from 'zod';

/**
 * How people are told what is wrong with what they sent, wherever a schema has no words of its own: as the end of a sentence that begins with the
 * field's name. Importing this file sets it for every schema of the process.
 */
const worded: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${types[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : `must be ${choice(issue.values)}`;
    case 'too_small':
      return bound(issue, 'at least', issue.minimum);
    case 'too_big':
      return bound(issue, 'at most', issue.maximum);
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

const [characters, entries] = [['character', 'characters'], ['entry', 'entries']] as const;
const counted: Partial<Record<string, readonly [one: string, more: string]>> = { string: characters, array: entries, set: entries, map: entries, record: entries };

const choice = (values: readonly unknown[]) => (values.length > 1 ? `one of ${values.join(', ')}` : String(values[0]));

/** Numbers are this much, all else has this many parts. Bounds that are left out themselves are worded by zod. */
function bound({ origin, inclusive }: { origin: string; inclusive?: boolean | undefined }, limit: string, value: number | bigint): string | undefined {
  if (inclusive === false) return undefined;
  const unit = counted[origin];
  return unit ? `must have ${limit} ${value} ${unit[Number(value) === 1 ? 0 : 1]}` : `must be ${limit} ${value}`;
}

z.config({ customError: worded });
