import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { DeadLetterHeaders, EnvelopeHeaders, inboundResultsTopic, inboundTopic, outboundTopic } from '#contracts';
import { readTopics, toHeaders } from '#messaging';
import { documents } from './documents.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- documents are looked at as their readers see them */

const root = process.cwd();
const require = createRequire(import.meta.url);
const formats = addFormats as unknown as typeof addFormats.default;
let files: Map<string, string>;
let openapi: any;
let asyncapi: any;

beforeAll(async () => {
  files = await documents(root);
  openapi = JSON.parse(files.get('openapi.json')!);
  asyncapi = JSON.parse(files.get('asyncapi.json')!);
});

describe('the files in docs/', () => {
  it('are what the schemas say: run "npm run contracts" after a change', () => {
    const written = new Map([...files.keys()].map((path) => [path, readFileSync(join(root, 'docs', path), 'utf8')]));
    expect([...written].filter(([path, content]) => files.get(path) !== content).map(([path]) => path)).toEqual([]);
  });

  it('are all there is', () =>
    expect(readdirSync(join(root, 'docs/schemas')).sort().map((name) => `schemas/${name}`)).toEqual([...files.keys()].filter((path) => path.startsWith('schemas/')).sort()));
});

describe('openapi.json', () => {
  it('is OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(openapi))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('leads nowhere', () => expect(danglingIn(openapi)).toEqual([]));

  it('uses everything that it has', () => {
    const used = new Set(pointersIn(openapi));
    const parts = ['schemas', 'responses', 'examples', 'parameters'].flatMap((kind) => Object.keys(openapi.components[kind]).map((name) => `#/components/${kind}/${name}`));
    expect(parts.filter((pointer) => !used.has(pointer))).toEqual([]);
  });

  it('has one name for each operation, and words for all', () => {
    const operations: any[] = Object.values(openapi.paths).flatMap((path: any) => Object.values(path));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { summary, tags } of operations) expect([summary, tags]).toEqual([expect.any(String), [expect.any(String)]]);
  });

  it('has examples that are valid', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats(ajv);
    ajv.addSchema({ ...openapi, $id: 'openapi' });
    expect(exampleErrors(ajv)).toEqual([]);
  });
});

describe('asyncapi.json', () => {
  it('is AsyncAPI 3.0', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, meta: false });
    const isValid = ajv.compile(require('@asyncapi/specs').schemas['3.0.0']);
    expect(isValid(asyncapi) ? [] : isValid.errors?.slice(0, 5)).toEqual([]);
  });

  it('leads nowhere', () => expect(danglingIn(asyncapi)).toEqual([]));

  it('has every topic that there is, and no other', async () => {
    const topics = await readTopics(join(root, 'deploy/topics.yaml'), 'production');
    const systems = [inboundTopic('{system}'), inboundResultsTopic('{system}'), outboundTopic('{system}')];
    expect(Object.values(asyncapi.channels).map(({ address }: any) => address).sort()).toEqual([...topics.map(({ name }) => name), ...systems].sort());
  });

  it('has an example of every message, valid by its own payload', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    ajv.addSchema({ ...asyncapi, $id: 'asyncapi' });
    for (const [type, { examples }] of Object.entries<any>(asyncapi.components.messages).filter(([name]) => name !== 'dead-letter')) {
      expect([type, examples.length > 0]).toEqual([type, true]);
      const isValid = ajv.compile({ $ref: `asyncapi#/components/messages/${type}/payload` });
      for (const { name, payload } of examples) expect([name, isValid(payload) ? [] : isValid.errors]).toEqual([name, []]);
    }
  });

  it('has the headers that messages are sent with', () => {
    const envelope = { id: 'c1', type: 'ticket.create.v1', source: '/gateway', subject: 't1', time: '2026-01-02T03:04:05.678Z', orgId: 'acme', traceparent: '00-aa-bb-01', attempt: 'a1' };
    expect(Object.keys(toHeaders(envelope)).sort()).toEqual(Object.keys(EnvelopeHeaders.shape).sort());
    expect(EnvelopeHeaders.parse(toHeaders(envelope))).toEqual(toHeaders(envelope));
    expect(Object.keys(DeadLetterHeaders.shape).sort()).toEqual(['attempts', 'consumer', 'detail', 'offset', 'partition', 'reason', 'time', 'topic'].map((name) => `dead_${name}`));
  });
});

const objectsIn = (value: unknown): Record<string, unknown>[] =>
  typeof value !== 'object' || value === null ? [] : [...(Array.isArray(value) ? [] : [value as Record<string, unknown>]), ...Object.values(value).flatMap(objectsIn)];

const pointersIn = (document: unknown) => objectsIn(document).flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));

const danglingIn = (document: unknown) => pointersIn(document).filter((pointer) => at(document, pointer) === undefined);

const at = (document: unknown, pointer: string) =>
  pointer
    .slice(2)
    .split('/')
    .reduce((value: any, part) => value?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], document);

/** Every example in the document, held against the schema that it stands beside. */
function exampleErrors(ajv: Ajv2020): unknown[] {
  const shapes = Object.entries<any>(openapi.components.schemas).flatMap(([name, { examples = [] }]) => examples.map((example: unknown) => [{ $ref: `openapi#/components/schemas/${name}` }, example, name]));
  const contents = objectsIn(openapi).filter((object) => 'schema' in object && ('example' in object || 'examples' in object)) as any[];
  const shown = contents.flatMap(({ schema, example, examples = {} }) =>
    [...(example === undefined ? [] : [example]), ...Object.values<any>(examples).map(({ $ref }) => at(openapi, $ref).value)].map((one) => [absolute(schema), one, JSON.stringify(one).slice(0, 100)]),
  );
  expect(shown.length).toBeGreaterThan(20);
  return [...shapes, ...shown].flatMap(([schema, example, name]) => (ajv.validate(schema, example) ? [] : [{ name, errors: ajv.errors }]));
}

const absolute = (schema: unknown) => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
