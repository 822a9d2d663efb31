import { z } from 'zod';
import './wording.js';

/** Every error the product answers with: HTTP status and title by name (contract section 5). */
export const problems = {
  'malformed-request': [400, 'The request is malformed'],
  'idempotency-key-invalid': [400, 'The idempotency key is invalid'],
  unauthenticated: [401, 'Sign-in is required'],
  forbidden: [403, 'Not allowed'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'not-acceptable': [406, 'Only JSON is served'],
  'invalid-transition': [409, 'The ticket cannot move there'],
  'ticket-closed': [409, 'The ticket is closed'],
  'already-exists': [409, 'It exists already'],
  gone: [410, 'The ticket was deleted'],
  'version-conflict': [412, 'The ticket has changed meanwhile'],
  'payload-too-large': [413, 'The request is too large'],
  'unsupported-media-type': [415, 'The media type is not read here'],
  'validation-failed': [422, 'The request is not valid'],
  'idempotency-key-reused': [422, 'The idempotency key was used for another request'],
  'invalid-assignee': [422, 'There is no such assignee'],
  'invalid-cursor': [422, 'The cursor is not valid'],
  'page-too-deep': [422, 'The page is too deep'],
  'ticket-too-large': [422, 'The ticket would grow too large'],
  'rate-limited': [429, 'Too many requests'],
  'headers-too-large': [431, 'The headers are too large'],
  'internal-error': [500, 'Something went wrong here'],
  'dependency-unavailable': [503, 'A part of the system cannot be reached'],
  'not-yet': [503, 'The ticket is not yet there'],
  overloaded: [503, 'Too much is waiting'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemName = keyof typeof problems;

/** A command's no: names that a decision may end with. */
export type RejectionName = Extract<
  ProblemName,
  | 'not-found'
  | 'gone'
  | 'forbidden'
  | 'invalid-transition'
  | 'ticket-closed'
  | 'already-exists'
  | 'version-conflict'
  | 'ticket-too-large'
  | 'validation-failed'
  | 'invalid-assignee'
>;

/** RFC 9457 body without the two members that belong to one answer (`instance`, `requestId`). */
export const Problem = z.looseObject({ type: z.string(), title: z.string(), status: z.number().int(), detail: z.string() });
export type Problem = z.infer<typeof Problem>;

/** A problem as HTTP answers tell it (RFC 9457). */
export const ProblemAnswer = Problem.extend({
  type: Problem.shape.type.meta({ description: '`/problems/<name>`: the name is what programs go by.' }),
  title: Problem.shape.title.meta({ description: 'The same for every problem of the name.' }),
  detail: Problem.shape.detail.meta({ description: 'What was wrong this time, for people.' }),
  instance: z.string().meta({ description: 'The path that was asked.' }),
  requestId: z.string().meta({ description: 'The `X-Request-Id` of the answer.' }),
});
export type ProblemAnswer = z.infer<typeof ProblemAnswer>;

/** One thing that is wrong with a request. */
export const ValidationError = z.object({
  pointer: z.string().meta({ description: 'A JSON pointer into the body, or `?name` for a query parameter.' }),
  code: z.string().meta({ description: 'A stable word for what is wrong, such as `too_long` or `unknown_field`.' }),
  message: z.string(),
});
export type ValidationError = z.infer<typeof ValidationError>;

/** What a problem of a name says beside the members that all have. */
export const problemMembers = {
  forbidden: { missing: z.string().optional().meta({ description: 'The scope or role that would be needed.' }) },
  'invalid-transition': { from: z.string(), to: z.string(), allowed: z.array(z.string()) },
  'version-conflict': { current: z.number().int().meta({ description: 'The version that the ticket has by now.' }) },
  'validation-failed': { errors: z.array(ValidationError).max(20) },
} as const satisfies Partial<Record<ProblemName, z.ZodRawShape>>;

/** Why a record was set aside (contract section 5, a closed list). */
export const DeadLetterReason = z.enum([
  'not-json',
  'schema-invalid',
  'unknown-type',
  'oversize',
  'organisation-mismatch',
  'producer-not-allowed',
  'key-mismatch',
  'timestamp-out-of-range',
  'handler-failed',
]);
export type DeadLetterReason = z.infer<typeof DeadLetterReason>;

/** Builds the problem of a name; `extra` are its own members, such as `from`, `to` and `allowed`. */
export const problem = (name: ProblemName, detail: string, extra: Record<string, unknown> = {}): Problem => ({
  type: `/problems/${name}`,
  title: problems[name][1],
  status: problems[name][0],
  detail,
  ...extra,
});

/** The problem in the result of a record that was dead-lettered. */
export const deadLetterProblem = (reason: DeadLetterReason, detail: string): Problem => ({
  type: `/problems/${reason}`,
  title: 'The record was set aside',
  status: reason === 'handler-failed' ? 500 : 422,
  detail,
});

/** The name behind a problem's `type`. */
export const problemName = ({ type }: Pick<Problem, 'type'>) => type.slice('/problems/'.length);

/** At most this many errors are named in one `validation-failed`. */
export const maxValidationErrors = 20;

/** What zod found, as the contract words it. `at` turns a path into a pointer: JSON pointers for bodies (default), `?name` for queries. */
export function validationErrors(
  issues: readonly z.core.$ZodIssue[],
  at: (path: readonly PropertyKey[]) => string = jsonPointer,
): ValidationError[] {
  return issues
    .flatMap(meant)
    .flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknownField(issue.path, key, at)) : [described(issue, at)]))
    .slice(0, maxValidationErrors);
}

/** What an issue comes down to: of a union the one kind that was tried for, of a record's key what is wrong with its name. */
function meant(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code === 'invalid_key') return issue.issues.flatMap(meant).map((inner) => ({ ...inner, path: issue.path, message: `the name ${inner.message}` }));
  const tried = issue.code === 'invalid_union' ? issue.errors.filter((issues) => !issues.some(isOfAnotherKind)) : [];
  if (tried.length !== 1) return [issue];
  return tried[0]!.flatMap(meant).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

const isOfAnotherKind = ({ code, path }: z.core.$ZodIssue) => code === 'invalid_type' && path.length === 0;

const unknownField = (path: readonly PropertyKey[], key: string, at: (path: readonly PropertyKey[]) => string) => ({
  pointer: at([...path, key]),
  code: 'unknown_field',
  message: 'is not known',
});

const described = (issue: z.core.$ZodIssue, at: (path: readonly PropertyKey[]) => string) => ({
  pointer: at(issue.path),
  code: issue.code === 'custom' && typeof issue.params?.['code'] === 'string' ? issue.params['code'] : issue.code,
  message: issue.message,
});

/** Names a query parameter in an error. */
export const queryPointer = ([name]: readonly PropertyKey[]) => `?${String(name ?? '')}`;

/** RFC 6901; the whole document is the empty string. */
export const jsonPointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
