import { maxJsonDepth } from './text.js';

/** Keys that would reach a prototype where an object is put together carelessly: no door takes them, in no depth. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** JSON that no door takes, whatever its schema says. */
export class UnwelcomeJson extends Error {}

/**
 * One text for all ways to write the same JSON: keys sorted, no white space. Looks at every key and depth on the way.
 * @param depth how deep it may be nested
 * @throws UnwelcomeJson when it is nested deeper, or has a forbidden key
 */
export function canonicalJson(value: unknown, depth: number = maxJsonDepth): string {
  return textOf(value, { depth, left: depth });
}

function textOf(value: unknown, { depth, left }: { depth: number; left: number }): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (left === 0) throw new UnwelcomeJson(`is nested deeper than ${depth}`);
  const inner = { depth, left: left - 1 };
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, inner)).join(',')}]`;
  const object = value as Record<string, unknown>;
  return `{${Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(allowedKey(key))}:${textOf(object[key], inner)}`)
    .join(',')}}`;
}

function allowedKey(key: string): string {
  if (forbiddenKeys.has(key)) throw new UnwelcomeJson(`has the key ${key}, which is not allowed`);
  return key;
}
