import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { alwaysThere, Availability, bodies, directoryKey, NoQuery, PersonId, type Me, type Member } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { StoreFault } from '#persistence';
import { administrator, answered, demandOf, identityOf } from './administration.js';
import { takeOffAssistants } from './departures.js';
import { Directory } from './directory.js';
import { available, left } from './directory.policy.js';
import { DirectoryStore } from './directory.store.js';
import { Operation } from './operation.js';
import { peopleOperations } from './people.operations.js';
import { SignIns } from './sign-ins.js';
import { unavailable } from './unavailable.js';

const what = 'member';

/** Who one is, who else is there, and when they work. */
@Controller('v1')
export class PeopleController {
  constructor(
    private readonly store: DirectoryStore,
    private readonly directory: Directory,
    private readonly signIns: SignIns,
  ) {}

  @Get('me')
  @Operation(peopleOperations.me)
  me(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Me {
    const { principal, email } = caller;
    const { orgId, actor, access } = principal;
    return { type: actor.type, id: actor.id, name: actor.name, email, orgId, role: access.role, assistantIds: access.assistantIds, scopes: access.scopes };
  }

  /** Whoever asks finds themselves, also at their very first request. */
  @Get('members')
  @Operation(peopleOperations.list)
  async members(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Promise<{ items: Member[] }> {
    await this.signIns.settled();
    const { members } = await this.directory.roster(caller.principal.orgId);
    return { items: members.map(({ id, name, email, role }) => ({ id, name, email, role })) };
  }

  /** Their assistants are others' from then on; what they see otherwise is the affair of their sign-in. */
  @Delete('members/:id')
  @Operation(peopleOperations.delete)
  async delete(@Param('id', { schema: PersonId }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const identity = identityOf(request, `/v1/members/${id}`);
    const member = { orgId, kind: 'member', id } as const;
    const edited = await this.store.edit(member, left(Date.now(), demandOf(request)), identity).catch(cannot);
    answered(reply, { edited, request: identity, what });
    await takeOffAssistants(this.store, member).catch(cannot);
    this.directory.renew(orgId);
    void reply.code(204).send();
  }

  @Get('members/:id/availability')
  @Operation(peopleOperations.availability)
  async availability(@Param('id', { schema: PersonId }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administratorOrSelf(request, id);
    await this.signIns.settled();
    const entry = await this.store.find(directoryKey({ orgId, kind: 'member', id })).catch(cannot);
    if (entry?.kind !== 'member' || entry.deleted) throw new ProblemError('not-found', `There is no such ${what}.`);
    const { availability = alwaysThere } = entry.value;
    void reply.header('etag', `"${entry.revision}"`).send(availability satisfies Availability);
  }

  @Put('members/:id/availability')
  @HttpCode(200)
  @Operation(peopleOperations.setAvailability)
  async setAvailability(@Param('id', { schema: PersonId }) id: string, @Body({ schema: Availability }) availability: Availability, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId, ...asker } = administratorOrSelf(request, id);
    const identity = identityOf(request, `/v1/members/${id}/availability`);
    await this.signIns.settled();
    const judge = available(availability, { ...demandOf(request), maySetCapacity: lacks(asker, 'administer') === null });
    const edited = await this.store.edit({ orgId, kind: 'member', id }, judge, identity).catch(cannot);
    answered(reply, { edited, request: identity, what });
    if (edited.outcome === 'forbidden') throw new ProblemError('forbidden', 'Another capacity needs role admin.', { missing: 'role admin' });
    void reply.header('etag', `"${edited.revision}"`).send(availability);
  }
}

/** @throws ProblemError 403 for members who ask about others, and for agents; whether there is somebody of that id is not told */
function administratorOrSelf(request: FastifyRequest, id: string) {
  const { principal } = request.caller;
  return principal.actor.type === 'member' && principal.actor.id === id ? principal : administrator(request);
}

function cannot(error: unknown): never {
  if (!(error instanceof StoreFault)) throw error;
  throw unavailable('Members cannot be read or written right now. A retry with the same Idempotency-Key is safe.', error);
}
