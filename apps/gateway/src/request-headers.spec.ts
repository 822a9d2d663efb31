import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { headerCount, writeConditions } from './request-headers.js';

const conditions = (headers: Record<string, string>) =>
  writeConditions({ headers, rawHeaders: Object.entries(headers).flat() } as unknown as IncomingMessage);

describe('what headers ask for', () => {
  it.each([
    ['respond-async', true],
    ['Respond-Async, wait=5', true],
    ['return=minimal, respond-async', true],
    ['respond-async; x=1', true],
    ['respond-asynchronously', false],
    ['return=minimal', false],
  ])('Prefer: %s', (prefer, expected) => expect(conditions({ prefer }).respondAsync).toBe(expected));

  it('keeps If-Match as it was sent beside the version it demands', () => {
    expect(conditions({ 'if-match': '"12"' })).toMatchObject({ ifMatch: '"12"', expectedVersion: 12 });
    expect(conditions({ 'if-match': ' * ' })).toMatchObject({ ifMatch: ' * ', expectedVersion: undefined });
    expect(conditions({})).toEqual({ idempotencyKey: undefined, ifMatch: undefined, expectedVersion: undefined, respondAsync: false });
  });

  it('takes every printable ASCII character in a key', () => {
    const key = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    expect(conditions({ 'idempotency-key': key }).idempotencyKey).toBe(key);
  });

  it('counts headers whatever their case', () => {
    expect(headerCount(['If-Match', 'a', 'IF-MATCH', 'b', 'X', 'if-match'], 'if-match')).toBe(2);
  });
});
