import { z } from 'zod';
import { bodies, IdempotencyKey, IfMatch, jsonSchema, LastEventId, MinVersion, Prefer, RequestId, type JsonSchema, type ProblemName } from '#contracts';
import { lacks } from '#domain';
import { tags, type AnswerHeader, type OperationText, type RequestHeader, type Told } from '../src/operation.js';
import { Components } from './components.js';
import { byStatus, problemResponse } from './problems.js';
import type { Route } from './routes.js';
import { webhooksOf } from './webhooks.js';

const about = `Tickets are support cases: agents open them during conversations, people and outside systems open them too.

**Signing in.** Send \`Authorization: Bearer …\` with a token of the organisation's sign-in, or with an API key (\`dsk_…\`) that an administrator made for an assistant's agent.

**Writing safely.** Send an \`Idempotency-Key\` with every write and repeat it after a timeout, a 503 or a broken connection: nothing happens twice. \`If-Match\` with the \`ETag\` of the ticket refuses a write that was decided on an older version. A write is answered when the broker has stored it and its outcome is known; where that takes over 2 s it is answered with 202, and \`Location\` tells the outcome.

**Reading one's own writes.** Reads may lag behind writes by a moment. \`X-Min-Version\` waits for a version.

**Errors** are \`application/problem+json\` (RFC 9457); programs go by \`type\`. A path that is not here answers 404 \`not-found\`, a method that a path does not take 405 \`method-not-allowed\` with \`Allow\`. Fields and parameters that are not known are refused. New optional members may appear in answers at any time: ignore what you do not know.`;

const requestHeaders: Record<'X-Request-Id' | 'Idempotency-Key' | RequestHeader, z.ZodType> = {
  'X-Request-Id': RequestId,
  'Idempotency-Key': IdempotencyKey,
  'If-Match': IfMatch,
  'If-None-Match': z.string().meta({ description: 'The `ETag` of what one has: 304 while it is still so.' }),
  'Last-Event-ID': LastEventId,
  Prefer,
  'X-Min-Version': MinVersion,
};

const answerHeaders: Record<'Retry-After' | 'WWW-Authenticate' | 'X-Request-Id' | AnswerHeader, JsonSchema & { description: string }> = {
  'Cache-Control': { type: 'string', description: 'Whether it may be kept.' },
  'Content-Disposition': { type: 'string', description: 'A name for the file.' },
  ETag: { type: 'string', description: 'The version of the ticket, quoted; of a document, what tells it from others.' },
  'Idempotency-Replayed': { type: 'string', enum: ['true'], description: 'This is the answer that the key was first given.' },
  Link: { type: 'string', description: '`first`, `prev`, `next` and `last` pages (RFC 8288).' },
  Location: { type: 'string', description: 'Where it is.' },
  'Preference-Applied': { type: 'string', enum: ['respond-async'], description: 'The answer was not waited for, as `Prefer` asked.' },
  'Retry-After': { type: 'string', pattern: '^[0-9]+$', description: 'Seconds to wait before a retry.' },
  'WWW-Authenticate': { type: 'string', description: '`Bearer`; where e-mails are handed in `StandardWebhooks`.' },
  'X-Projection-Lag-Ms': { type: 'string', pattern: '^[0-9]+$', description: 'How far reads were behind writes, where that is known.' },
  'X-Request-Id': { type: 'string', description: 'Names the request in our logs.' },
};

/** The OpenAPI 3.1 document of the given routes: everything in it comes from the schemas that they parse with and the shapes of their answers. */
export function openApiDocument(routes: readonly Route[], examples: Readonly<Record<string, unknown>>, version: string) {
  const components = new Components(examples);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(components, route);
  const parameters = Object.fromEntries(Object.entries(requestHeaders).map(([name, schema]) => [name, parameterOf(jsonSchema(schema), { name, in: 'header' })]));
  return {
    openapi: '3.1.1',
    info: { title: 'Deskstream', version, summary: 'Tickets of organisations whose AI assistants serve customers.', description: about },
    servers: [{ url: '/', description: 'The address that this document came from.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: webhooksOf(components),
    components: {
      ...components.sorted(),
      parameters,
      headers: Object.fromEntries(Object.entries(answerHeaders).map(([name, { description, ...schema }]) => [name, { description, schema }])),
      securitySchemes: {
        person: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: "A token of the organisation's OpenID Connect sign-in." },
        agent: { type: 'http', scheme: 'bearer', bearerFormat: 'dsk_<id>_<secret>', description: 'An API key. What it may do is what its scopes say.' },
      },
    },
  };
}

const isWrite = ({ method }: Route) => method !== 'get';

function operationOf(components: Components, route: Route) {
  const { text } = route;
  if (text === undefined) throw new Error(`${route.method} ${route.path} says nothing of itself: give it an @Operation`);
  const requestBody = bodyOf(components, route);
  return {
    operationId: text.id,
    tags: [text.tag],
    summary: text.summary,
    ...(text.description !== undefined && { description: text.description }),
    ...(route.isOpen ? { security: [] } : { security: securityOf(text) }),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headersOf(route, text)],
    ...(requestBody && { requestBody }),
    responses: responsesOf(components, route, text),
  };
}

