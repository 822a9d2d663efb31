import { describe, expect, it } from '@jest/globals';
import { CommandResult, InboundResult, topics } from '#contracts';
import type { OutgoingRecord } from '#messaging';
import { ada, commandId, commandOf, ticketId } from '../../../libs/contracts/testing/builders.js';
import { recordOf } from '../testing/instance.js';
import { DeadCommands } from './dead-commands.js';
import type { Told } from './inbound/inbound-results.js';

const command = commandOf('ticket.create.v1', { title: 'T' });

/** A dead letter as messaging makes it: the record's own bytes and headers, and why it is dead. */
function letterOf(changes: Parameters<typeof recordOf>[1] = {}, reason = 'key-mismatch'): OutgoingRecord {
  const { key, value, rawHeaders } = recordOf(command, changes);
  const told = [['dead_reason', reason] as const, ['dead_detail', 'why'] as const].map(([name, text]) => ({ key: Buffer.from(name), value: Buffer.from(text) }));
  return { topic: 'dead.ticket-command.ticket.commands.v1', key, value, headers: [...rawHeaders, ...told] };
}

const nobody = { send: async () => undefined };

async function sent(...letters: OutgoingRecord[]) {
  const calls: OutgoingRecord[][] = [];
  const producer = { send: (records: readonly OutgoingRecord[]) => Promise.resolve(void calls.push([...records])) };
  await new DeadCommands(producer, nobody, () => new Date('2026-01-01T12:00:00.000Z')).send(letters);
  return calls;
}

describe('dead commands', () => {
  it('are written as they are, before anybody is told', async () => {
    const letter = letterOf();
    const [letters, results] = await sent(letter);
    expect(letters).toEqual([letter]);
    expect(results).toHaveLength(1);
  });

  it('are told to who sent them, with the reason', async () => {
    const [, results] = await sent(letterOf());
    expect(results![0]).toMatchObject({ topic: topics.results, key: commandId, headers: { ce_id: commandId, ce_type: 'ticket.command-result.v1', ce_subject: ticketId, ce_orgid: 'acme' } });
    expect(CommandResult.parse(JSON.parse(String(results![0]!.value)))).toEqual({
      commandId,
      orgId: 'acme',
      ticketId,
      actor: ada.actor,
      payloadHash: 'hash',
      outcome: 'rejected',
      problem: { type: '/problems/key-mismatch', title: 'The record was set aside', status: 422, detail: 'why' },
    });
  });

  it.each<[string, Parameters<typeof recordOf>[1]]>([
    ['without a value', { value: null }],
    ['without JSON', { value: Buffer.from('{') }],
    ['without an id', { headers: { ce_id: undefined } }],
    ['that names no ticket', { value: Buffer.from('{"orgId":"acme"}') }],
    ['with an id that no result could bear', { headers: { ce_id: 'x'.repeat(600_000) } }],
    ['with a hash that no result could bear', { value: Buffer.from(recordOf(command).value!.toString().replace('"hash"', `"${'h'.repeat(1_000_000)}"`)) }],
    ['nested deep', { value: Buffer.from('['.repeat(20_000)) }],
  ])('%s are told to nobody', async (_, changes) => expect(await sent(letterOf(changes))).toHaveLength(1));

  it('are told to the outside system whose record one of them was, word for word', async () => {
    const origin = { system: 'erp', id: 'their-17', topic: 'ticket.inbound.erp.v1', partition: 3, offset: '17' };
    const { type: _type, commandId: _id, ...value } = { ...command, origin };
    const calls: OutgoingRecord[][] = [];
    const told: Told[] = [];
    const producer = { send: async (records: readonly OutgoingRecord[]) => void calls.push([...records]) };
    const systems = { send: async (all: readonly Told[]) => void told.push(...all) };
    await new DeadCommands(producer, systems).send([letterOf({ value: Buffer.from(JSON.stringify(value)) }, 'handler-failed'), letterOf()]);
    expect(told.map(({ system, key }) => [system, key])).toEqual([['erp', 'their-17']]);
    expect(told[0]!.value).toBe(calls[1]![0]!.value);
    expect(InboundResult.parse(JSON.parse(String(told[0]!.value)))).toMatchObject({ commandId, outcome: 'rejected', problem: { type: '/problems/handler-failed' }, origin });
  });

  it('are not told when their letters could not be written', async () => {
    let calls = 0;
    const producer = { send: () => Promise.reject(new Error(`call ${(calls += 1)}`)) };
    await expect(new DeadCommands(producer, nobody).send([letterOf()])).rejects.toThrow('call 1');
    expect(calls).toBe(1);
  });
});
