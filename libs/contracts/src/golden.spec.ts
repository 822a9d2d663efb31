import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { goldens, goldenValue, type GoldenType } from '../testing/golden.js';
import { jsonSchemaOf, messageValue } from './index.js';

const types = Object.keys(goldenValue) as GoldenType[];
const schemas = new Ajv2020({ strict: true, allErrors: true, validateFormats: false, allowUnionTypes: true });

interface ObjectSchema {
  properties?: Record<string, ObjectSchema>;
}
/** Members of the value and of its data, as far as the schema names them. */
const fieldsOf = ({ properties = {} }: ObjectSchema) => [...Object.keys(properties), ...Object.keys(properties['data']?.properties ?? {}).map((field) => `data.${field}`)];

const shown = (value: unknown) => {
  const { data, ...others } = value as { data?: object };
  return [...Object.keys(others), ...(data === undefined ? [] : ['data', ...Object.keys(data).map((field) => `data.${field}`)])];
};

/** What a type may hold and no sample shows, with the reason. */
const unseen: Partial<Record<GoldenType, string[]>> = {
  // One of them is enough: every other message has the same.
  ...Object.fromEntries(types.map((type) => [type, ['onBehalfOf', 'expectedVersion', 'origin', 'at']])),
  // They mark refusals, so they go with no accepted command.
  'ticket.create.v1': ['data.unknownAssignee', 'data.unknownAssistant', 'expectedVersion', 'at'],
  'ticket.assign.v1': ['data.unknownAssignee', 'onBehalfOf', 'expectedVersion', 'origin', 'at'],
  'ticket.update-details.v1': ['data.unknownAssistant', 'onBehalfOf', 'expectedVersion', 'origin', 'at'],
  'ticket.created.v1': [],
  'ticket.command-result.v1': [],
};

describe('golden samples', () => {
  it.each(types)('there is one of %s', (type) => expect(goldens.map((golden) => golden.type)).toContain(type));

  it.each(goldens)('$file is read as it was written', ({ type, value }) => expect(goldenValue[type].parse(value)).toStrictEqual(value));

  it.each(goldens)('$file is valid by the JSON Schema of its type', ({ type, value }) => {
    const isValid = schemas.compile({ ...jsonSchemaOf(type), $id: undefined });
    expect(isValid(value) ? [] : isValid.errors).toEqual([]);
  });

  it.each(types)('those of %s show every member it may have', (type) => {
    const seen = new Set(goldens.filter((golden) => golden.type === type).flatMap(({ value }) => shown(value)));
    const missing = fieldsOf(jsonSchemaOf(type) as ObjectSchema).filter((field) => !seen.has(field));
    expect(missing.filter((field) => !(unseen[type] ?? []).includes(field))).toEqual([]);
  });
});

describe('reading across versions', () => {
  const { value } = goldens.find(({ file }) => file === 'ticket.created.v1.json')!;
  const event = value as { data: object; ticket: object };

  it('an event with members that we do not know yet is read', () => {
    const newer = { ...event, colour: 'red', data: { ...event.data, mood: 'hot' }, ticket: { ...event.ticket, place: { floor: 3 } } };
    expect(messageValue['ticket.created.v1'].parse(newer)).toStrictEqual(value);
  });

  it('a command with members that we do not know is not', () => {
    const command = goldens.find(({ file }) => file === 'ticket.create.v1.json')!.value as { data: object; actor: object; access: object };
    const read = (changed: object) => messageValue['ticket.create.v1'].safeParse(changed).success;
    expect(read(command)).toBe(true);
    for (const part of ['data', 'actor', 'access'] as const) expect(read({ ...command, [part]: { ...command[part], colour: 'red' } })).toBe(false);
    expect(read({ ...command, colour: 'red' })).toBe(false);
  });
});
