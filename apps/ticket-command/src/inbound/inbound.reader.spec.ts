import { describe, expect, it } from '@jest/globals';
import { InboundResult } from '#contracts';
import { Fault, type OutgoingRecord } from '#messaging';
import { grant, inboundRecord, roster } from '../../testing/inbound.js';
import { inboundCommandId, inboundTicketId } from './inbound-command.js';
import { inboundReading } from './inbound.reader.js';
import type { Told } from './inbound-results.js';

const signal = new AbortController().signal;
const create = (ceId: string, changes = {}) => inboundRecord({ orgId: 'acme', data: { title: ceId }, ...changes }, { ce_id: ceId });

/** The reading of `erp`, between a directory and producers that do as they are told. */
function opened({ isFresh = true, owners = {} }: { isFresh?: boolean; owners?: Record<string, string> } = {}) {
  const acknowledge: (() => void)[] = [];
  const seen = { commands: [] as OutgoingRecord[], letters: [] as OutgoingRecord[], told: [] as Told[], claimed: [] as string[] };
  const waits = () => new Promise<void>((resolve) => acknowledge.push(resolve));
  const reading = inboundReading('erp', {
    directory: {
      demandFresh: () => {
        if (!isFresh) throw new Fault('stale');
      },
      grant: (orgId) => (orgId === 'acme' ? grant : undefined),
      roster: () => roster,
    },
    claims: { claim: async (asked) => (seen.claimed.push(...asked.map(({ commandId }) => commandId)), new Map([...asked.map(({ commandId, ticketId }) => [commandId, ticketId] as const), ...Object.entries(owners)])) },
    producer: { send: (records) => (seen.commands.push(...records), waits()) },
    producers: { of: async () => ({ send: (records: readonly OutgoingRecord[]) => (seen.letters.push(...records), waits()) }) as never },
    results: { send: (told) => (seen.told.push(...told), waits()) },
  });
  return { reading, seen, acknowledge: async () => (acknowledge.shift()!(), turn()), waiting: () => acknowledge.length };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Whether a promise is settled by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  promise.then(() => (over = true), () => (over = true));
  await turn();
  return over;
}

/** A dead letter as messaging makes it. */
function letterOf(record: ReturnType<typeof create>): OutgoingRecord {
  const why = { dead_reason: 'schema-invalid', dead_detail: 'why', dead_topic: record.topic, dead_partition: '3', dead_offset: '17', dead_time: '2026-01-02T12:00:01.000Z' };
  const told = Object.entries(why).map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
  return { topic: 'dead.ticket-command.ticket.inbound.erp.v1', key: null, value: record.value, headers: [...record.rawHeaders, ...told] };
}

describe('the topic of an outside system', () => {
  it('is read by a group of its own, once all three topics are there', () => {
    expect(opened().reading).toMatchObject({
      topic: 'ticket.inbound.erp.v1',
      group: 'ticket-command.inbound.erp',
      waitsFor: ['ticket.inbound.erp.v1', 'ticket.inbound-results.erp.v1', 'dead.ticket-command.ticket.inbound.erp.v1'],
    });
  });

  it('is worked off when its commands are acknowledged, not before, in the order of its records', async () => {
    const { reading, seen, acknowledge } = opened();
    const records = ['a', 'b', 'c'].map((ceId) => create(ceId, ceId === 'b' ? { orgId: 'globex' } : {}));
    const handled = Promise.resolve(reading.handle({ records, signal }));
    expect(await isOver(handled)).toBe(false);
    expect(seen.commands.map(({ value }) => (JSON.parse(String(value)) as { origin: { id: string } }).origin.id)).toEqual(['a', 'c']);
    await acknowledge();
    expect(await handled).toMatchObject([{ record: records[1], reason: 'producer-not-allowed' }]);
  });

  it('has no second ticket done under an id: it is told that the id is used, the same whenever the record is read, once the others’ commands are acknowledged', async () => {
    const [used, otherTicket] = [inboundCommandId('erp', 'acme', 'b'), inboundTicketId('erp', 'acme', { externalId: 'another' })];
    const { reading, seen, acknowledge } = opened({ owners: { [used]: otherTicket } });
    const records = ['a', 'b', 'c'].map((ceId) => create(ceId));
    for (const round of [1, 2]) {
      const handled = Promise.resolve(reading.handle({ records, signal }));
      expect(await isOver(handled)).toBe(false);
      expect(seen.commands.map(({ headers }) => (headers as Record<string, string>)['ce_id'])).toEqual(Array.from({ length: round }, () => ['a', 'c'].map((id) => inboundCommandId('erp', 'acme', id))).flat());
      expect(seen.told).toHaveLength(round - 1);
      await acknowledge();
      expect(await isOver(handled)).toBe(false);
      await acknowledge();
      expect(await handled).toEqual([]);
    }
    const [first, again] = seen.told;
    expect(again).toEqual(first);
    expect(first).toMatchObject({ system: 'erp', key: 'b', headers: { ce_subject: otherTicket, ce_orgid: 'acme', ce_time: '2026-01-02T12:00:00.000Z' } });
    expect(InboundResult.parse(JSON.parse(String(first!.value)))).toEqual({
      commandId: used,
      orgId: 'acme',
      ticketId: otherTicket,
      actor: { type: 'system', id: 'erp', name: 'ERP' },
      outcome: 'rejected',
      duplicate: true,
      problem: expect.objectContaining({ type: '/problems/idempotency-key-reused', status: 422 }),
      origin: { system: 'erp', id: 'b', topic: 'ticket.inbound.erp.v1', partition: 3, offset: '17' },
    });
  });

  it('claims no id for what it may not send', async () => {
    const { reading, seen } = opened();
    expect(await reading.handle({ records: [create('a', { orgId: 'globex' })], signal })).toHaveLength(1);
    expect(seen.claimed).toEqual([]);
  });

  it('is not judged by a directory that was not read for some seconds', async () => {
    const { reading, seen } = opened({ isFresh: false });
    await expect(reading.handle({ records: [create('a')], signal })).rejects.toMatchObject({ passes: true });
    expect(seen.commands).toEqual([]);
  });

  it('is told what was set aside, after that lies there, and done with it only then', async () => {
    const { reading, seen, acknowledge } = opened();
    const buried = reading.bury([letterOf(create('a')), letterOf(inboundRecord(null, { ce_id: undefined }))]);
    expect(await isOver(buried)).toBe(false);
    expect([seen.letters.length, seen.told.length]).toEqual([2, 0]);
    await acknowledge();
    expect(await isOver(buried)).toBe(false);
    expect(seen.told.map(({ system, key }) => [system, key])).toEqual([['erp', 'a']]);
    expect(InboundResult.parse(JSON.parse(String(seen.told[0]!.value)))).toEqual({
      actor: { type: 'system', id: 'erp', name: 'erp' },
      outcome: 'rejected',
      problem: { type: '/problems/schema-invalid', title: 'The record was set aside', status: 422, detail: 'why' },
      origin: { system: 'erp', id: 'a', topic: 'ticket.inbound.erp.v1', partition: 3, offset: '17' },
    });
    await acknowledge();
    await buried;
  });
});
