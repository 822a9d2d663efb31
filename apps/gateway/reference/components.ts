import type { z } from 'zod';
import { jsonSchema, type Dialect, type JsonSchema } from '#contracts';

/** Collects the named shapes of a document while its parts are made. */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};
  /** Answers that many routes give. */
  readonly responses: Record<string, object> = {};
  readonly examples: Record<string, object> = {};

  /**
   * @param samples of named shapes, by name
   * @param dialect of JSON Schema that the document's format knows
   */
  constructor(
    private readonly samples: Readonly<Record<string, unknown>> = {},
    private readonly dialect: Dialect = 'draft-2020-12',
  ) {}

  /** The schema as the document says it: named shapes by reference. */
  schema(of: z.ZodType): JsonSchema {
    const { $schema: _, $defs, definitions, ...root } = pointed(jsonSchema(of, { target: this.dialect }));
    for (const [name, shape] of Object.entries(($defs ?? definitions ?? {}) as Record<string, JsonSchema>)) this.schemas[name] ??= this.shown(name, shape);
    return root;
  }

  private shown(name: string, shape: JsonSchema): JsonSchema {
    const { id: _, ...schema } = shape;
    return { ...schema, ...(name in this.samples && { examples: [this.samples[name]] }) };
  }

  /** In the order of names, so that a new use moves no other line. */
  sorted() {
    return { schemas: sorted(this.schemas), responses: sorted(this.responses), examples: sorted(this.examples) };
  }
}

/** The same members in the order of their names. */
const sorted = <T>(members: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(members).sort(([one], [other]) => (one < other ? -1 : 1)));

const pointed = (schema: JsonSchema) => JSON.parse(JSON.stringify(schema).replaceAll(/"#\/(?:\$defs|definitions)\//g, '"#/components/schemas/')) as JsonSchema;
