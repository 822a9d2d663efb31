import { z } from 'zod';
import { problem, problemMembers, problems, ProblemAnswer, type JsonSchema, type ProblemName } from '#contracts';
import type { Components } from './components.js';

/** What problems say when they come: detail, and members of their own. */
const told: Record<ProblemName, [string, Record<string, unknown>?]> = {
  'malformed-request': ['The body is not JSON in UTF-8.'],
  'idempotency-key-invalid': ['Idempotency-Key must have 1 to 255 printable ASCII characters.'],
  unauthenticated: ['Send a bearer token.'],
  forbidden: ['This needs scope tickets:write.', { missing: 'scope tickets:write' }],
  'not-found': ['There is no such ticket.'],
  'method-not-allowed': ['PUT is not possible here.'],
  'not-acceptable': ['Answers come as application/json only.'],
  'invalid-transition': ['A ticket cannot go from open to closed.', { from: 'open', to: 'closed', allowed: ['pending'] }],
  'ticket-closed': ['The ticket is closed.'],
  'already-exists': ['There is a ticket with this externalId.'],
  gone: ['The ticket was deleted.'],
  'version-conflict': ['The ticket is at version 4, not 3.', { current: 4 }],
  'payload-too-large': ['A request has at most 256 KiB.'],
  'unsupported-media-type': ['Send the body as application/json in UTF-8.'],
  'validation-failed': ['The request is not valid.', { errors: [{ pointer: '/title', code: 'too_long', message: 'must have at most 200 characters' }] }],
  'idempotency-key-reused': ['The Idempotency-Key was used for another request.'],
  'invalid-assignee': ['There is no such member or assistant.'],
  'invalid-cursor': ['The cursor is not one of ours.'],
  'page-too-deep': ['Pages end at 10,000 tickets: go on with cursor.'],
  'ticket-too-large': ['The ticket has 5,000 comments.'],
  'rate-limited': ['Too many requests.'],
  'headers-too-large': ['The headers are too large.'],
  'internal-error': ['The request id helps us to find out what.'],
  'dependency-unavailable': ['Reading is not possible right now.'],
  'not-yet': ['Version 4 has not arrived yet.'],
  overloaded: ['Too many commands wait for the broker.'],
};

const headersOf: Record<number, string[]> = { 401: ['WWW-Authenticate'], 429: ['Retry-After'], 503: ['Retry-After'] };

/** One response of a document: the problems of a status, with an example each. */
export function problemResponse(components: Components, status: number, names: readonly ProblemName[]) {
  const key = [status, ...names].join('_');
  components.responses[key] ??= responseOf(components, status, names);
  return { $ref: `#/components/responses/${key}` };
}

function responseOf(components: Components, status: number, names: readonly ProblemName[]) {
  const headers = ['X-Request-Id', ...(headersOf[status] ?? [])];
  return {
    description: names.map((name) => `\`${name}\``).join(', '),
    headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: { 'application/problem+json': { schema: schemaOf(components, names), examples: Object.fromEntries(names.map((name) => [name, exampleOf(components, name)])) } },
  };
}

/** Problems by their status, in the order of statuses. */
export function byStatus(names: readonly ProblemName[]): [number, ProblemName[]][] {
  const groups = new Map<number, ProblemName[]>();
  for (const name of new Set(names)) groups.set(problems[name][0], [...(groups.get(problems[name][0]) ?? []), name]);
  return [...groups].sort(([one], [other]) => one - other);
}

const hasMembers = (name: ProblemName): name is keyof typeof problemMembers => Object.hasOwn(problemMembers, name);

function schemaOf(components: Components, names: readonly ProblemName[]): JsonSchema {
  const plain = names.filter((name) => !hasMembers(name));
  const schemas = [...(plain.length > 0 ? [plainSchema(components, plain)] : []), ...names.filter(hasMembers).map((name) => ownSchema(components, name))];
  return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
}

const typeOf = (name: ProblemName) => `/problems/${name}`;

const plainSchema = (components: Components, names: readonly ProblemName[]): JsonSchema => ({
  allOf: [components.schema(ProblemAnswer)],
  properties: { type: { enum: names.map(typeOf) } },
});

/** A problem with members of its own has a name of its own. */
function ownSchema(components: Components, name: keyof typeof problemMembers): JsonSchema {
  const title = `${name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}Problem`;
  const { properties = {}, required = [] } = components.schema(z.object(problemMembers[name]));
  components.schemas[title] ??= { allOf: [components.schema(ProblemAnswer)], properties: { type: { const: typeOf(name) }, ...properties }, ...(required.length > 0 && { required }) };
  return { $ref: `#/components/schemas/${title}` };
}

function exampleOf(components: Components, name: ProblemName) {
  const [detail, members] = told[name];
  components.examples[name] ??= { value: { ...problem(name, detail, members), instance: '/v1/tickets/0196f0a0-0000-7000-8000-000000000001', requestId: '5f0c0b5e-7d0e-4a5e-9d7e-0f6a1f0c2b11' } };
  return { $ref: `#/components/examples/${name}` };
}
