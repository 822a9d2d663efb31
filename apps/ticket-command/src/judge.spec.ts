import { describe, expect, it } from '@jest/globals';
import { CommandResult, eventValue, maxEventBytes, type TicketCommand } from '#contracts';
import { initial, type TicketState } from '#domain';
import { ada, commandId, commandOf, ticketOf } from '../../../libs/contracts/testing/builders.js';
import { recordOf } from '../testing/instance.js';
import { readCommands, type Received } from './command-record.js';
import { answerOf, judge, repeated, stateAfter } from './judge.js';

const noon = Date.parse('2026-01-01T12:00:00.000Z');
const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const origin = { system: 'erp', id: 'e1', topic: 'ticket.inbound.erp.v1', partition: 3, offset: '17' };

const receive = (command: TicketCommand): Received => {
  const { received, dead } = readCommands([recordOf(command, { offset: '5', headers: { traceparent: trace } })]);
  expect(dead).toEqual([]);
  return received[0]!;
};
const existing = (changes: Parameters<typeof ticketOf>[0] = {}): TicketState => ({
  status: 'exists',
  ticket: ticketOf(changes),
  deleted: false,
  notes: 1,
  messages: 2,
  undelivered: ['r1'],
});
const judged = (command: TicketCommand, state: TicketState = existing(), now = noon) => judge(receive(command), { state, now, number: 7 });
const parsed = (bytes: Buffer | string) => JSON.parse(bytes.toString()) as Record<string, unknown>;

const create = commandOf('ticket.create.v1', { title: 'T', customFields: { 10: 'b', 2: 'a', x: 'c' } }, { onBehalfOf: ada.actor, origin });
const move = commandOf('ticket.change-status.v1', { to: 'pending' });
const same = commandOf('ticket.update-details.v1', { title: 'Printer on fire' }, { origin });
const illegal = commandOf('ticket.change-status.v1', { to: 'closed' }, { origin });

describe('judge: an accepted command', () => {
  it('makes a commit that holds the event as it is published', () => {
    const { commit } = judged(create, initial);
    expect(commit).toMatchObject({ outcome: 'applied', version: 1, type: 'ticket.created.v1', at: '2026-01-01T12:00:00.000Z', payloadHash: 'hash', traceparent: trace, origin, commandId });
    expect(commit.source).toEqual({ topic: 'ticket.commands.v1', partition: 0, offset: '5' });
    const event = parsed(commit.value);
    expect(Object.keys(event)).toEqual(['orgId', 'ticketId', 'version', 'commandId', 'actor', 'onBehalfOf', 'at', 'data', 'ticket']);
    expect(eventValue['ticket.created.v1'].parse(event)).toStrictEqual(event);
    expect(event['ticket']).toMatchObject({ number: 7, version: 1, title: 'T', channel: 'api' });
  });

  it('is answered with the ticket after it', () => {
    const { answer } = judged(create, initial);
    expect(CommandResult.parse(parsed(answer))).toMatchObject({ outcome: 'applied', version: 1, ticket: { version: 1, title: 'T' }, origin, commandId, payloadHash: 'hash' });
  });

  it('raises the version by one', () => expect(judged(move, existing({ version: 41 })).commit).toMatchObject({ version: 42, type: 'ticket.status-changed.v1' }));
});

