import { describe, expect, it } from '@jest/globals';
import { commandValue, type CommandType } from '#contracts';
import { Roster } from '#domain';
import { grant, inboundRecord, roster } from '../../testing/inbound.js';
import { Unreadable } from '../record-value.js';
import { inboundCommand, inboundCommandId, inboundTicketId } from './inbound-command.js';
import { readInbound } from './inbound-record.js';

const now = new Date('2026-01-02T12:00:00.000Z');
const uuid = '0196f0a0-0000-7000-8000-000000000001';

/** The command of what `erp` says, read as ticket-command reads it. */
function commandOf(verb: string, value: object, { by = grant, ceId = 'r-1' }: { by?: typeof grant | undefined; ceId?: string } = {}) {
  const type = `ticket.${verb}.v1` as CommandType;
  const asked = readInbound(inboundRecord({ orgId: 'acme', ...value }, { ce_id: ceId, ce_type: type, traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }));
  const { key, headers, value: bytes } = inboundCommand(asked, { grant: by, roster }, now).record;
  return { key, headers: headers as Record<string, string>, ...commandValue[type].parse(JSON.parse(String(bytes))) };
}

function reasonOf(...asked: Parameters<typeof commandOf>): string | undefined {
  try {
    commandOf(...asked);
  } catch (error) {
    if (error instanceof Unreadable) return error.reason;
    throw error;
  }
  return undefined;
}

describe('the command of a record', () => {
  it('is the system’s, through its door, with what the organisation lets it do, and says which record it was', () => {
    const command = commandOf('create', { externalId: 'order-1', expectedVersion: 2, data: { title: 'T' } });
    const ticketId = inboundTicketId('erp', 'acme', { externalId: 'order-1' });
    expect(command).toMatchObject({
      key: ticketId,
      ticketId,
      actor: { type: 'system', id: 'erp', name: 'ERP' },
      access: { assistantIds: ['billing-bot'] },
      channel: 'kafka',
      expectedVersion: 2,
      origin: { system: 'erp', id: 'r-1', topic: 'ticket.inbound.erp.v1', partition: 3, offset: '17' },
      data: { title: 'T', externalId: 'order-1' },
    });
    expect(command.access).toEqual({ assistantIds: ['billing-bot'] });
    expect(command.headers).toMatchObject({ ce_id: inboundCommandId('erp', 'acme', 'r-1'), ce_type: 'ticket.create.v1', ce_subject: ticketId, ce_orgid: 'acme', traceparent: expect.any(String) });
  });

  it('has ids that are derived and stay: of these parts, and of no others', () => {
    expect(inboundCommandId('erp', 'acme', 'r-1')).toBe('ead8af2b-13d2-5666-b194-1618f70c4dfd');
    expect(inboundTicketId('erp', 'acme', { externalId: 'r-1' })).toBe('48b09d8c-db6e-5d01-ae6b-c8982378158b');
    const ids = [inboundCommandId('erp', 'acme', 'r-1'), inboundCommandId('crm', 'acme', 'r-1'), inboundCommandId('erp', 'globex', 'r-1'), inboundTicketId('erp', 'acme', { ceId: 'r-1' }), inboundTicketId('erp', 'acme', { externalId: 'r-1' })];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('addresses by id, by the system’s name, of a create also by that in its data, else by the record', () => {
    const comment = { data: { kind: 'comment', body: 'B' } };
    const named = inboundTicketId('erp', 'acme', { externalId: 'a' });
    expect(commandOf('add-comment', { ticketId: uuid, ...comment }).ticketId).toBe(uuid);
    expect(commandOf('add-comment', { externalId: 'a', ...comment }).ticketId).toBe(named);
    expect(commandOf('add-comment', { externalId: 'a', ticketId: named, ...comment }).ticketId).toBe(named);
    expect(commandOf('create', { data: { title: 'T', externalId: 'a' } }).ticketId).toBe(named);
    expect(commandOf('create', { data: { title: 'T', externalId: null } }, { ceId: 'r-2' }).ticketId).toBe(inboundTicketId('erp', 'acme', { ceId: 'r-2' }));
    expect(reasonOf('add-comment', { externalId: 'a', ticketId: uuid, ...comment })).toBe('key-mismatch');
  });

  it('has names, marks and ids that the door adds', () => {
    const ghost = { type: 'member', id: 'ghost' };
    expect(commandOf('assign', { ticketId: uuid, data: { to: { type: 'member', id: 'grace' }, ifAssignee: ghost } }).data).toEqual({ to: { type: 'member', id: 'grace', name: 'Grace' }, ifAssignee: ghost });
    expect(commandOf('assign', { ticketId: uuid, data: { to: ghost } }).data).toEqual({ to: { ...ghost, name: '' }, unknownAssignee: true });
    expect(commandOf('assign', { ticketId: uuid, data: { to: null } }).data).toEqual({ to: null });
    const any = { ...grant, assistantIds: ['billing-bot', 'gone-bot'] };
    expect(commandOf('change-status', { ticketId: uuid, data: { to: 'pending' } }, { by: any }).access).toEqual({ assistantIds: ['billing-bot'] }); // the other one was deleted
    expect(commandOf('update-details', { ticketId: uuid, data: { assistantId: 'gone-bot' } }, { by: any }).data).toEqual({ assistantId: 'gone-bot', unknownAssistant: true });
    const { data } = commandOf('append-conversation', { ticketId: uuid, data: { messages: [{ role: 'user', content: 'Hi' }] } });
    expect(data).toEqual({ messages: [{ id: `${inboundCommandId('erp', 'acme', 'r-1')}:0`, role: 'user', content: 'Hi' }] });
  });

  it.each<[string, string, object]>([
    ['a command that is not granted', 'delete', { ticketId: uuid, data: {} }],
    ['an assistant that is not granted', 'create', { data: { title: 'T', assistantId: 'tech-bot' } }],
    ['an assistant that is not granted, later', 'update-details', { ticketId: uuid, data: { assistantId: 'tech-bot' } }],
  ])('is not made of %s', (_, verb, value) => expect(reasonOf(verb, value)).toBe('producer-not-allowed'));

  it('is not made where nothing is granted, and no assistant needs no grant', () => {
    const asked = readInbound(inboundRecord({ orgId: 'acme', data: { title: 'T' } }));
    expect(() => inboundCommand(asked, { grant: undefined, roster }, now)).toThrow(expect.objectContaining({ reason: 'producer-not-allowed' }));
    expect(reasonOf('update-details', { ticketId: uuid, data: { assistantId: null } })).toBeUndefined();
  });

  it('is not made where it would be too large for its topic', () => {
    const assistantIds = Array.from({ length: 10_000 }, (_, i) => `assistant-with-a-rather-long-name-that-fills-sixty-chars-${i}`);
    const large = new Roster(assistantIds.map((id) => ({ orgId: 'acme', kind: 'assistant' as const, id, revision: 1, deleted: false, value: { id, name: id, memberIds: [] } })));
    const asked = readInbound(inboundRecord({ orgId: 'acme', data: { title: 'T' } }));
    expect(() => inboundCommand(asked, { grant: { ...grant, assistantIds }, roster: large }, now)).toThrow(expect.objectContaining({ reason: 'oversize' }));
  });
});
