import { describe, expect, it } from '@jest/globals';
import type { IncomingRecord } from '#messaging';
import { inboundRecord } from '../../testing/inbound.js';
import { Unreadable } from '../record-value.js';
import { idOf, readInbound } from './inbound-record.js';

const create = { orgId: 'acme', externalId: 'order-1', data: { title: ' Order ', priority: 'high' } };
const reasonOf = (record: IncomingRecord) => {
  try {
    readInbound(record);
  } catch (error) {
    if (error instanceof Unreadable) return error.reason;
    throw error;
  }
  return undefined;
};
const structured = (event: object, type = 'application/cloudevents+json') => inboundRecord(event, { ce_id: undefined, ce_type: undefined, 'content-type': type });
const event = { specversion: '1.0', id: 'r-1', source: '/erp', type: 'ticket.create.v1', data: create };

describe('a record of an outside system', () => {
  it('says the same in both modes of CloudEvents', () => {
    const binary = readInbound(inboundRecord(create, { ce_orgid: 'acme', ce_subject: 'order-1', ce_time: '2026-01-02T11:59:00Z' }));
    expect(binary).toMatchObject({ type: 'ticket.create.v1', id: 'r-1', value: { orgId: 'acme', externalId: 'order-1', data: { title: 'Order', priority: 'high' } } });
    const told = { ...event, orgid: 'acme', subject: 'order-1', time: '2026-01-02T11:59:00Z', datacontenttype: 'application/json', ownextension: 7 };
    const others = [structured(told), structured(told, 'Application/CloudEvents+JSON; charset=utf-8'), structured({ ...told, data: undefined, data_base64: Buffer.from(JSON.stringify(create)).toString('base64') })];
    for (const other of others) expect({ ...readInbound(other), record: null }).toEqual({ ...binary, record: null });
  });

  it('is the same request in whatever order and white space it is written, and another one with another type, address or content', () => {
    const hashOf = (value: unknown, type = 'ticket.add-comment.v1') => readInbound(inboundRecord(value, { ce_type: type })).payloadHash;
    const comment = { orgId: 'acme', externalId: 'a', data: { kind: 'note', body: 'B' } };
    expect(hashOf('{ "data": {"body":"B", "kind":"note"},\n "externalId":"a","orgId":"acme" }')).toBe(hashOf(comment));
    const others = [{ ...comment, externalId: 'b' }, { ...comment, expectedVersion: 1 }, { ...comment, data: { kind: 'note', body: 'C' } }];
    expect(new Set([comment, ...others].map((value) => hashOf(value))).size).toBe(4);
    expect(hashOf({ orgId: 'acme', data: {} }, 'ticket.delete.v1')).not.toBe(hashOf({ orgId: 'acme', data: {} }, 'ticket.restore.v1'));
  });

  it.each([
    ['exactly an hour ahead', '2026-01-02T13:00:00.000Z', undefined],
    ['more than an hour ahead', '2026-01-02T13:00:00.001Z', 'timestamp-out-of-range'],
    ['exactly seven days old', '2025-12-26T12:00:00.000Z', undefined],
    ['older than seven days', '2025-12-26T11:59:59.999Z', 'timestamp-out-of-range'],
    ['a time of another zone', '2026-01-02T14:59:00.5+02:00', undefined],
    ['a time in small letters', '2026-01-02t11:59:00z', undefined],
    ['no time', 'yesterday', 'schema-invalid'],
    ['what JavaScript takes for a time in 2001', '5', 'schema-invalid'],
    ['a day', '2026-01-02', 'schema-invalid'],
    ['a time without its zone', '2026-01-02T12:00:00', 'schema-invalid'],
    ['a time without seconds', '2026-01-02T12:00Z', 'schema-invalid'],
    ['a time as mail has it', 'Fri, 02 Jan 2026 12:00:00 GMT', 'schema-invalid'],
    ['a day that no month has', '2025-12-32T12:00:00Z', 'schema-invalid'],
    ['a 31st of November', '2025-11-31T12:00:00Z', 'schema-invalid'],
  ])('from %s, as the broker took it, is taken or not', (_, time, reason) => expect(reasonOf(inboundRecord(create, { ce_time: time }))).toBe(reason));

  it('may have a subject of the system’s own, unless it names another ticket than the value', () => {
    const ticketId = '0196f0a0-0000-7000-8000-000000000001';
    const comment = { orgId: 'acme', ticketId: ticketId.toUpperCase(), data: { kind: 'comment', body: 'B' } };
    const reasons = ['order-1', ticketId, ticketId.toUpperCase()].map((ce_subject) => reasonOf(inboundRecord(comment, { ce_type: 'ticket.add-comment.v1', ce_subject })));
    expect(reasons).toEqual(['key-mismatch', undefined, undefined]);
    expect(reasonOf(inboundRecord(create, { ce_subject: 'order-1' }))).toBeUndefined();
  });

  it('may be nested as deep as a request, and no deeper', () => {
    const nested = (depth: number) => inboundRecord(`{"orgId":"acme","data":{"tool":"t","status":"ok","arguments":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}}`, { ce_type: 'ticket.record-tool-call.v1' });
    expect([reasonOf(nested(31)), reasonOf(nested(32))]).toEqual([undefined, 'schema-invalid']);
  });

  it.each<[string, IncomingRecord, string | undefined]>([
    ['binary', inboundRecord('not JSON'), 'r-1'],
    ['structured', structured({ ...event, data: 7 }), 'r-1'],
    ['binary, without one', inboundRecord(create, { ce_id: undefined }), undefined],
    ['with one that no key could be', inboundRecord(create, { ce_id: 'x'.repeat(301) }), undefined],
    ['structured, null', inboundRecord(null, { ce_id: undefined, 'content-type': 'application/cloudevents+json' }), undefined],
    ['structured, null, with a header', inboundRecord(null, { ce_id: 'h-1', 'content-type': 'application/cloudevents+json' }), 'h-1'],
    ['structured, not JSON, with a header', inboundRecord('{', { ce_id: 'h-1', 'content-type': 'application/cloudevents+json' }), 'h-1'],
    ['structured, with a number for one, with a header', inboundRecord({ ...event, id: 7 }, { ce_id: 'h-1', 'content-type': 'application/cloudevents+json' }), 'h-1'],
    ['structured, with a header that says another one', inboundRecord({ ...event, data: 7 }, { ce_id: 'h-1', 'content-type': 'application/cloudevents+json' }), 'r-1'],
    ['structured, with a header that no key could be', inboundRecord(null, { ce_id: 'x'.repeat(301), 'content-type': 'application/cloudevents+json' }), undefined],
    ['structured, with a number for one', structured({ ...event, id: 7 }), undefined],
  ])('that cannot be read is known by its id where it says one: %s', (_, record, id) => expect(idOf(record)).toBe(id));
});
