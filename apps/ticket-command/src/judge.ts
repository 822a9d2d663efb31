import { maxEventBytes, problem, resultType, type CommandResult, type EventValue, type Problem, type TicketFact } from '#contracts';
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

/** A commit to store, and where the ticket stands once it is stored. */
export interface Verdict {
  commit: Commit;
  state: TicketState;
}

/** What the ticket's rules count beside what its events tell; stored with the commit. */
type Rules = Omit<ExistingTicket, 'status' | 'ticket'>;

/** Decides a command. Pure: a repeated command never gets here, its stored answer is found before. */
export function judge(received: Received, standing: Standing): Verdict {
  const at = timeOf(standing);
  try {
    const fact = decide(received.command, standing.state, at);
    if (fact === null) return { commit: unchanged(received, standing, at), state: standing.state };
    return applied(received, standing, fact, at);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return { commit: rejected(received, problem(error.code, error.message, error.extra), at), state: standing.state };
  }
}

/** Where a ticket stands after its newest applied commit. */
export function stateAfter(commit: Commit): ExistingTicket {
  const { ticket } = JSON.parse(commit.value.toString()) as EventValue;
  return { status: 'exists', ticket, ...(commit.rules as Rules) };
}

/** The answer that a commit is, as the results topic tells it: the same bytes every time. */
export function answerOf(commit: Commit): CommandResult {
  if (commit.outcome !== 'applied') return JSON.parse(commit.value.toString()) as CommandResult;
  const { commandId, orgId, ticketId, actor, version, ticket } = JSON.parse(commit.value.toString()) as EventValue;
  const { payloadHash, outcome, origin } = commit;
  return { commandId, orgId, ticketId, actor, payloadHash, outcome, version, ticket, ...(origin !== undefined && { origin: origin as NonNullable<CommandResult['origin']> }) };
}

/** A ticket's time never runs back, whatever the clocks of two instances say. */
function timeOf({ state, now }: Standing): string {
  const at = new Date(now).toISOString();
  return state.status === 'exists' && state.ticket.updatedAt > at ? state.ticket.updatedAt : at;
}

function applied(received: Received, { state, number }: Standing, fact: TicketFact, at: string): Verdict {
  const { orgId, ticketId, commandId, actor, onBehalfOf, channel } = received.command;
  const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
  const next = evolve(state, { ...fact, ticketId, version, at, actor, birth: { number, channel } });
  const { ticket, status, ...rules } = next;
  const event: EventValue = { orgId, ticketId, version, commandId, actor, ...(onBehalfOf && { onBehalfOf }), at, data: fact.data, ticket };
  const value = Buffer.from(JSON.stringify(event));
  if (value.length > maxEventBytes) throw new Rejection('ticket-too-large', 'The ticket with this change would not fit into one message.');
  return { commit: { ...keyOf(received), outcome: 'applied', version, type: fact.type, at, value, rules: rules satisfies Rules }, state: next };
}

const unchanged = (received: Received, { state }: Standing, at: string): Commit => {
  const { ticket } = state as ExistingTicket;
  return answered(received, { outcome: 'unchanged', version: ticket.version, ticket }, at);
};

const rejected = (received: Received, problem: Problem, at: string): Commit => answered(received, { outcome: 'rejected', problem }, at);

function answered(received: Received, answer: Pick<CommandResult, 'version' | 'ticket' | 'problem'> & { outcome: 'unchanged' | 'rejected' }, at: string): Commit {
  const { commandId, orgId, ticketId, actor, payloadHash, origin } = received.command;
  const result: CommandResult = { commandId, orgId, ticketId, actor, payloadHash, ...answer, ...(origin && { origin }) };
  return { ...keyOf(received), outcome: answer.outcome, type: resultType, at, value: Buffer.from(JSON.stringify(result)) };
}

const keyOf = ({ command, source, traceparent }: Received) => {
  const { orgId, ticketId, commandId, payloadHash, origin } = command;
  return { orgId, ticketId, commandId, payloadHash, origin, source, traceparent };
};