/** Who may ask, told by what somebody without scopes lacks: an agent's scope, or that only people may. */
function securityOf({ needs }: OperationText) {
  const agent = { actor: { type: 'agent' as const, id: '', name: '' }, access: { assistantIds: [] } };
  const missing = needs === undefined ? null : lacks(agent, needs);
  if (missing === null) return [{ person: [] }, { agent: [] }];
  const [kind, name] = missing.split(' ') as ['scope' | 'role', string];
  return kind === 'role' ? [{ person: name === 'admin' ? [name] : [] }] : [{ person: [] }, { agent: [name] }];
}

interface Place {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
}

function parameterOf({ $schema: _, description, ...schema }: JsonSchema, place: Place) {
  return { ...place, ...(description !== undefined && { description }), schema };
}

const pathParameters = ({ params }: Route) =>
  Object.entries(params).map(([name, schema]) => parameterOf(inlined(jsonSchema(schema)), { name, in: 'path', required: true }));

function queryParameters({ query }: Route) {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = inlined(jsonSchema(query));
  return Object.entries(properties as Record<string, JsonSchema>).map(([name, schema]) => {
    const initial = defaultOf(query, name);
    return parameterOf({ ...schema, ...(initial !== undefined && { default: initial as string }) }, { name, in: 'query', required: required.includes(name) });
  });
}

/** Parameters are short: shapes stand where they are used. */
function inlined(schema: JsonSchema): JsonSchema {
  const { $defs = {}, ...rest } = schema;
  const replaced = JSON.stringify(rest).replace(/\{"\$ref":"#\/\$defs\/(\w+)"/g, (_, name: string) => {
    const { id: __, ...shape } = ($defs as Record<string, JsonSchema>)[name]!;
    return JSON.stringify(shape).slice(0, -1);
  });
  return JSON.parse(replaced) as JsonSchema;
}

/** What a query parameter is when it is not sent. Its default is what the door reads, not what a URL says, so conversion leaves it out. */
function defaultOf(query: z.ZodType, name: string): unknown {
  const parameter = query instanceof z.ZodObject ? (query.shape[name] as z.ZodType | undefined) : undefined;
  return parameter instanceof z.ZodDefault ? parameter.def.defaultValue : undefined;
}

function headersOf(route: Route, { headers = [] }: OperationText) {
  const names = ['X-Request-Id', ...(isWrite(route) ? ['Idempotency-Key'] : []), ...headers];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

/** `nothing` is no body to tell of; of others some may be left out. */
function bodyOf(components: Components, { method, body, text }: Route) {
  if (text?.mediaBody) return { required: true, content: Object.fromEntries(Object.entries(text.mediaBody).map(([type, description]) => [type, { schema: { type: 'string', description } }])) };
  if (body === undefined || body === bodies.nothing) return undefined;
  const content = { schema: components.schema(body), ...(text?.body !== undefined && { example: text.body }) };
  return { required: !body.safeParse(undefined).success, content: { 'application/json': content, ...(method === 'patch' && { 'application/merge-patch+json': content }) } };
}

function responsesOf(components: Components, route: Route, text: OperationText) {
  const good = Object.entries(text.answers).map(([status, told]) => [status, responseOf(components, told)] as const);
  const refused = byStatus(problemsOf(route, text)).map(([status, names]) => [String(status), problemResponse(components, status, names)] as const);
  return Object.fromEntries<object>([...good, ...refused]);
}

function responseOf(components: Components, { description, body, media = {}, headers = [] }: Told) {
  const content = {
    ...(body && { 'application/json': { schema: components.schema(body) } }),
    ...Object.fromEntries(Object.entries(media).map(([type, holds]) => [type, { schema: { type: 'string', description: holds } }])),
  };
  return {
    description,
    headers: Object.fromEntries([...headers, 'X-Request-Id'].map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

const everywhere: ProblemName[] = ['malformed-request', 'unauthenticated', 'not-acceptable', 'headers-too-large', 'internal-error', 'dependency-unavailable'];
const ofWrites: ProblemName[] = ['idempotency-key-invalid', 'payload-too-large', 'unsupported-media-type', 'validation-failed', 'idempotency-key-reused'];

/** What a route refuses with: its own, and what the door refuses of every request of its kind. */
function problemsOf(route: Route, { problems = [] }: OperationText): ProblemName[] {
  if (route.isOpen) return [...problems];
  return [...everywhere, ...(isWrite(route) ? ofWrites : []), ...(route.query ? (['validation-failed'] as const) : []), ...problems];
}
