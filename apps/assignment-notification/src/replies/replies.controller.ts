import { Body, Controller, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, Uuid, type Principal, type ReplySending } from '#contracts';
import { lacks, sees } from '#domain';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { asking, changeOf } from '../changes.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import { Correspondents, type Correspondent } from './correspondents.store.js';
import { mailboxOf, replyClaim, type Content } from './requester.claimant.js';

/** Sends replies again: by hand, to where the requester is reached now. */
@Controller('v1/tickets')
@UseGuards(AssertionGuard)
export class RepliesController {
  constructor(
    private readonly correspondents: Correspondents,
    private readonly deliveries: Deliveries,
  ) {}

  @Post(':id/replies/:commentId/send')
  async send(@Param('id', { schema: Uuid }) id: string, @Param('commentId', { schema: Uuid }) commentId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { principal } = request;
    const { orgId } = principal;
    const change = changeOf(request);
    const ticket = await asking(() => this.correspondents.find(orgId, id));
    demandRight(principal, ticket);
    if (!(await asking(() => this.again(ticket, commentId, change.id)))) throw new ProblemError('not-found', 'There is no such reply.');
    void reply.code(202).send({ commentId, state: 'pending' } satisfies ReplySending);
  }

  /** One that waits for its next try goes at once. It was claimed for whose ticket it was then: the way it went is the way it goes. */
  private async again({ _id: ticketId, orgId, requester }: Correspondent, commentId: string, request: string): Promise<boolean> {
    const delivery = await this.deliveries.findAnywhere(orgId, replyClaim(ticketId, commentId));
    if (delivery === null) return false;
    await this.deliveries.sendAnew(delivery, { content: JSON.stringify(readdressed(delivery.content, requester)), request });
    return true;
  }
}

function readdressed(content: string, requester: Correspondent['requester']): Content {
  const what = JSON.parse(content) as Content;
  return what.way === 'email' ? { ...what, mail: { ...what.mail, to: mailboxOf(requester) } } : { ...what, message: { ...what.message, requester } };
}

/** @throws ProblemError not-found for whom the ticket is hidden, forbidden for whom may not reply */
function demandRight({ actor, access }: Principal, ticket: Correspondent | null): asserts ticket is Correspondent {
  if (ticket === null || ticket.isDeleted || !sees({ actor, access }, ticket)) throw new ProblemError('not-found', 'There is no such ticket.');
  const missing = lacks({ actor, access }, 'reply');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
}
