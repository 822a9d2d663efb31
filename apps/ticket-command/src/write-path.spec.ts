import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CommandResult, Status, TicketCommand } from '#contracts';
import { decide, evolve, initial, Rejection, transitions, type TicketState } from '#domain';
import { ada, agent, assigneeOf, billingBot, commandOf, grace } from '../../../libs/contracts/testing/builders.js';
import { Cluster, type Epoch, type Mishap } from '../testing/cluster.js';
import { World } from '../testing/instance.js';
import { stateAfter } from './judge.js';

const tickets = [1, 2, 3].map((n) => `0196f0a0-0000-7000-8000-00000000000${n}`);

/** Mostly nothing. */
const oneIn = <T>(n: number, arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: n - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const statuses: Status[] = ['open', 'pending', 'resolved', 'closed'];

/** A move that is mostly legal where the ticket stands, so that who decides on a stale ticket says no where the answer is yes. */
const move = fc.nat(9).map((n) => (state: TicketState) => {
  const allowed = state.status === 'exists' ? transitions[state.ticket.status] : [];
  return { type: 'ticket.change-status.v1' as const, data: { to: (n < 7 ? allowed[n === 6 ? allowed.length - 1 : 0] : statuses[n % 4]) ?? 'open' } };
});
const gone = fc.nat(5).map((n) => (state: TicketState) => {
  const isDeleted = state.status === 'exists' && state.deleted;
  return { type: isDeleted === n > 0 ? ('ticket.restore.v1' as const) : ('ticket.delete.v1' as const), data: {} };
});
const other = fc
  .oneof(
    fc.record({ type: fc.constant('ticket.create.v1' as const), data: fc.record({ title: fc.constantFrom('T', 'U'), assistantId: fc.constantFrom('billing-bot', null) }) }),
    fc.record({ type: fc.constant('ticket.add-comment.v1' as const), data: fc.record({ kind: fc.constantFrom('comment', 'note', 'reply'), body: fc.constantFrom('Hm.', 'Aha.') }) }),
    fc.record({ type: fc.constant('ticket.assign.v1' as const), data: fc.record({ to: fc.constantFrom(null, assigneeOf(grace), assigneeOf(ada)), ifAssignee: fc.constantFrom(null, { type: 'member', id: 'grace' }) }, { requiredKeys: ['to'] }) }),
    fc.record({ type: fc.constant('ticket.update-details.v1' as const), data: fc.record({ title: fc.constantFrom('T', 'U'), customFields: fc.constantFrom({ a: 1 }, { a: null }, { b: 'x' }) }, { requiredKeys: [] }) }),
    fc.record({ type: fc.constant('ticket.append-conversation.v1' as const), data: fc.constant({ messages: [{ id: 'm', role: 'user', content: 'Help!' }] }) }),
  )
  .map((what) => () => what);

const command = fc.record({
  what: fc.oneof({ weight: 5, arbitrary: move }, { weight: 1, arbitrary: gone }, { weight: 4, arbitrary: other }),
  ticketId: fc.constantFrom(...tickets),
  by: fc.oneof({ weight: 8, arbitrary: fc.constant(ada) }, { weight: 2, arbitrary: fc.constantFrom(grace, billingBot, agent('billing-bot', 'tickets:read')) }),
  expectedVersion: oneIn(10, fc.integer({ min: 1, max: 4 })),
  /** The id of a command some places before: the same again, or another under a used id. */
  again: oneIn(6, fc.record({ back: fc.integer({ min: 1, max: 6 }), isSame: fc.boolean() })),
});

/** Every ticket is created at some time, so that more than refusals happens. */
const log = fc.array(command, { minLength: 1, maxLength: 30, size: 'max' }).map((drawn) => {
  const all = tickets.map((ticketId, n) => commandOf('ticket.create.v1', { title: 'T' }, { commandId: `first-${n}`, ticketId }) as TicketCommand);
  for (const { what, ticketId, by, expectedVersion, again } of drawn) {
    const earlier = again && all[all.length - again.back];
    if (earlier && again.isSame) {
      all.push(earlier);
      continue;
    }
    const id = earlier ?? { commandId: `c${all.length}`, ticketId };
    const { type, data } = what(model(all).states.get(id.ticketId) ?? initial);
    const { commandId } = id;
    all.push(commandOf(type, JSON.parse(JSON.stringify(data)) as never, { commandId, ticketId: id.ticketId, by, ...(expectedVersion && { expectedVersion }) }));
  }
  return all;
});

const pair = <T>(arbitrary: fc.Arbitrary<T>) => fc.tuple(arbitrary, arbitrary);
const mishap = oneIn(3, fc.record<Mishap>({ kind: fc.constantFrom('dies', 'fails'), moment: fc.nat(25) }));
const epoch = fc.record<Epoch>({
  owner: fc.constantFrom(0, 1),
  staleToo: oneIn(4, fc.constant(true)).map((is) => is ?? false),
  take: pair(fc.constantFrom(1, 2, 4)),
  rewind: pair(oneIn(4, fc.nat(8)).map((back) => back ?? 0)),
  mishap: pair(mishap),
});

/** Texts of times and numbers of tickets are the instances' own affair. */
const comparable = (value: unknown) => JSON.stringify(value).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replaceAll(/"number":\d+/g, '"number":0');

/** What a log of commands means: each id decided once, in order. */
function model(commands: readonly TicketCommand[]) {
  const states = new Map<string, TicketState>();
  const answers = new Map<string, string>();
  for (const one of commands) {
    const state = states.get(one.ticketId) ?? initial;
    const key = `${one.ticketId} ${one.commandId}`;
    if (!answers.has(key)) answers.set(key, answer(one, state, (next) => states.set(one.ticketId, next)));
  }
  return { states, answers };
}

function answer(one: TicketCommand, state: TicketState, moveOn: (next: TicketState) => void): string {
  const at = '2026-01-01T12:00:00.000Z';
  try {
    const fact = decide(one, state, at);
    if (fact === null) return 'unchanged';
    const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
    const next = evolve(state, { ...fact, ticketId: one.ticketId, version, at, actor: one.actor, birth: { number: 0, channel: one.channel } });
    moveOn(next);
    return `applied ${comparable(next.ticket)}`;
  } catch (error) {
    if (error instanceof Rejection) return `rejected ${error.code}`;
    throw error;
  }
}

const told = ({ outcome, ticket, problem }: CommandResult) =>
  outcome === 'applied' ? `applied ${comparable(ticket)}` : outcome === 'rejected' ? `rejected ${String(problem?.type).slice('/problems/'.length)}` : 'unchanged';

function verify(world: World, commands: readonly TicketCommand[]) {
  const expected = model(commands);
  for (const ticketId of tickets) verifyEvents(world, ticketId, expected.states.get(ticketId));
  for (const one of commands) verifyAnswers(world, one, commands, expected.answers.get(`${one.ticketId} ${one.commandId}`)!);
  const numbers = [...new Map(world.events.map(({ ticketId, ticket }) => [ticketId, ticket.number])).values()];
  expect(new Set(numbers).size).toBe(numbers.length);
}

function verifyEvents(world: World, ticketId: string, expected: TicketState | undefined) {
  const published = world.on('ticket.events.v1').filter(({ key }) => key === ticketId);
  const versions = new Map<number, string>();
  for (const { value, headers } of published) {
    const { version } = JSON.parse(String(value)) as { version: number };
    if (versions.has(version)) expect(versions.get(version)).toBe(`${JSON.stringify(headers)} ${String(value)}`);
    else versions.set(version, `${JSON.stringify(headers)} ${String(value)}`);
  }
  // First appearances are in order and without a gap, and all that is stored was told.
  const stored = [...world.stored.values()].filter((commit) => commit.ticketId === ticketId && commit.outcome === 'applied');
  expect([...versions.keys()]).toEqual(Array.from({ length: stored.length }, (_, n) => n + 1));
  if (stored.length === 0) return;
  const folded = world.events
    .filter((event, index, all) => event.ticketId === ticketId && all.findIndex((other) => other.ticketId === ticketId && other.version === event.version) === index)
    .reduce<TicketState>((state, event) => evolve(state, { ...event, birth: event.ticket } as never), initial);
  const newest = stored.reduce((one, other) => (one.version! > other.version! ? one : other));
  expect(comparable(folded)).toBe(comparable(stateAfter(newest)));
  expect(comparable(folded)).toBe(comparable(expected));
  const times = world.events.filter((event) => event.ticketId === ticketId).sort((one, other) => one.version - other.version).map(({ at }) => at);
  expect(times).toEqual([...times].sort());
}

function verifyAnswers(world: World, one: TicketCommand, commands: readonly TicketCommand[], expected: string) {
  const answers = world.results.filter(({ commandId, ticketId }) => commandId === one.commandId && ticketId === one.ticketId);
  expect(answers.map(told)).toEqual(Array(answers.length).fill(expected));
  const { duplicate: _, ...first } = answers[0]!;
  for (const { duplicate: __, ...other } of answers) expect(other).toEqual(first);
  const offsets = commands.filter(({ commandId, ticketId }) => commandId === one.commandId && ticketId === one.ticketId).length;
  expect(answers.some(({ duplicate }) => duplicate === undefined)).toBe(true);
  expect(answers.some(({ duplicate }) => duplicate === true)).toBe(offsets > 1);
}

describe('the write path', () => {
  it('does what the log of commands says, whoever dies, fails, lags behind or comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.tuple(log, fc.constantFrom(1, 2, Infinity)), fc.array(epoch, { maxLength: 16, size: 'max' }), async (scheduler, [commands, room], epochs) => {
        const world = new World();
        const cluster = new Cluster(world, commands, () => scheduler.schedule(Promise.resolve()), room);
        const life = (async () => {
          for (const one of epochs) await cluster.live(one);
          await cluster.finish();
        })();
        await scheduler.waitFor(life);
        verify(world, commands);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
