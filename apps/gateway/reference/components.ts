import type { z } from 'zod';
import { jsonSchema, type JsonSchema } from '#contracts';

/** Collects the named shapes of a document while its parts are made. */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};

  /** @param examples of named shapes, by name */
  constructor(private readonly examples: Readonly<Record<string, unknown>> = {}) {}

  /** The schema as the document says it: named shapes by reference. */
  schema(of: z.ZodType): JsonSchema {
    const { $schema: _, $defs = {}, ...root } = pointed(jsonSchema(of));
    for (const [name, shape] of Object.entries($defs as Record<string, JsonSchema>)) this.schemas[name] ??= this.shown(name, shape);
    return root;
  }

  private shown(name: string, shape: JsonSchema): JsonSchema {
    const { id: _, ...schema } = shape;
    return { ...schema, ...(name in this.examples && { examples: [this.examples[name]] }) };
  }

  /** In the order of names, so that a new use changes no other line. */
  sorted(): Record<string, JsonSchema> {
    return sorted(this.schemas);
  }
}

/** The same members in the order of their names. */
export const sorted = <T>(members: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(members).sort(([one], [other]) => (one < other ? -1 : 1)));

const pointed = (schema: JsonSchema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
