import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Schema = Record<string, unknown>;
interface Response {
  content?: Record<string, { schema: Schema }>;
  headers?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  responses: Record<string, Response & { $ref?: string }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response> };
}

/** An answer as a caller got it. */
export interface Heard {
  method: string;
  /** Without the query string. */
  path: string;
  status: number;
  headers: Headers;
  text: string;
}

/** Holds answers against an OpenAPI document, and remembers which it has seen. Nothing may be in an answer that the document does not name. */
export class Described {
  /** `<operation> <status>`, and of problems `<operation> <status> <type>`. */
  readonly seen = new Set<string>();
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly document: Document;

  constructor(document: unknown) {
    this.document = closed(document) as Document;
    (addFormats as unknown as typeof addFormats.default)(this.ajv);
    this.ajv.addSchema({ ...this.document, $id: 'openapi' });
  }

  /** Every good answer that the document promises. */
  get promised(): string[] {
    return this.operations().flatMap(([, , { operationId, responses }]) => Object.keys(responses).flatMap((status) => (Number(status) < 400 ? [`${operationId} ${status}`] : [])));
  }

  /** What is wrong with an answer; empty for one that is as the document says. */
  flaws({ method, path, status, headers, text }: Heard): unknown[] {
    const operation = this.operationOf(method, path);
    if (operation === undefined) return [`${method} ${path} is not in the document`];
    const told = operation.responses[String(status)];
    if (told === undefined) return [`${operation.operationId} does not answer ${status}: ${text}`];
    const { content, headers: named = {} } = told.$ref === undefined ? told : this.document.components.responses[told.$ref.split('/').pop()!]!;
    this.seen.add(`${operation.operationId} ${status}`);
    const missing = ['X-Request-Id', 'ETag', 'Location', 'Link', 'WWW-Authenticate', 'Content-Disposition'].filter((name) => name in named && !headers.has(name));
    const unnamed = ['ETag', 'Location', 'Link', 'Retry-After', 'Idempotency-Replayed', 'Preference-Applied', 'WWW-Authenticate'].filter((name) => headers.has(name) && !(name in named));
    return [...[...missing, ...unnamed].map((name) => `${operation.operationId} ${status}: ${name}`), ...this.bodyFlaws(operation.operationId, content, { headers, text })];
  }

  private bodyFlaws(name: string, content: Response['content'], { headers, text }: Pick<Heard, 'headers' | 'text'>): unknown[] {
    if (content === undefined) return text === '' ? [] : [`${name}: a body`];
    const type = String(headers.get('content-type')).split(';')[0]!;
    const schema = content[type]?.schema;
    if (schema === undefined) return [`${name}: ${type}`];
    if (!/[/+]json$/.test(type)) return [];
    const isValid = this.ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as Schema);
    return isValid(JSON.parse(text)) ? [] : [{ name, text, errors: isValid.errors }];
  }

  private operations() {
    return Object.entries(this.document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [path, method, operation] as const));
  }

  /** A path that is named wins over one with a parameter in its place. */
  private operationOf(method: string, path: string): Operation | undefined {
    const matching = this.operations().filter(([template, one]) => one === method.toLowerCase() && new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
    return matching.sort(([one], [other]) => one.split('{').length - other.split('{').length)[0]?.[2];
  }
}

/** Answers may say more in later versions, so the document's objects are open; those of this version say what it names and nothing else. */
function closed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(closed);
  const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === 'examples' || name === 'example' ? inner : closed(inner)]));
  const isPlainObject = copy['type'] === 'object' && copy['properties'] !== undefined && copy['additionalProperties'] === undefined;
  return isPlainObject ? { ...copy, additionalProperties: false } : copy;
}