describe('judge: answers without an event', () => {
  it('nothing changed: the answer holds the ticket as it is', () => {
    const { commit, state } = judged(same);
    expect(commit).toMatchObject({ outcome: 'unchanged', type: 'ticket.command-result.v1' });
    expect(commit.version).toBeUndefined();
    expect(parsed(commit.value)).toEqual({ commandId, orgId: 'acme', ticketId: create.ticketId, actor: ada.actor, payloadHash: 'hash', outcome: 'unchanged', version: 1, ticket: ticketOf(), origin });
    expect(state).toEqual(existing());
  });

  it('refused: the answer holds the problem', () => {
    const { commit, state } = judged(illegal);
    expect(commit).toMatchObject({ outcome: 'rejected' });
    expect(parsed(commit.value)).toMatchObject({
      outcome: 'rejected',
      problem: { type: '/problems/invalid-transition', status: 409, from: 'open', to: 'closed', allowed: ['pending'] },
      origin,
    });
    expect(parsed(commit.value)).not.toHaveProperty('ticket');
    expect(state).toEqual(existing());
  });

  it('what would not fit into a record is refused before it is stored', () => {
    // A control character is one byte in memory and six in JSON, and an event says the ticket's texts again.
    const text = '\u0001'.repeat(50_000);
    const big = { description: text, customFields: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, '\u0001'.repeat(1_000)])) };
    const { commit } = judged(commandOf('ticket.update-details.v1', { description: `${text.slice(1)}x` }), existing(big));
    expect(parsed(commit.value)).toMatchObject({ outcome: 'rejected', problem: { type: '/problems/ticket-too-large', status: 422 } });
    const fits = judged(move, existing(big)).commit;
    expect(fits.outcome).toBe('applied');
    expect(fits.value.length).toBeLessThan(maxEventBytes);
  });
});

describe('judge: what is found in the store tells the same', () => {
  it.each([
    ['applied', create, initial],
    ['applied', move, existing()],
    ['unchanged', same, existing()],
    ['rejected', illegal, existing()],
  ] as const)('the bytes of the answer that was %s', (_, command, state) => {
    const { commit, answer } = judged(command, state);
    expect(answerOf(commit).toString()).toBe(answer.toString());
  });

  it.each([
    [create, initial],
    [move, existing()],
  ] as const)('where the ticket stands', (command, before) => {
    const { commit, state } = judged(command, before);
    expect(stateAfter({ ...commit, rules: structuredClone(commit.rules) })).toStrictEqual(state);
  });

  it('a command that comes again gets the first answer, marked', () => {
    const { answer } = judged(move);
    expect(parsed(repeated(answer))).toEqual({ ...parsed(answer), duplicate: true });
  });
});

describe('judge: time', () => {
  it('never runs back behind the ticket', () => {
    const { commit } = judged(move, existing({ updatedAt: '2026-01-01T12:00:05.000Z' }));
    expect(commit.at).toBe('2026-01-01T12:00:05.000Z');
    expect(parsed(commit.value)).toMatchObject({ at: '2026-01-01T12:00:05.000Z', ticket: { updatedAt: '2026-01-01T12:00:05.000Z' } });
  });
  const told = (at: string, state: TicketState = existing({ updatedAt: '2025-03-01T00:00:00.000Z' })) =>
    judge({ ...receive(move), command: { ...move, at } }, { state, now: noon, number: 7 });
  it('is what a command of the past says, in its comment too', () => {
    const { commit } = told('2025-03-01T08:30:00.000Z');
    expect(commit.at).toBe('2025-03-01T08:30:00.000Z');
    expect(parsed(commit.value)).toMatchObject({ at: '2025-03-01T08:30:00.000Z', ticket: { updatedAt: '2025-03-01T08:30:00.000Z' } });
  });
  it('never runs back behind the ticket, whatever a command of the past says', () => expect(told('2025-02-28T00:00:00.000Z').commit.at).toBe('2025-03-01T00:00:00.000Z'));
  it('never lies in the future', () => expect(told('2026-01-01T12:00:00.001Z').commit.at).toBe('2026-01-01T12:00:00.000Z'));
  it('of an answer without an event is the clock’s: it is kept for 30 days from then on', () => {
    const { commit } = judge({ ...receive(illegal), command: { ...illegal, at: '2025-03-01T00:00:00.000Z' } }, { state: existing(), now: noon, number: 7 });
    expect(commit).toMatchObject({ outcome: 'rejected', at: '2026-01-01T12:00:00.000Z' });
  });
  it('is the clock’s otherwise', () => expect(judged(move, existing({ updatedAt: '2026-01-01T11:59:59.999Z' })).commit.at).toBe('2026-01-01T12:00:00.000Z'));
});
