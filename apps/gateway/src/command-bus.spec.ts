import { describe, expect, it } from '@jest/globals';
import type { CommandResult } from '#contracts';
import { NotAcknowledged, Overloaded, type OutgoingRecord } from '#messaging';
import { applied } from '../testing/gateway.js';
import { CommandBus, type Outgoing } from './command-bus.js';
import { ResultWaiters, Unreadable } from './result-waiters.js';

const command = (changes: Partial<Outgoing['value']> = {}, commandId = 'c1'): Outgoing => ({
  type: 'ticket.delete.v1',
  commandId,
  value: {
    orgId: 'acme',
    ticketId: '6b1f4b0e-9a37-4f0b-8c27-5d6f2a0c7c11',
    actor: { type: 'member', id: 'ada', name: 'Ada' },
    access: { role: 'admin', assistantIds: [] },
    channel: 'api',
    payloadHash: 'hash',
    data: {},
    ...changes,
  },
});

/** A bus whose broker and store do what they are told. */
function bus({ send = async () => undefined, remember = async () => undefined, patience = 40 }: Partial<{ send: (records: readonly OutgoingRecord[]) => Promise<void>; remember: () => Promise<void>; patience: number }> = {}) {
  const waiters = new ResultWaiters();
  const sent: OutgoingRecord[] = [];
  const notes: unknown[] = [];
  const producer = {
    send: async (records: readonly OutgoingRecord[]) => {
      sent.push(...records);
      await send(records);
    },
  };
  const pending = {
    remember: async (...note: unknown[]) => {
      await remember();
      notes.push(note);
    },
  };
  const tell = (result: CommandResult) => waiters.tell(result.commandId, Buffer.from(JSON.stringify(result)));
  return { bus: new CommandBus(producer, waiters, pending, patience), sent, notes, tell, waiters };
}

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the command bus', () => {
  it('sends the command under the ticket and gives the result', async () => {
    const one = bus({ patience: 5_000 });
    const outcome = one.bus.send(command());
    await soon();
    one.tell(applied(command()));
    expect(await outcome).toMatchObject({ commandId: 'c1', outcome: 'applied' });
    expect(one.sent).toMatchObject([{ topic: 'ticket.commands.v1', key: command().value.ticketId, headers: { ce_id: 'c1', ce_type: 'ticket.delete.v1', ce_orgid: 'acme' } }]);
    expect(JSON.parse(String(one.sent[0]!.value))).toEqual(command().value);
    expect(one.notes).toEqual([]);
  });

  it('takes a result that is faster than the acknowledgement, even when that is lost', async () => {
    const one = bus({ send: async () => {
      one.tell(applied(command()));
      throw new NotAcknowledged('lost');
    } });
    expect(await one.bus.send(command())).toMatchObject({ outcome: 'applied' });
  });

  it('notes who asked before it stops waiting', async () => {
    const one = bus();
    expect(await one.bus.send(command())).toBe('pending');
    expect(one.notes).toEqual([[{ orgId: 'acme', actor: command().value.actor, access: command().value.access }, 'c1', command().value.ticketId]]);
  });

  it('answers with a result that comes while the note is stored', async () => {
    const one = bus({ remember: async () => one.tell(applied(command())) });
    expect(await one.bus.send(command())).toMatchObject({ outcome: 'applied' });
  });

  it('does not wait for the outcome when told not to', async () => {
    const one = bus({ patience: 60_000 });
    expect(await one.bus.send(command(), { respondAsync: true })).toBe('pending');
    expect(one.notes).toHaveLength(1);
  });

  it('refuses without the acknowledgement', async () => {
    const refuses = (error: Error) => bus({ send: () => Promise.reject(error) }).bus.send(command());
    await expect(refuses(new NotAcknowledged('late'))).rejects.toMatchObject({ problem: { type: '/problems/dependency-unavailable', status: 503 }, headers: { 'retry-after': '2' } });
    await expect(refuses(new Overloaded('full'))).rejects.toMatchObject({ problem: { type: '/problems/overloaded', status: 503 }, headers: { 'retry-after': '1' } });
    await expect(refuses(new TypeError('a fault of ours'))).rejects.toBeInstanceOf(TypeError);
  });

  it('refuses when nobody could ask later', async () => {
    const one = bus({ remember: () => Promise.reject(new Error('no store')) });
    await expect(one.bus.send(command())).rejects.toMatchObject({ problem: { status: 503 } });
    await expect(one.bus.send(command(), { respondAsync: true })).rejects.toMatchObject({ problem: { status: 503 } });
  });

  it('tells each of two waiters of one command whether it was theirs', async () => {
    const one = bus({ patience: 5_000 });
    const mine = one.bus.send(command());
    const theirs = one.bus.send(command({ payloadHash: 'another' }));
    const again = one.bus.send(command());
    await soon();
    one.tell(applied(command()));
    expect(await mine).toMatchObject({ outcome: 'applied' });
    expect(await again).toMatchObject({ outcome: 'applied' });
    await expect(theirs).rejects.toMatchObject({ problem: { type: '/problems/idempotency-key-reused', status: 422 } });
  });

  it('does not send what would be set aside for its size', async () => {
    const one = bus();
    const large = command({ data: { reason: 'x'.repeat(600_000) } });
    await expect(one.bus.send(large)).rejects.toMatchObject({ problem: { status: 413 } });
    expect(one.sent).toEqual([]);
  });
});

describe('those who wait', () => {
  it('hear of broken results, and nobody else reads them', () => {
    const waiters = new ResultWaiters();
    expect(() => waiters.tell('c1', Buffer.from('{'))).not.toThrow();
    const waiter = waiters.expect('c1', 'a1', 1_000);
    const fault = (value: Buffer | null) => {
      try {
        waiters.tell('c1', value);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    for (const [value, reason] of [
      [Buffer.from('{'), 'not-json'],
      [null, 'not-json'],
      [Buffer.from('{}'), 'schema-invalid'],
      [Buffer.from(JSON.stringify(applied(command({}, 'c2')))), 'schema-invalid'],
    ] as const) {
      expect(fault(value)).toBeInstanceOf(Unreadable);
      expect(fault(value)).toMatchObject({ reason });
    }
    waiter.leave();
    expect(() => waiters.tell('c1', null)).not.toThrow();
  });

  it('are told whether the answer is to their own sending, or to somebody else’s of the same command', async () => {
    const waiters = new ResultWaiters();
    const [one, other, late] = ['a1', 'a2', 'a3'].map((attempt) => waiters.expect('c1', attempt, 1_000));
    waiters.tell('c1', Buffer.from(JSON.stringify(applied(command({}, 'c1')))), 'a2');
    const duplicates = await Promise.all([one!, other!, late!].map(async ({ result }) => (await result)!.duplicate));
    expect(duplicates).toEqual([true, undefined, true]);
    [one, other, late].forEach((waiter) => waiter!.leave());
  });

  it('stop waiting in time', async () => {
    const waiter = new ResultWaiters().expect('c1', 'a1', 10);
    expect(await waiter.result).toBeUndefined();
    waiter.leave();
  });
});
