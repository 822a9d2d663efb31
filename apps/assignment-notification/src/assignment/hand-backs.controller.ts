import { Body, Controller, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, PersonId, type HandBack, type Principal } from '#contracts';
import { lacks } from '#domain';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { asking, changeOf, markRepeat } from '../changes.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { Agenda } from './agenda.store.js';
import { HandBacks } from './hand-backs.store.js';
import { TrackedTickets } from './tracked-tickets.store.js';

/** Tickets that are given back by one request at most. */
const mostTickets = 10_000;

/** Somebody's open and pending tickets go back to the rules: by themself, or by an administrator. */
@Controller('v1/members')
@UseGuards(AssertionGuard)
export class HandBacksController {
  constructor(
    private readonly handBacks: HandBacks,
    private readonly tickets: TrackedTickets,
    private readonly directory: DirectoryStore,
    private readonly agenda: Agenda,
  ) {}

  @Post(':id/hand-back')
  async handBack(@Param('id', { schema: PersonId }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const principal = demandRight(request, id);
    const { orgId } = principal;
    const wanted = changeOf(request);
    const { tickets, hash, isRepeat } = await asking(() => this.given(principal, id, wanted));
    if (isRepeat) markRepeat(reply, hash, wanted.hash);
    await asking(() => this.agenda.wake(new Set([orgId])));
    void reply.code(202).send({ tickets } satisfies HandBack);
  }

  private async given({ orgId, actor, access }: Principal, id: string, wanted: ReturnType<typeof changeOf>) {
    const earlier = await this.handBacks.find(orgId, wanted);
    if (earlier) return { tickets: earlier.ticketIds.length, hash: earlier.hash, isRepeat: true };
    const ticketIds = await this.tickets.held(orgId, `member:${id}`, mostTickets);
    if (ticketIds.length === 0 && actor.id !== id) await this.demandMember(orgId, id);
    // It is theirs, or they are an administrator: their assistants, perhaps a thousand, are not what lets them.
    const command = JSON.stringify({ sender: { actor, access: { ...access, assistantIds: [] } }, data: { to: null, ifAssignee: { type: 'member', id } } });
    if (await this.handBacks.add(orgId, wanted, { command, ticketIds })) return { tickets: ticketIds.length, hash: wanted.hash, isRepeat: false };
    const faster = (await this.handBacks.find(orgId, wanted))!;
    return { tickets: faster.ticketIds.length, hash: faster.hash, isRepeat: true };
  }

  private async demandMember(orgId: string, id: string): Promise<void> {
    const { members } = await this.directory.people(orgId, [{ type: 'member', id }]);
    if (!members.has(id)) throw new ProblemError('not-found', 'There is no such member.');
  }
}

function demandRight({ principal }: FastifyRequest, id: string): Principal {
  const { actor } = principal;
  const missing = actor.type === 'member' && actor.id === id ? null : lacks(principal, 'administer');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
  return principal;
}
