import { describe, expect, it } from '@jest/globals';
import { ownerOf } from './owner.js';

const letter = (value: unknown, ...orgIds: (string | null)[]) => ({
  value: value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  rawHeaders: [{ key: Buffer.from('ce_id'), value: Buffer.from('1') }, ...orgIds.map((orgId) => ({ key: Buffer.from('ce_orgid'), value: orgId === null ? null : Buffer.from(orgId) }))],
});

describe('a dead letter belongs to', () => {
  it.each<[string, ReturnType<typeof letter>]>([
    ['its value says, and its header, too', letter({ orgId: 'acme' }, 'acme')],
    ['its value says, where no header does', letter({ orgId: 'acme', data: { orgId: 7 } })],
    ['the event in structured mode carries', letter({ specversion: '1.0', data: { orgId: 'acme' } })],
    ['the event in structured mode says twice', letter({ specversion: '1.0', orgid: 'acme', data: { orgId: 'acme' } })],
  ])('the organisation that %s', (_, record) => expect(ownerOf(record)).toBe('acme'));

  it.each<[string, ReturnType<typeof letter>]>([
    ['value and header contradict each other', letter({ orgId: 'acme' }, 'globex')],
    ['one of several headers contradicts', letter({ orgId: 'acme' }, 'globex', 'acme')],
    ['a header is empty', letter({ orgId: 'acme' }, null)],
    ['only a header names one', letter({}, 'acme')],
    ['the value is no JSON', letter('{', 'acme')],
    ['the value is no object', letter([{ orgId: 'acme' }], 'acme')],
    ['there is no value', letter(null, 'acme')],
    ['the value names something else than a text', letter({ orgId: { $ne: 1 } })],
    ['envelope and content contradict each other', letter({ specversion: '1.0', orgid: 'acme', data: { orgId: 'globex' } })],
    ['the value is too large to be looked into', letter({ orgId: 'acme', data: 'x'.repeat(512 << 10) }, 'acme')],
  ])('nobody where %s', (_, record) => expect(ownerOf(record)).toBeNull());
});
