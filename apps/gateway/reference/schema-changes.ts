import type { JsonSchema } from '#contracts';

/**
 * `read`: others write it and we read it, as requests and commands; what was right must stay right. `written`: we write it and others read it, as answers
 * and events; what they were told to expect must stay all there is.
 */
export type Direction = 'read' | 'written';

export type Rule =
  | 'member-removed'
  | 'member-newly-required'
  | 'member-no-longer-required'
  | 'value-removed'
  | 'value-added'
  | 'type-narrowed'
  | 'type-widened'
  | 'limit-tightened'
  | 'limit-loosened'
  | 'object-closed'
  | 'object-opened';

/** A change that somebody who kept to the released schema would trip over. */
export interface Breach<R extends string = Rule> {
  rule: R;
  /** JSON pointer into values: `*` is any item or member. */
  at: string;
}

/** A schema and the document that its references lead into. */
export interface Rooted {
  schema: JsonSchema;
  root: unknown;
}

/** What each flaw of coverage is called in either direction. */
const names = {
  required: { read: 'member-newly-required', written: 'member-no-longer-required' },
  value: { read: 'value-removed', written: 'value-added' },
  type: { read: 'type-narrowed', written: 'type-widened' },
  limit: { read: 'limit-tightened', written: 'limit-loosened' },
  closed: { read: 'object-closed', written: 'object-opened' },
} as const satisfies Record<string, Record<Direction, Rule>>;

/** Everything about a change from `released` to `current` that is not compatible; empty for a change that nobody notices. */
export const breaches = (released: Rooted, current: Rooted, direction: Direction): Breach[] => new Comparison(released, current, direction).all();

const lower = ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties'] as const;
const upper = ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties'] as const;
const exact = ['pattern', 'format', 'multipleOf', 'uniqueItems'] as const;

/**
 * One schema must cover the other: current what was right to send, released what we say now. So one walk serves both directions, with the roles
 * exchanged.
 */
class Comparison {
  private readonly open = new Set<string>();

  constructor(
    private readonly released: Rooted,
    private readonly current: Rooted,
    private readonly direction: Direction,
  ) {}

  all(): Breach[] {
    const { released, current } = this;
    return this.direction === 'read' ? this.uncovered(current.schema, released.schema, '') : this.uncovered(released.schema, current.schema, '');
  }

  private get roots() {
    const [released, current] = [this.released.root, this.current.root];
    return this.direction === 'read' ? { wider: current, narrower: released } : { wider: released, narrower: current };
  }

  /** What `narrower` allows and `wider` does not. */
  private uncovered(wider: JsonSchema, narrower: JsonSchema, at: string): Breach[] {
    const pair = `${wider.$ref} ${narrower.$ref} ${at.length > 200}`;
    if (wider.$ref !== undefined && narrower.$ref !== undefined) {
      if (this.open.has(pair)) return [];
      this.open.add(pair);
    }
    const targets = alternatives(wider, this.roots.wider);
    const found = alternatives(narrower, this.roots.narrower).flatMap((one) => this.flawsAmong(targets, one, at));
    if (wider.$ref !== undefined && narrower.$ref !== undefined) this.open.delete(pair);
    return distinct(found);
  }

  /** The kind that was meant is the one with the fewest flaws, of those of the same type. */
  private flawsAmong(targets: readonly JsonSchema[], narrower: JsonSchema, at: string): Breach[] {
    const kin = targets.filter((target) => isOfType(target, narrower));
    if (kin.length === 0) return [this.flaw('type', at)];
    return kin.map((target) => this.flaws(target, narrower, at)).reduce((best, one) => (one.length < best.length ? one : best));
  }

  private flaws(wider: JsonSchema, narrower: JsonSchema, at: string): Breach[] {
    const own = [...this.valueFlaws(wider, narrower, at), ...this.limitFlaws(wider, narrower, at)];
    return [...own, ...this.memberFlaws(wider, narrower, at), ...this.itemFlaws(wider, narrower, at)];
  }

  private flaw(name: keyof typeof names, at: string): Breach {
    return { rule: names[name][this.direction], at };
  }

  private valueFlaws(wider: JsonSchema, narrower: JsonSchema, at: string): Breach[] {
    const [allowed, given] = [valuesOf(wider), valuesOf(narrower)];
    if (allowed === undefined) return [];
    return given?.every((value) => allowed.includes(value)) ? [] : [this.flaw('value', at)];
  }

  private limitFlaws(wider: JsonSchema, narrower: JsonSchema, at: string): Breach[] {
    const [w, n] = [wider, narrower] as Record<string, unknown>[];
    const isBroken =
      valuesOf(narrower) === undefined &&
      (lower.some((name) => w![name] !== undefined && !(Number(n![name] ?? -Infinity) >= Number(w![name]))) ||
        upper.some((name) => w![name] !== undefined && !(Number(n![name] ?? Infinity) <= Number(w![name]))) ||
        exact.some((name) => w![name] !== undefined && n![name] !== w![name]));
    return isBroken ? [this.flaw('limit', at)] : [];
  }

