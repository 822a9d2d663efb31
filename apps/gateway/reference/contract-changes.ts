import { isCommandType, type JsonSchema } from '#contracts';
import { breaches, follow, type Breach, type Direction, type Rooted, type Rule } from './schema-changes.js';

export type ContractRule = Rule | 'message-removed' | 'operation-removed' | 'answer-removed' | 'answer-added' | 'header-removed' | 'media-type-removed' | 'right-newly-needed';

interface Media {
  schema?: JsonSchema;
}
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: JsonSchema;
}
interface Answer {
  content?: Record<string, Media>;
  headers?: Record<string, unknown>;
}
interface Operation {
  parameters: (Parameter & { $ref?: string })[];
  security: Record<string, string[]>[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, Answer & { $ref?: string }>;
}
/** An OpenAPI document, as far as changes of it are looked at. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
}

type Found = Breach<ContractRule>;

/**
 * How a message goes: commands are read by us, those of outside systems, too. Events, results and entries are read by others and stay on their topics: what we wrote once we must read
 * for ever, too.
 */
const directions = (type: string): Direction[] => (isCommandType(type.replace(/^inbound\./, '')) ? ['read'] : ['read', 'written']);

/** What is incompatible between the schemas of messages that were released and those there are, by `ce_type`. */
export const messageBreaches = (released: Readonly<Record<string, JsonSchema>>, current: Readonly<Record<string, JsonSchema>>): Found[] =>
  Object.entries(released).flatMap(([type, before]): Found[] => {
    const now = current[type];
    if (now === undefined) return [{ rule: 'message-removed', at: type }];
    const [was, is] = [before, now].map((schema) => ({ schema, root: schema })) as [Rooted, Rooted];
    return directions(type).flatMap((direction) => breaches(was, is, direction).map(({ rule, at }) => ({ rule, at: `${type} ${at}` })));
  });

/** What is incompatible between the OpenAPI document that was released and the one there is. Errors may come to be new ones, but keep their shapes. */
export function documentBreaches(released: Document, current: Document): Found[] {
  const operations = Object.entries(released.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => [path, method] as const));
  const found = operations.flatMap(([path, method]) => {
    const [before, now] = [released.paths[path]![method]!, current.paths[path]?.[method]];
    if (now === undefined) return [{ rule: 'operation-removed' as const, at: `${method} ${path}` }];
    return new OperationChange({ document: released, operation: before }, { document: current, operation: now }).all().map(({ rule, at }) => ({ rule, at: `${method} ${path} ${at}` }));
  });
  const problems = Object.keys(released.components.schemas).filter((name) => /Problem(Answer)?$/.test(name) && name in current.components.schemas);
  const shape = (root: Document, name: string) => ({ schema: root.components.schemas[name]!, root });
  return [...found, ...problems.flatMap((name) => breaches(shape(released, name), shape(current, name), 'written').map(({ rule, at }) => ({ rule, at: `${name} ${at}` })))];
}

interface Side {
  document: Document;
  operation: Operation;
}

class OperationChange {
  constructor(
    private readonly before: Side,
    private readonly now: Side,
  ) {}

  all(): Found[] {
    return [...this.parameters(), ...this.body(), ...this.answers(), ...this.rights()];
  }

  private compared(released: JsonSchema, current: JsonSchema, { direction, at }: { direction: Direction; at: string }): Found[] {
    const found = breaches({ schema: released, root: this.before.document }, { schema: current, root: this.now.document }, direction);
    return found.map((one) => ({ rule: one.rule, at: at + one.at }));
  }

  private parameters(): Found[] {
    const [before, now] = [parametersOf(this.before), parametersOf(this.now)];
    const kept = [...before].flatMap(([key, old]) => {
      const parameter = now.get(key);
      if (parameter === undefined) return [{ rule: 'member-removed' as const, at: key }];
      return this.compared(old.schema, parameter.schema, { direction: 'read', at: key });
    });
    const needed = [...now].filter(([key, { required }]) => required === true && before.get(key)?.required !== true);
    return [...kept, ...needed.map(([key]) => ({ rule: 'member-newly-required' as const, at: key }))];
  }

  private body(): Found[] {
    const [before, now] = [this.before.operation.requestBody, this.now.operation.requestBody];
    if (now?.required === true && before?.required !== true) return [{ rule: 'member-newly-required', at: 'body' }];
    if (before === undefined) return [];
    if (now === undefined) return [{ rule: 'member-removed', at: 'body' }];
    return this.contents(before.content, now.content, { direction: 'read', at: 'body' });
  }

  private contents(before: Record<string, Media>, now: Record<string, Media>, place: { direction: Direction; at: string }): Found[] {
    return Object.entries(before).flatMap(([type, { schema = {} }]) => {
      const media = now[type];
      if (media === undefined) return [{ rule: 'media-type-removed' as const, at: `${place.at} ${type}` }];
      return this.compared(schema, media.schema ?? {}, place);
    });
  }

  private answers(): Found[] {
    const [before, now] = [goodAnswers(this.before), goodAnswers(this.now)];
    const removed = Object.keys(before).filter((status) => !(status in now));
    const added = Object.keys(now).filter((status) => !(status in before));
    return [
      ...removed.map((at) => ({ rule: 'answer-removed' as const, at })),
      ...added.map((at) => ({ rule: 'answer-added' as const, at })),
      ...Object.keys(before).filter((status) => status in now).flatMap((status) => this.answer(status, before[status]!, now[status]!)),
    ];
  }

  private answer(at: string, before: Answer, now: Answer): Found[] {
    const headers = Object.keys(before.headers ?? {}).filter((name) => !(name in (now.headers ?? {})));
    return [...headers.map((name) => ({ rule: 'header-removed' as const, at: `${at} ${name}` })), ...this.contents(before.content ?? {}, now.content ?? {}, { direction: 'written', at })];
  }

  /** Whoever might ask may ask still, with no more rights. */
  private rights(): Found[] {
    const now = this.now.operation.security;
    const isKept = (before: Record<string, string[]>) => now.some((one) => Object.entries(one).every(([scheme, rights]) => scheme in before && rights.every((right) => before[scheme]!.includes(right))));
    const isOpen = now.length === 0;
    const wasOpen = this.before.operation.security.length === 0;
    if (isOpen || (!wasOpen && this.before.operation.security.every(isKept))) return [];
    return [{ rule: 'right-newly-needed', at: 'security' }];
  }
}

const parametersOf = ({ document, operation }: Side) =>
  new Map(
    operation.parameters
      .map((one) => (one.$ref === undefined ? one : (follow(document, one.$ref) as unknown as Parameter)))
      .map((parameter) => [`${parameter.in} ${parameter.name}`, parameter] as const),
  );

const goodAnswers = ({ operation }: Side): Record<string, Answer> => Object.fromEntries(Object.entries(operation.responses).filter(([status]) => Number(status) < 400));
