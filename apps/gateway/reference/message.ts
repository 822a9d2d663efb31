import type { JsonSchema } from '#contracts';

/** A message of the document. */
export interface Message {
  name: string;
  title: string;
  summary: string;
  contentType?: string;
  headers: JsonSchema;
  payload: JsonSchema;
  bindings?: { kafka: { key: { type: 'string'; description: string }; bindingVersion: string } };
  examples?: { name: string; payload: unknown }[];
}
