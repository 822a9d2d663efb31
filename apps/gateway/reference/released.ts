import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema } from '#contracts';
import { documentBreaches, messageBreaches, type ContractRule, type Document } from './contract-changes.js';
import type { Breach } from './schema-changes.js';

/** Where the contracts lie that somebody may rely on, below the root. */
export const releasedFolder = 'libs/contracts/released';

/** Whether a document is one that others rely on as it is; the rest is made for readers. */
export const isReleased = (path: string) => path === 'openapi.json' || path.startsWith('schemas/');

/**
 * What is incompatible between the contracts that were released and those that the schemas make now.
 * @param files the documents by their path below `docs/`
 */
export function releaseBreaches(root: string, files: ReadonlyMap<string, string>): Breach<ContractRule>[] {
  const read = (path: string) => JSON.parse(readFileSync(join(root, releasedFolder, path), 'utf8')) as unknown;
  const types = readdirSync(join(root, releasedFolder, 'schemas')).map((file) => file.slice(0, -'.json'.length));
  const released = Object.fromEntries(types.map((type) => [type, read(`schemas/${type}.json`) as JsonSchema]));
  const current = Object.fromEntries(types.flatMap((type) => (files.has(`schemas/${type}.json`) ? [[type, JSON.parse(files.get(`schemas/${type}.json`)!) as JsonSchema]] : [])));
  return [...messageBreaches(released, current), ...documentBreaches(read('openapi.json') as Document, JSON.parse(files.get('openapi.json')!) as Document)];
}
