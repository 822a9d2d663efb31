import type { Producer } from '#contracts';
import { Roster } from '#domain';
import type { IncomingRecord } from '#messaging';

/** What `acme` lets `erp` do. */
export const grant: Producer = { id: 'erp', name: 'ERP', commands: ['create', 'add-comment', 'assign', 'update-details', 'append-conversation', 'change-status'], assistantIds: ['billing-bot'] };

export const roster = new Roster([
  { orgId: 'acme', kind: 'member', id: 'grace', revision: 1, deleted: false, value: { id: 'grace', name: 'Grace', email: 'grace@acme.example', role: 'member' } },
  { orgId: 'acme', kind: 'assistant', id: 'billing-bot', revision: 1, deleted: false, value: { id: 'billing-bot', name: 'Billing', memberIds: [] } },
]);

const takenAt = Date.parse('2026-01-02T12:00:00.000Z');

/** A record on the topic of `erp`, in binary mode; a header that is undefined is left out. */
export function inboundRecord(value: unknown, headers: Record<string, string | undefined> = {}, changes: Partial<IncomingRecord> = {}): IncomingRecord {
  const all = Object.entries({ ce_id: 'r-1', ce_type: 'ticket.create.v1', ...headers }).filter((header): header is [string, string] => header[1] !== undefined);
  return {
    topic: 'ticket.inbound.erp.v1',
    partition: 3,
    offset: '17',
    timestamp: String(takenAt),
    key: null,
    value: Buffer.isBuffer(value) || value === null ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: Object.fromEntries(all),
    rawHeaders: all.map(([key, text]) => ({ key: Buffer.from(key), value: Buffer.from(text) })),
    ...changes,
  };
}
