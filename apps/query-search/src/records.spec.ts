import { describe, expect, it } from '@jest/globals';
import { deadLetterProblem, problem, resultType, type CommandResult } from '#contracts';
import { type IncomingRecord, readEvent, toHeaders } from '#messaging';
import { recordOf, Story } from '../testing/stories.js';
import { readResult } from './command-results.consumer.js';

const [event] = new Story().create().events;
const good = recordOf(event!);
const value = JSON.parse(good.value!.toString()) as Record<string, unknown> & { ticket: object };
const withValue = (changes: Record<string, unknown>): IncomingRecord => ({ ...good, value: Buffer.from(JSON.stringify({ ...value, ...changes })) });
const withHeaders = (changes: Record<string, string | undefined>): IncomingRecord => ({ ...good, headers: { ...good.headers, ...changes } as Record<string, string> });

describe('a record of the events topic', () => {
  it('is an event', () => expect(readEvent(good)).toEqual({ event: JSON.parse(JSON.stringify(event)) as unknown }));
  it('may say more than is known', () => expect(readEvent(withValue({ weather: 'fine' }))).toHaveProperty('event'));
  it('of an unknown type is no dead letter', () => expect(readEvent(withHeaders({ ce_type: 'ticket.sung-to.v1' }))).toEqual({ unknown: 'ticket.sung-to.v1' }));

  it.each<[string, IncomingRecord, string]>([
    ['null', { ...good, value: null }, 'not-json'],
    ['the JSON null', { ...good, value: Buffer.from('null') }, 'not-json'],
    ['not JSON', { ...good, value: Buffer.from('{') }, 'not-json'],
    ['empty', { ...good, value: Buffer.alloc(0) }, 'not-json'],
    ['too large', { ...good, value: Buffer.alloc(1_000_001, 32) }, 'oversize'],
    ['a number', { ...good, value: Buffer.from('7') }, 'schema-invalid'],
    ['without a type', withHeaders({ ce_type: undefined }), 'schema-invalid'],
    ['of a type like those of all objects', withHeaders({ ce_type: 'constructor' }), 'unknown'],
    ['without a ticket', withValue({ ticket: undefined }), 'schema-invalid'],
    ['with a version that is none', withValue({ version: 0 }), 'schema-invalid'],
    ['with a time that is none', withValue({ at: 'yesterday' }), 'schema-invalid'],
    ['with a ticket whose time is none', withValue({ ticket: { ...value.ticket, createdAt: 'x' } }), 'schema-invalid'],
    ['with another ticket inside', withValue({ ticket: { ...value.ticket, id: '0196f0a0-0000-7000-8000-00000000dead' } }), 'schema-invalid'],
    ['with another version inside', withValue({ version: 2 }), 'schema-invalid'],
    ['under another key', { ...good, key: Buffer.from('x') }, 'key-mismatch'],
    ['without a key', { ...good, key: null }, 'key-mismatch'],
    ['of another organisation than it says', withHeaders({ ce_orgid: 'globex' }), 'organisation-mismatch'],
  ])('that is %s ends as %s', (_, record, reason) => {
    const read = readEvent(record);
    expect('dead' in read ? read.dead.reason : 'unknown' in read ? 'unknown' : 'event').toBe(reason);
  });
});

const answer: CommandResult = { commandId: 'c1', orgId: 'acme', ticketId: event!.ticketId, actor: { type: 'member', id: 'ada', name: 'Ada' }, payloadHash: 'h', outcome: 'applied', version: 2 };
const resultRecord = (result: unknown, overrides: Partial<IncomingRecord> = {}): IncomingRecord => ({
  ...good,
  key: Buffer.from('c1'),
  value: Buffer.from(JSON.stringify(result)),
  headers: toHeaders({ id: 'c1', type: resultType, source: '/', subject: event!.ticketId, time: event!.at, orgId: 'acme' }),
  ...overrides,
});

describe('a record of the results topic', () => {
  it('is the answer to a command', () => {
    const stored = { _id: 'acme/c1', actor: 'member:ada', state: 'applied', ticketId: event!.ticketId, version: 2, at: new Date(Number(good.timestamp)) };
    expect(readResult(resultRecord(answer))).toEqual(stored);
  });

  it('with a no keeps the problem', () => {
    const no = problem('version-conflict', 'The ticket is at version 3.', { current: 3 });
    expect(readResult(resultRecord({ ...answer, outcome: 'rejected', version: undefined, problem: no }))).toMatchObject({ state: 'rejected', problem: JSON.stringify(no) });
  });

  it('about a command that was set aside says failed', () =>
    expect(readResult(resultRecord({ ...answer, outcome: 'rejected', problem: deadLetterProblem('schema-invalid', 'data: missing') }))).toMatchObject({ state: 'failed' }));

  it('of an unknown type is nothing', () => expect(readResult(resultRecord(answer, { headers: { ce_type: 'x' } }))).toBeUndefined());

  it.each<[string, IncomingRecord, string]>([
    ['null', resultRecord(answer, { value: null }), 'not-json'],
    ['broken', resultRecord({ ...answer, outcome: 'maybe' }), 'schema-invalid'],
    ['under another key', resultRecord(answer, { key: Buffer.from('c2') }), 'key-mismatch'],
    ['too large', resultRecord(answer, { value: Buffer.alloc(1_000_001) }), 'oversize'],
  ])('that is %s ends as %s', (_, record, reason) => expect(readResult(record)).toMatchObject({ reason }));
});
