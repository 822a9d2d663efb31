import { describe, expect, it } from '@jest/globals';
import type { IncomingRecord } from '../record.js';
import { readLetter } from './letter.js';

const letter = (value: unknown, headers: Record<string, string> = {}): IncomingRecord => ({
  topic: 'dead.ticket-command.ticket.inbound.erp.v1',
  partition: 0,
  offset: '7',
  timestamp: '1767323045678',
  key: null,
  value: Buffer.from(JSON.stringify(value)),
  headers,
  rawHeaders: [],
});

describe('the organisation that operators are shown of a dead letter', () => {
  it.each<[string, IncomingRecord]>([
    ['its header', letter({ orgId: 'globex' }, { ce_orgid: 'acme' })],
    ['its value', letter({ orgId: 'acme' })],
    ['its envelope in structured mode', letter({ specversion: '1.0', orgid: 'acme', data: {} })],
    ['what an event in structured mode carries', letter({ specversion: '1.0', type: 'ticket.create.v1', data: { orgId: 'acme', data: {} } })],
  ])('is the one that is named in %s', (_, record) => expect(readLetter(record).orgId).toBe('acme'));

  it.each<[string, IncomingRecord]>([['names none', letter({ data: { orgId: 'acme' } })], ['is no object', letter(['acme'])], ['names something else than a text', letter({ orgId: 7 })]])('is none where it %s', (_, record) =>
    expect(readLetter(record).orgId).toBeNull(),
  );
});
