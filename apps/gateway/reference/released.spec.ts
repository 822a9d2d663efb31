import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonSchema } from '#contracts';
import { documentBreaches, messageBreaches, type ContractRule, type Document } from './contract-changes.js';
import { documents } from './documents.js';
import { releaseBreaches, releasedFolder } from './released.js';

const root = process.cwd();
const violations = join(root, 'test/architecture/violations/contracts');

/** A change of a released contract that must not happen: of a message, or of the OpenAPI document by paths into it. */
interface BadChange {
  message?: string;
  set?: Record<string, unknown>;
  remove?: string[];
}

let files: Map<string, string>;
beforeAll(async () => void (files = await documents(root)));

describe('released contracts', () => {
  it('are kept: what others rely on stays as it was; a break is a new version beside the old one', () => expect(releaseBreaches(root, files)).toEqual([]));
});

/** Every rule has a bad example in `test/architecture/violations/contracts`, named after it, that breaks what was released. */
describe('the gate', () => {
  const bad = readdirSync(violations).map((file) => [file.slice(0, -'.json'.length) as ContractRule, JSON.parse(readFileSync(join(violations, file), 'utf8')) as BadChange] as const);

  it.each(bad)('is red at %s', (rule, change) => {
    const found = breachesOf(change);
    expect(new Set(found)).toEqual(new Set([rule]));
  });

  it('has a bad example of every rule', () => {
    const rules: Record<ContractRule, true> = {
      'member-removed': true,
      'member-newly-required': true,
      'member-no-longer-required': true,
      'value-removed': true,
      'value-added': true,
      'type-narrowed': true,
      'type-widened': true,
      'limit-tightened': true,
      'limit-loosened': true,
      'object-closed': true,
      'object-opened': true,
      'message-removed': true,
      'operation-removed': true,
      'answer-removed': true,
      'answer-added': true,
      'header-removed': true,
      'media-type-removed': true,
      'right-newly-needed': true,
    };
    expect(bad.map(([rule]) => rule).sort()).toEqual((Object.keys(rules) as ContractRule[]).sort());
  });
});

function breachesOf({ message, ...change }: BadChange): ContractRule[] {
  const released = JSON.parse(readFileSync(join(root, releasedFolder, message === undefined ? 'openapi.json' : `schemas/${message}.json`), 'utf8')) as object;
  const current = changed(released, change);
  const found =
    message === undefined
      ? documentBreaches(released as Document, current as Document)
      : messageBreaches({ [message]: released as JsonSchema }, current === undefined ? {} : { [message]: current as JsonSchema });
  return found.map(({ rule }) => rule);
}

/** A copy with members set and removed by JSON pointer; the empty pointer removes all. */
function changed(document: object, { set = {}, remove = [] }: BadChange): object | undefined {
  if (remove.includes('')) return undefined;
  const copy = structuredClone(document);
  for (const [pointer, value] of Object.entries(set)) put(copy, pointer, value);
  for (const pointer of remove) put(copy, pointer, undefined);
  return JSON.parse(JSON.stringify(copy)) as object;
}

function put(document: object, pointer: string, value: unknown) {
  const path = pointer.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = path.pop()!;
  const holder = path.reduce((inner, part) => (inner as Record<string, unknown>)[part], document as unknown) as Record<string, unknown>;
  if (Array.isArray(holder) && value === undefined) holder.splice(Number(last), 1);
  else holder[last] = value;
}
