import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { goldens } from '../testing/golden.js';
import * as contracts from './index.js';
import { bodies, CountsQuery, ExportQuery, jsonSchemaOf, ListQuery, messageValue, PageQuery, TicketIdOrNumber, TicketQuery, TimelineQuery, type MessageType } from './index.js';

const types = Object.keys(messageValue) as MessageType[];
const golden = (file: string) => structuredClone(goldens.find((one) => one.file === file)!.value) as { data: Record<string, unknown> } & Record<string, unknown>;
const validates = (type: MessageType, value: unknown) => new Ajv2020({ validateFormats: false, allowUnionTypes: true }).validate(jsonSchemaOf(type), value);

describe('JSON Schema', () => {
  it.each(types)('of %s can be made of what is on the wire and of what is read', (type) => {
    for (const io of ['input', 'output'] as const) {
      expect(jsonSchemaOf(type, io)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `/schemas/${type}.json`, title: type });
    }
  });

  it.each(Object.entries({ ...bodies, ListQuery, CountsQuery, ExportQuery, TicketQuery, PageQuery, TimelineQuery, TicketIdOrNumber }))('can be made of what doors read: %s', (_, schema) => {
    for (const io of ['input', 'output'] as const) expect(z.toJSONSchema(schema, { io })).toBeDefined();
  });

  it('can be made of every schema that the front door shows', () => {
    const isSchema = (value: unknown): value is z.ZodType => value instanceof z.ZodType;
    const failing = Object.entries(contracts).filter(([, value]) => isSchema(value) && !converts(value));
    expect(failing.map(([name]) => name)).toEqual([]);
  });

  it('holds the limits of texts', () => {
    const properties = (jsonSchemaOf('ticket.create.v1') as { properties: { data: { properties: Record<string, object> } } }).properties.data.properties;
    expect(properties['title']).toMatchObject({ type: 'string', minLength: 1, maxLength: 200 });
    expect(properties['description']).toMatchObject({ type: 'string', maxLength: 50_000 });
    expect(properties['tags']).toMatchObject({ maxItems: 20, items: { minLength: 1, maxLength: 50 } });
  });

  it.each<[string, MessageType, (value: ReturnType<typeof golden>) => void]>([
    ['an unknown field', 'ticket.create.v1', (value) => (value.data['colour'] = 'red')],
    ['a title too long', 'ticket.create.v1', (value) => (value.data['title'] = 'x'.repeat(201))],
    ['a title of no letters', 'ticket.create.v1', (value) => (value.data['title'] = '')],
    ['21 tags', 'ticket.create.v1', (value) => (value.data['tags'] = Array(21).fill('a'))],
    ['an unknown status', 'ticket.change-status.v1', (value) => (value.data['to'] = 'new')],
    ['a ticket id that is none', 'ticket.delete.v1', (value) => (value['ticketId'] = 'TICKET-1')],
    ['no access', 'ticket.delete.v1', (value) => delete value['access']],
  ])('refuses what the contract refuses: %s', (_, type, spoil) => {
    const value = golden(`${type}.json`);
    expect(validates(type, value)).toBe(true);
    spoil(value);
    expect(validates(type, value)).toBe(false);
    expect(messageValue[type].safeParse(value).success).toBe(false);
  });

  it('lets events have members that are not known yet', () => {
    const value = golden('ticket.deleted.v1.json');
    value['colour'] = value.data['colour'] = 'red';
    expect(validates('ticket.deleted.v1', value)).toBe(true);
  });
});

function converts(schema: z.ZodType): boolean {
  try {
    return z.toJSONSchema(schema, { io: 'input' }) !== undefined && z.toJSONSchema(schema, { io: 'output' }) !== undefined;
  } catch {
    return false;
  }
}
