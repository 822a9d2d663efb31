import { describe, expect, it } from '@jest/globals';
import { maxCommandBytes, type CommandValue } from '#contracts';
import type { IncomingRecord } from '#messaging';
import { commandId, commandOf, ticketId } from '../../../libs/contracts/testing/builders.js';
import { recordOf } from '../testing/instance.js';
import { readCommands } from './command-record.js';

const create = commandOf('ticket.create.v1', { title: 'Printer on fire' });
const toolCall = (args: unknown) => commandOf('ticket.record-tool-call.v1', { tool: 't', status: 'ok', arguments: args as never });
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const valueOf = (changes: Partial<CommandValue> | Record<string, unknown>) => {
  const { type: _, commandId: __, ...value } = create;
  return Buffer.from(JSON.stringify({ ...value, ...changes }));
};
const withData = (json: string) => Buffer.from(valueOf({ data: 'DATA' }).toString().replace('"DATA"', json));

const reasonOf = (record: IncomingRecord) => readCommands([record]).dead.map(({ reason }) => reason)[0];

describe('records of the command topic', () => {
  it('a well-formed one is a command with its source', () => {
    const record = recordOf(create, { partition: 7, offset: '12' });
    expect(readCommands([record])).toEqual({
      dead: [],
      received: [{ record, command: create, source: { topic: 'ticket.commands.v1', partition: 7, offset: '12' }, sentAt: Date.parse('2026-01-01T12:00:00Z'), traceparent: undefined }],
    });
  });

  it('bad ones are set aside, the others keep their order', () => {
    const records = [recordOf(create, { offset: '1' }), recordOf(create, { offset: '2', value: null }), recordOf(create, { offset: '3' })];
    const { received, dead } = readCommands(records);
    expect(received.map(({ source }) => source.offset)).toEqual(['1', '3']);
    expect(dead).toEqual([{ record: records[1], reason: 'not-json', detail: 'the value is null' }]);
  });

  it.each<[string, Parameters<typeof recordOf>[1], string]>([
    ['without a value', { value: null }, 'not-json'],
    ['with an empty value', { value: Buffer.alloc(0) }, 'not-json'],
    ['that is not JSON', { value: Buffer.from('{"orgId":') }, 'not-json'],
    ['that is not UTF-8', { value: Buffer.from([...valueOf({}).subarray(0, -2), 0xff, 0x22, 0x7d]) }, 'not-json'],
    ['that begins with a byte order mark', { value: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), valueOf({})]) }, 'not-json'],
    ['of more than 512 KiB', { value: Buffer.concat([valueOf({}), Buffer.alloc(maxCommandBytes, ' ')]) }, 'oversize'],
    ['of no type', { headers: { ce_type: undefined } }, 'unknown-type'],
    ['of a type that we do not know', { headers: { ce_type: 'ticket.explode.v1' } }, 'unknown-type'],
    ['of a version that we do not know', { headers: { ce_type: 'ticket.create.v2' } }, 'unknown-type'],
    ['of a type that is a name of every object', { headers: { ce_type: 'constructor' } }, 'unknown-type'],
    ['of an event’s type', { headers: { ce_type: 'ticket.created.v1' } }, 'unknown-type'],
    ['without an id', { headers: { ce_id: undefined } }, 'schema-invalid'],
    ['with an empty id', { headers: { ce_id: '' } }, 'schema-invalid'],
    ['with an id of 301 characters', { headers: { ce_id: 'x'.repeat(301) } }, 'schema-invalid'],
    ['with U+0000 in its id', { headers: { ce_id: 'a\u0000b' } }, 'schema-invalid'],
    ['of another version of CloudEvents', { headers: { ce_specversion: '0.3' } }, 'schema-invalid'],
    ['with a ce_time that is none', { headers: { ce_time: 'yesterday' } }, 'schema-invalid'],
    ['with a ce_time that is a number', { headers: { ce_time: '5' } }, 'schema-invalid'],
    ['that is JSON but no object', { value: Buffer.from('[]') }, 'schema-invalid'],
    ['that is JSON null', { value: Buffer.from('null') }, 'schema-invalid'],
    ['with a field that we do not know', { value: valueOf({ colour: 'red' }) }, 'schema-invalid'],
    ['with a field of data that we do not know', { value: valueOf({ data: { title: 'T', colour: 'red' } }) }, 'schema-invalid'],
    ['without access', { value: valueOf({ access: undefined }) }, 'schema-invalid'],
    ['without data', { value: valueOf({ data: undefined }) }, 'schema-invalid'],
    ['of a ticket id that is none', { value: valueOf({ ticketId: 'TICKET-1' }), key: Buffer.from('TICKET-1') }, 'schema-invalid'],
    ['of an organisation id with a slash', { value: valueOf({ orgId: 'a/b' }), headers: { ce_orgid: 'a/b' } }, 'schema-invalid'],
    ['without a key', { key: null }, 'key-mismatch'],
    ['with another key', { key: Buffer.from('0196f0a0-0000-7000-8000-000000000002') }, 'key-mismatch'],
    ['with its key in capitals', { key: Buffer.from(ticketId.toUpperCase()) }, 'key-mismatch'],
    ['with another subject', { headers: { ce_subject: '0196f0a0-0000-7000-8000-000000000002' } }, 'key-mismatch'],
    ['of another organisation than its header says', { headers: { ce_orgid: 'globex' } }, 'organisation-mismatch'],
  ])('one %s is a dead letter', (_, changes, reason) => expect(reasonOf(recordOf(create, changes))).toBe(reason));

  it('says what is wrong where, also of the value as a whole', () => {
    const detailOf = (changes: object) => readCommands([recordOf(create, { value: valueOf(changes as Record<string, unknown>) })]).dead[0]?.detail;
    expect(detailOf({ colour: 'red' })).toMatch(/^the value: .*"colour"/);
    expect(detailOf({ data: { title: 5 } })).toMatch(/^data\.title: /);
  });

  it.each<[string, string, string | undefined]>([
    ['a lone surrogate in the title', '{"title":"\\ud800"}', 'schema-invalid'],
    ['U+0000 in the title', '{"title":"a\\u0000b"}', 'schema-invalid'],
    ['a pair of surrogates', '{"title":"\\ud83d\\udd25"}', undefined],
    ['a custom field called __proto__', '{"title":"T","customFields":{"__proto__":"x"}}', 'schema-invalid'],
    ['a custom field called constructor', '{"title":"T","customFields":{"constructor":"x"}}', 'schema-invalid'],
    ['a field called __proto__', '{"title":"T","__proto__":{"priority":"urgent"}}', 'schema-invalid'],
    ['a number beyond all numbers', '{"title":"T","customFields":{"n":1e999}}', 'schema-invalid'],
    ['a title of white space', '{"title":" "}', 'schema-invalid'],
    ['a title of 200 emoji', `{"title":"${'🔥'.repeat(200)}"}`, undefined],
    ['a title of 201 emoji', `{"title":"${'🔥'.repeat(201)}"}`, 'schema-invalid'],
  ])('%s', (_, data, reason) => expect(reasonOf(recordOf(create, { value: withData(data) }))).toBe(reason));

  it.each<[string, string, string | undefined]>([
    ['a lone surrogate in an argument', '{"a":["\\udc00"]}', 'schema-invalid'],
    ['a lone surrogate in an argument’s name', '{"\\ud800":1}', 'schema-invalid'],
    ['U+0000 in an argument', '{"a":{"b":"\\u0000"}}', 'schema-invalid'],
    ['an argument called prototype', '{"a":{"prototype":1}}', 'schema-invalid'],
    ['a request nested 32 deep', `{"a":${nested(30)}}`, undefined],
    ['a request nested 33 deep', `{"a":${nested(31)}}`, 'schema-invalid'],
    ['a request nested 20,000 deep', `{"a":${nested(20_000)}}`, 'schema-invalid'],
  ])('%s', (_, args, reason) => {
    const json = recordOf(toolCall('ARGS')).value!.toString().replace('"ARGS"', args);
    expect(reasonOf(recordOf(toolCall({}), { value: Buffer.from(json) }))).toBe(reason);
  });

  it('20,000 deep where no nesting is expected is a dead letter too', () =>
    expect(reasonOf(recordOf(create, { value: withData(`{"title":${nested(20_000)}}`) }))).toBe('schema-invalid'));

  it('half a megabyte of empty arrays takes no longer than it must', () => {
    const began = process.cpuUsage();
    expect(reasonOf(recordOf(create, { value: withData(`{"title":[${'[],'.repeat(150_000)}[]]}`) }))).toBe('schema-invalid');
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });

  it('one that says when it happened is a dead letter, unless the past is allowed', () => {
    const record = recordOf(create, { value: valueOf({ at: '2025-03-01T10:00:00+02:00' }) });
    expect(readCommands([record]).dead).toMatchObject([{ reason: 'schema-invalid', detail: expect.stringContaining('ALLOW_PAST_COMMANDS') }]);
    expect(readCommands([record], { allowPast: true }).received[0]?.command.at).toBe('2025-03-01T08:00:00.000Z');
  });

  it('a time that is none is a dead letter even then', () =>
    expect(readCommands([recordOf(create, { value: valueOf({ at: 'yesterday' }) })], { allowPast: true }).dead).toMatchObject([{ reason: 'schema-invalid' }]));

  it('reads ids in any case as one', () => {
    const record = recordOf(create, { value: valueOf({ ticketId: ticketId.toUpperCase() }) });
    expect(readCommands([record]).received[0]?.command.ticketId).toBe(ticketId);
  });

  it('passes a well-formed trace on and drops any other', () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(readCommands([recordOf(create, { headers: { traceparent: trace } })]).received[0]?.traceparent).toBe(trace);
    for (const bad of ['x', trace.toUpperCase(), `${trace}0`, 'x'.repeat(600_000)]) {
      expect(readCommands([recordOf(create, { headers: { traceparent: bad } })]).received[0]).toMatchObject({ traceparent: undefined, command: { commandId } });
    }
  });

  it('takes the record’s time where no ce_time is given', () =>
    expect(readCommands([recordOf(create, { headers: { ce_time: undefined } })]).received[0]?.sentAt).toBe(1_767_268_800_000));

  it('keeps what it says of a wrong value short', () => {
    const data = { title: 'T', tags: Array.from({ length: 10_000 }, () => 7) };
    expect(readCommands([recordOf(create, { value: valueOf({ data }) })]).dead[0]?.detail.length).toBeLessThan(2_000);
  });
});