  private memberFlaws(wider: JsonSchema, narrower: JsonSchema, at: string): Breach[] {
    const [w, n] = [membersOf(wider), membersOf(narrower)];
    if (typeOf(narrower) !== 'object') return [];
    const [before, after] = this.direction === 'read' ? [n, w] : [w, n];
    const removed = Object.keys(before).filter((name) => !(name in after) && !isOpenTo(this.direction === 'read' ? wider : narrower));
    const unrequired = (wider.required ?? []).filter((name) => !(narrower.required ?? []).includes(name) && !removed.includes(name));
    const unexpected = this.direction === 'written' && wider.additionalProperties === false ? Object.keys(n).filter((name) => !(name in w)) : [];
    const shared = Object.keys(w).filter((name) => name in n);
    return [
      ...removed.map((name) => ({ rule: 'member-removed' as const, at: `${at}/${name}` })),
      ...unrequired.map((name) => this.flaw('required', `${at}/${name}`)),
      ...unexpected.map((name) => this.flaw('closed', `${at}/${name}`)),
      ...shared.flatMap((name) => this.uncovered(w[name]!, n[name]!, `${at}/${name}`)),
      ...this.restFlaws(wider, narrower, at),
    ];
  }

  /** Members that no schema names. */
  private restFlaws(wider: JsonSchema, narrower: JsonSchema, at: string): Breach[] {
    const [w, n] = [wider.additionalProperties, narrower.additionalProperties];
    const names = wider.propertyNames && narrower.propertyNames ? this.uncovered(wider.propertyNames as JsonSchema, narrower.propertyNames as JsonSchema, `${at}/*`) : [];
    if (w === false && n !== false) return [this.flaw('closed', at)];
    if (typeof w === 'object' && typeof n === 'object') return [...names, ...this.uncovered(w, n, `${at}/*`)];
    return names;
  }

  private itemFlaws({ items: wider }: JsonSchema, { items: narrower }: JsonSchema, at: string): Breach[] {
    return isSchema(wider) && isSchema(narrower) ? this.uncovered(wider, narrower, `${at}/*`) : [];
  }
}

const isSchema = (items: unknown): items is JsonSchema => typeof items === 'object' && !Array.isArray(items);
const membersOf = ({ properties = {} }: JsonSchema) => properties as Record<string, JsonSchema>;
/** A record takes members of any name, so no name is missing. */
const isOpenTo = ({ additionalProperties }: JsonSchema) => typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0;
const valuesOf = (schema: JsonSchema): unknown[] | undefined => ('const' in schema ? [schema.const] : (schema.enum as unknown[] | undefined));

function typeOf(schema: JsonSchema): unknown {
  const [value] = valuesOf(schema) ?? [];
  if (schema.type !== undefined || value === undefined) return schema.type ?? (schema.properties ? 'object' : undefined);
  return value === null ? 'null' : typeof value;
}

const isOfType = (wider: JsonSchema, narrower: JsonSchema) =>
  typeOf(wider) === undefined || typeOf(wider) === typeOf(narrower) || (wider.type === 'number' && narrower.type === 'integer');

/** The kinds of value that a schema allows, references followed. */
function alternatives(schema: JsonSchema, root: unknown): JsonSchema[] {
  if (schema.$ref !== undefined) return alternatives(follow(root, schema.$ref), root);
  const { anyOf, oneOf, allOf, ...rest } = schema as JsonSchema & Record<'anyOf' | 'oneOf' | 'allOf', JsonSchema[] | undefined>;
  if (allOf) return [merged([...allOf.flatMap((one) => alternatives(one, root)), rest])];
  const options = anyOf ?? oneOf;
  if (options) return options.flatMap((one) => alternatives(one, root));
  return Array.isArray(rest.type) ? (rest.type as string[]).map((type): JsonSchema => ({ ...rest, type: type as 'string' })) : [rest];
}

const merged = (parts: readonly JsonSchema[]): JsonSchema => ({
  ...(Object.assign({}, ...parts) as JsonSchema),
  properties: Object.assign({}, ...parts.map(membersOf)) as Record<string, JsonSchema>,
  required: parts.flatMap(({ required = [] }) => required),
});

/** What a local reference leads to. */
export const follow = (root: unknown, pointer: string): JsonSchema =>
  pointer
    .slice(2)
    .split('/')
    .reduce((value, part) => (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')], root) as JsonSchema;

const distinct = (found: readonly Breach[]) => [...new Map(found.map((one) => [`${one.rule} ${one.at}`, one])).values()];
