import { describe, expect, it } from '@jest/globals';
import { madeUp } from './organisations.js';
import { commandsOf, sharesOf } from './plan.js';
import { supportCase } from './support-case.js';

const end = Date.parse('2026-11-18T15:00:00Z');
const organisations = [1, 2, 3, 4].map((number) => madeUp(number));
const plan = (tickets: number) => ({ seed: 5, shares: sharesOf(tickets, organisations), end });

describe('shares of tickets', () => {
  const counts = (tickets: number, even = false) => sharesOf(tickets, organisations, { even }).map((share) => share.tickets);

  it('give the first organisation half, and each of the others less than the one before', () => {
    const [first, second, third, fourth] = counts(100_000) as [number, number, number, number];
    expect(Math.round(first / 1_000)).toBe(50);
    expect(second).toBeGreaterThan(third);
    expect(third).toBeGreaterThan(fourth);
  });
  it('are the same where that is wanted', () => expect(counts(1_000, true)).toEqual([250, 250, 250, 250]));
  it.each([4, 7, 100, 12_345])('of %s add up', (tickets) => expect(counts(tickets).reduce((sum, count) => sum + count)).toBe(tickets));
  it('leave nobody out, even where there are fewer tickets than organisations', () => expect(counts(2)).toEqual([1, 1, 1, 1]));
  it('are all of it for one alone', () => expect(sharesOf(9, organisations.slice(0, 1)).map((share) => share.tickets)).toEqual([9]));
});

describe('commands of a plan', () => {
  const planned = [...commandsOf(plan(1_500))];

  it('are those of all its cases, each ticket’s in their order', () => {
    const byTicket = Map.groupBy(planned, ({ command }) => command.ticketId);
    expect(byTicket.size).toBe(1_500);
    const { organisation, tickets: of } = plan(1_500).shares[1]!;
    const one = supportCase({ seed: 5, organisation, index: 3, of, end });
    expect(byTicket.get(one[0]!.ticketId)!.map(({ command }) => command)).toStrictEqual(one);
  });

  it('alternate between tickets, so that hundreds are in work at once', () => {
    for (let from = 0; from + 300 < planned.length / 2; from += 300) {
      expect(new Set(planned.slice(from, from + 300).map(({ command }) => command.ticketId)).size).toBe(300);
    }
  });

  it('begin with the oldest tickets of all organisations, to within days', () => {
    expect(new Set(planned.slice(0, 50).map(({ command }) => command.orgId)).size).toBe(4);
    const creates = planned.filter(({ command }) => command.type === 'ticket.create.v1').map(({ command }) => Date.parse(command.at!));
    const inversions = creates.filter((at, index) => index > 0 && at < creates[index - 1]! - 10 * 86_400_000);
    expect(inversions).toEqual([]);
  });

  it('tell how many tickets are whole', () => expect(planned.at(-1)).toMatchObject({ tickets: 1_500, complete: 1_500 }));

  it('can go on where all before is whole: nothing is missing then', () => {
    const stopped = 4_000;
    const { complete } = planned[stopped - 1]!;
    expect(complete).toBeGreaterThan(0);
    const rest = new Set([...commandsOf(plan(1_500), complete)].map(({ command }) => command.commandId));
    const missing = planned.slice(stopped).filter(({ command }) => !rest.has(command.commandId));
    expect(missing).toEqual([]);
  });
});
