import { maxEventBytes, problem, resultType, type Actor, type CommandResult, type EventValue, type Problem, type TicketFact } from '#contracts';
import { decide, evolve, Rejection, type ExistingTicket, type TicketState } from '#domain';
import type { Commit } from '#persistence';
import type { Received } from './command-record.js';

/** What the judge needs beside the command: where the ticket stands, the time, and a number should one be born. */
export interface Standing {
  state: TicketState;
  /** Milliseconds since the epoch. */
  now: number;
  number: number;
}

/** A commit to store, and what holds once it is stored. */
export interface Verdict {
  commit: Commit;
  /** Where the ticket then stands. */
  state: TicketState;
  /** Value of the result, as `answerOf` would make it from the commit. */
  answer: string | Buffer;
}

/** What the ticket's rules count beside what its events tell; stored with the commit. */
type Rules = Omit<ExistingTicket, 'status' | 'ticket'>;

/** Decides a command. Pure: a repeated command never gets here, its stored answer is found before. */
export function judge(received: Received, standing: Standing): Verdict {
  const at = timeOf(standing, received.command);
  try {
    const fact = decide(received.command, standing.state, at);
    if (fact === null) return answered(received, standing, { outcome: 'unchanged', ...told(standing.state as ExistingTicket) });
    return applied(received, standing, fact, at);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return answered(received, standing, { outcome: 'rejected', problem: problem(error.code, error.message, error.extra) });
  }
}

/** Where a ticket stands after its newest applied commit. */
export function stateAfter(commit: Commit): ExistingTicket {
  const { ticket } = JSON.parse(commit.value.toString()) as EventValue;
  return { status: 'exists', ticket, ...(commit.rules as Rules) };
}

/** Value of the result that a commit is answered with: the same bytes every time. */
export function answerOf(commit: Commit): string | Buffer {
  if (commit.outcome !== 'applied') return commit.value;
  const { actor, ticket } = JSON.parse(commit.value.toString()) as EventValue;
  return appliedAnswer(commit, actor, JSON.stringify(ticket));
}

/** The answer of a command that came again at another offset. */
export const repeated = (answer: string | Buffer): string => JSON.stringify({ ...(JSON.parse(answer.toString()) as CommandResult), duplicate: true });

function appliedAnswer({ commandId, orgId, ticketId, payloadHash, version, origin }: Commit, actor: Actor, ticket: string): string {
  const answer: Omit<CommandResult, 'ticket' | 'origin'> = { commandId, orgId, ticketId, actor, payloadHash, outcome: 'applied', version };
  return withTicket(origin === undefined ? answer : { ...answer, origin }, ticket);
}

/** JSON of an object whose last member is a ticket that is JSON already: events and answers share what is costly to write. */
const withTicket = (members: object, ticket: string) => `${JSON.stringify(members).slice(0, -1)},"ticket":${ticket}}`;

/** A ticket's time never runs back, whatever the clocks of two instances say, or a command of the past; and nothing happens in the future. */
function timeOf({ state, now }: Standing, { at: told }: { at?: string | undefined } = {}): string {
  const clock = new Date(now).toISOString();
  const at = told !== undefined && told < clock ? told : clock;
  return state.status === 'exists' && state.ticket.updatedAt > at ? state.ticket.updatedAt : at;
}

function applied(received: Received, { state, number }: Standing, fact: TicketFact, at: string): Verdict {
  const { orgId, ticketId, commandId, actor, onBehalfOf, channel } = received.command;
  const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
  const next = evolve(state, { ...fact, ticketId, version, at, actor, birth: { number, channel } });
  const { ticket, status, ...rules } = next;
  const event: Omit<EventValue, 'ticket'> = { orgId, ticketId, version, commandId, actor, ...(onBehalfOf && { onBehalfOf }), at, data: fact.data };
  const ticketJson = JSON.stringify(ticket);
  const value = Buffer.from(withTicket(event, ticketJson));
  if (value.length > maxEventBytes) throw new Rejection('ticket-too-large', 'The ticket with this change would not fit into one message.');
  const commit: Commit = { ...keyOf(received), outcome: 'applied', version, type: fact.type, at, value, rules: rules satisfies Rules };
  return { commit, state: next, answer: appliedAnswer(commit, actor, ticketJson) };
}

const told = ({ ticket }: ExistingTicket) => ({ version: ticket.version, ticket });

/** An answer without an event: the ticket stands where it stood. Its time is the clock's, since it is kept for so long from then on. */
function answered(received: Received, standing: Standing, answer: Pick<CommandResult, 'version' | 'ticket'> & { outcome: 'unchanged' | 'rejected'; problem?: Problem }): Verdict {
  const { commandId, orgId, ticketId, actor, payloadHash, origin } = received.command;
  const result: CommandResult = { commandId, orgId, ticketId, actor, payloadHash, ...answer, ...(origin && { origin }) };
  const value = Buffer.from(JSON.stringify(result));
  return { commit: { ...keyOf(received), outcome: answer.outcome, type: resultType, at: timeOf(standing), value }, state: standing.state, answer: value };
}

const keyOf = ({ command, source, traceparent }: Received) => {
  const { orgId, ticketId, commandId, payloadHash, origin } = command;
  return { orgId, ticketId, commandId, payloadHash, origin, source, traceparent };
};
