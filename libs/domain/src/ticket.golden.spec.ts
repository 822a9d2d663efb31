import { describe, expect, it } from '@jest/globals';
import { isEventType, type TicketEvent } from '#contracts';
import { goldens } from '../../contracts/testing/golden.js';
import { evolve, initial, type ExistingTicket, type TicketState } from './index.js';

/** The golden events are one ticket's history, as it was once published. */
const history = goldens
  .filter(({ type }) => isEventType(type))
  .map(({ type, value }) => ({ ...(value as object), type }) as TicketEvent)
  .sort((one, other) => one.version - other.version);

describe('ticket: events once published', () => {
  it('are folded to the tickets that they held', () => {
    expect(history.map(({ version }) => version)).toEqual(Array.from({ length: 10 }, (_, n) => n + 1));
    history.reduce<TicketState>((state, event) => {
      const { number, channel } = event.ticket;
      const next: ExistingTicket = evolve(state, { ...event, birth: { number, channel } });
      expect(next.ticket).toStrictEqual(event.ticket);
      return next;
    }, initial);
  });
});
