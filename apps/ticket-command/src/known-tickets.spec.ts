import { describe, expect, it } from '@jest/globals';
import type { TicketState } from '#domain';
import { commandOf, ticketOf } from '../../../libs/contracts/testing/builders.js';
import { KnownTickets } from './known-tickets.js';

const on = (partition: number, ...offsets: number[]) => offsets.map((offset) => ({ partition, offset: String(offset) }));
const received = (partition: number, ticketId = 'a', orgId = 'acme') =>
  ({ command: commandOf('ticket.delete.v1', {}, { ticketId, orgId }), source: { topic: 't', partition, offset: '0' } }) as Parameters<KnownTickets['get']>[0];
const state = (changes: Parameters<typeof ticketOf>[0] = {}): TicketState => ({ status: 'exists', ticket: ticketOf(changes), deleted: false, notes: 0, messages: 0, undelivered: [] });

function knowing(partition = 0) {
  const known = new KnownTickets();
  known.proceed(on(partition, 10, 11));
  known.set(received(partition), state());
  return known;
}
const isKnown = (known: KnownTickets, partition = 0) => known.get(received(partition)) !== undefined;

describe('known tickets', () => {
  it('are known while the offsets of their partition follow each other', () => {
    const known = knowing();
    known.proceed(on(0, 12, 13));
    known.proceed(on(0, 14));
    expect(isKnown(known)).toBe(true);
  });

  it('are forgotten at a gap', () => {
    const known = knowing();
    known.proceed(on(0, 13));
    expect(isKnown(known)).toBe(false);
  });

  it('are forgotten at a gap within a round', () => {
    const known = knowing();
    known.proceed(on(0, 12, 14));
    expect(isKnown(known)).toBe(false);
  });

  it('are forgotten when an offset comes again: whoever had it meanwhile may have gone on', () => {
    const known = knowing();
    known.proceed(on(0, 10, 11));
    expect(isKnown(known)).toBe(false);
  });

  it('are forgotten when a round fails, though the next one follows without a gap', () => {
    const known = knowing();
    known.proceed(on(0, 12));
    known.doubt(on(0, 12));
    known.proceed(on(0, 13));
    expect(isKnown(known)).toBe(false);
  });

  it('of other partitions stay known', () => {
    const known = knowing(1);
    known.proceed(on(0, 5));
    known.doubt(on(0, 5));
    known.proceed(on(1, 12));
    expect(isKnown(known, 1)).toBe(true);
  });

  it('are learned anew after a gap', () => {
    const known = knowing();
    known.proceed(on(0, 20));
    known.set(received(0), state({ version: 9 }));
    known.proceed(on(0, 21));
    expect(known.get(received(0))).toMatchObject({ ticket: { version: 9 } });
  });

  it('are told apart by organisation', () => {
    const known = knowing();
    expect(known.get(received(0, 'a', 'globex'))).toBeUndefined();
  });

  it('count offsets beyond what a double holds', () => {
    const known = new KnownTickets();
    known.proceed([{ partition: 0, offset: '9007199254740993' }]);
    known.set(received(0), state());
    known.proceed([{ partition: 0, offset: '9007199254740995' }]);
    expect(isKnown(known)).toBe(false);
  });

  it('take no more memory than their budget, whatever the tickets hold', () => {
    const known = new KnownTickets();
    known.proceed(on(0, 1));
    // 50 fields of 1,000 characters weigh as much as a description: about 120 KB in memory, so 12 MB hold some 120 of them.
    const fields = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`field${n}`, 'x'.repeat(1_000)]));
    for (let n = 0; n < 1_000; n += 1) known.set(received(0, `t${n}`), state({ customFields: { ...fields } }));
    const held = Array.from({ length: 1_000 }, (_, n) => known.get(received(0, `t${n}`))).filter((one) => one !== undefined);
    expect(held.length).toBeGreaterThan(75);
    expect(held.length).toBeLessThan(150);
    expect(known.get(received(0, 't999'))).toBeDefined();
  });
});
