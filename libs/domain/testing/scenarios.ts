import { expect } from '@jest/globals';
import type { RejectionName, Ticket, TicketCommand, TicketFact } from '#contracts';
import { decide, evolve, initial, Rejection, type ExistingTicket, type TicketState } from '#domain';
import { ada, ticketId } from '../../contracts/testing/builders.js';

/** Facts of a history happen a minute apart, beginning here; the command under test comes at noon. */
const firstMinute = Date.parse('2026-01-01T10:00:00.000Z');
export const noon = '2026-01-01T12:00:00.000Z';

/** When the nth fact of a history happened, from 1. */
export const minute = (version: number) => new Date(firstMinute + (version - 1) * 60_000).toISOString();

const birth = { number: 1042, channel: 'api' as const };

/** Where a ticket stands after facts, or a state as it is. */
export const stateOf = (...history: readonly (TicketFact | ExistingTicket)[]): TicketState =>
  history.reduce<TicketState>((state, step) => {
    if (!('type' in step)) return step;
    const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
    return evolve(state, { ...step, ticketId, version, at: minute(version), actor: ada.actor, birth });
  }, initial);

/** Given what happened before (or a state), when a command comes, then this. Every scenario also checks that nobody changes what was handed in. */
export function given(...history: readonly (TicketFact | ExistingTicket)[]) {
  const state = frozen(stateOf(...history));
  return {
    when(command: TicketCommand) {
      const verdict = () => decide(frozen(command), state, noon);
      return {
        /** One fact, and the ticket after it has (at least) these members. */
        then(fact: TicketFact, after: Partial<Ticket> = {}) {
          expect(verdict()).toStrictEqual(fact);
          expectGrown(state, command, fact, after);
        },
        /** The no, with exactly these members of its own when they are named. */
        thenRejected(code: RejectionName, extra?: Record<string, unknown>) {
          const rejection = rejectionOf(verdict);
          expect(rejection.code).toBe(code);
          expect(rejection.message).toMatch(/^[A-Z].*\.$/);
          if (extra !== undefined) expect(rejection.extra).toStrictEqual(extra);
        },
        thenUnchanged() {
          expect(verdict()).toBeNull();
        },
        /** The state after whatever fact the command makes. */
        state: () => after(state, command, verdict()!),
      };
    },
  };
}

function expectGrown(state: TicketState, command: TicketCommand, fact: TicketFact, expected: Partial<Ticket>) {
  const next = after(state, command, fact);
  const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
  expect(next.ticket).toMatchObject({ ...expected, version, updatedAt: noon });
  // What is published is JSON: nothing may get lost on the way.
  expect(JSON.parse(JSON.stringify(next))).toStrictEqual(next);
}

function after(state: TicketState, { actor, channel }: TicketCommand, fact: TicketFact): ExistingTicket {
  const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
  return evolve(state, frozen({ ...fact, ticketId, version, at: noon, actor, birth: { number: 1042, channel } }));
}

function rejectionOf(verdict: () => unknown): Rejection {
  try {
    const outcome = verdict();
    throw new Error(`not refused: ${JSON.stringify(outcome)}`);
  } catch (error) {
    if (error instanceof Rejection) return error;
    throw error;
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
