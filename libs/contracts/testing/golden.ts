import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { messageValue, outsideValue, type EventType, type MessageType } from '#contracts';

const folder = new URL('../golden/', import.meta.url);

/** What is read again: messages of our own topics, and what outside systems are told of events. */
export type GoldenType = MessageType | `outbound.${EventType}`;

/** By type. */
export const goldenValue = { ...messageValue, ...Object.fromEntries(Object.entries(outsideValue).filter(([type]) => type.startsWith('outbound.'))) } as Readonly<Record<GoldenType, z.ZodType>>;

export interface Golden {
  file: string;
  type: GoldenType;
  value: unknown;
}

/** Values as they were once written to topics. Files are added, never edited: `<type>.json`, and `<type>.<what is special>.json`. */
export const goldens: readonly Golden[] = readdirSync(fileURLToPath(folder)).map((file) => ({
  file,
  type: typeOf(file),
  value: JSON.parse(readFileSync(fileURLToPath(new URL(file, folder)), 'utf8')) as unknown,
}));

function typeOf(file: string): GoldenType {
  const type = /^(.+\.v\d+)(\.[a-z-]+)?\.json$/.exec(file)?.[1];
  if (type === undefined || !Object.hasOwn(goldenValue, type)) throw new Error(`${file} is named after no type of message`);
  return type as GoldenType;
}
