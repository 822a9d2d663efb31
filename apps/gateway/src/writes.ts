import { Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problems, problemName, type CommandData, type CommandResult, type CommandType, type Problem, type Ticket, type TicketAnswer } from '#contracts';
import { allowedTransitions } from '#domain';
import { ProblemError } from '#observability';
import type { Answer, Shape } from './answers.js';
import { CommandBus, type Outgoing } from './command-bus.js';
import { commandIdOf, payloadHashOf, ticketIdOf } from './command-ids.js';

/** What a route makes of a request. */
export interface Write<T extends CommandType> {
  type: T;
  /** Left out by a create: the ticket's id is made here. */
  ticketId?: string;
  data: CommandData<T> | ((commandId: string) => CommandData<T>);
}

/** A request that came through the door, and its answer to be. */
export interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Turns requests into commands and their results into answers. */
@Injectable()
export class Writes {
  private readonly logger = new Logger('commands');

  constructor(private readonly bus: CommandBus) {}

  /** Sends the command and answers with what became of it. @throws ProblemError */
  async perform<T extends CommandType>({ request, reply }: Exchange, write: Write<T>, shape: Shape<T>): Promise<void> {
    const { respondAsync } = request.conditions;
    const command = commandOf(request, write);
    const outcome = await this.bus.send(command, { respondAsync });
    this.logger.debug({ msg: 'command', type: write.type, commandId: command.commandId, ticketId: command.value.ticketId, outcome: outcome === 'pending' ? outcome : outcome.outcome });
    if (outcome === 'pending') return answerPending(reply, command, respondAsync);
    if (outcome.duplicate) void reply.header('idempotency-replayed', 'true');
    if (outcome.problem !== undefined) return answerProblem(request, reply, outcome.problem);
    answer(reply, shape({ command, result: outcome, ticket: ticketFor(request, outcome) }));
  }
}

function commandOf<T extends CommandType>(request: FastifyRequest, { type, data, ticketId: given }: Write<T>): Outgoing<T> {
  const { caller, conditions, canonicalBody: body, method } = request;
  const { principal, channel } = caller;
  const { idempotencyKey, ifMatch, expectedVersion } = conditions;
  const route = given === undefined ? request.routeOptions.url! : request.routeOptions.url!.replace(':id', given);
  const keyed = { principal, method, route, idempotencyKey };
  const commandId = commandIdOf(keyed);
  const ticketId = given ?? ticketIdOf(keyed);
  const { orgId, actor, access } = principal;
  return {
    type,
    commandId,
    traceparent: traceparentOf(request),
    value: {
      orgId,
      ticketId,
      actor,
      access,
      channel,
      ...(expectedVersion !== undefined && { expectedVersion }),
      payloadHash: payloadHashOf({ method, route, body, ifMatch }),
      data: typeof data === 'function' ? data(commandId) : data,
    },
  };
}

function traceparentOf({ headers }: FastifyRequest): string | undefined {
  const given = headers['traceparent'];
  return typeof given === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(given) ? given : undefined;
}

function ticketFor({ caller }: FastifyRequest, { ticket, commandId }: CommandResult): TicketAnswer {
  if (ticket === undefined) throw new Error(`the result of ${commandId} has neither ticket nor problem`);
  return withMoves(ticket, caller.principal);
}

const withMoves = (ticket: Ticket, principal: Parameters<typeof allowedTransitions>[0]): TicketAnswer => ({
  ...ticket,
  allowedTransitions: allowedTransitions(principal, ticket),
});

function answer(reply: FastifyReply, { status, version, body, location }: Answer) {
  void reply.code(status).header('etag', `"${version}"`);
  if (location !== undefined) void reply.header('location', location);
  if (body === undefined) void reply.send();
  else void reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

function answerPending(reply: FastifyReply, { commandId: id, value: { ticketId } }: Outgoing, isAsked: boolean) {
  if (isAsked) void reply.header('preference-applied', 'respond-async');
  void reply
    .code(202)
    .header('location', `/v1/commands/${id}`)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ id, state: 'pending', ticketId }));
}

/** A refusal is told as it was decided. A command that was set aside is our fault: the caller's request was checked before it was sent. */
function answerProblem(request: FastifyRequest, reply: FastifyReply, refusal: Problem) {
  if (!Object.hasOwn(problems, problemName(refusal))) throw new ProblemError('internal-error', 'The request id helps us to find out what.');
  const body = { ...refusal, instance: request.url.split('?', 1)[0], requestId: request.id };
  void reply.code(refusal.status).header('content-type', 'application/problem+json').send(JSON.stringify(body));
}
