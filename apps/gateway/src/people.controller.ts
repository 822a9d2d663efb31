import { Controller, Get, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Assistants, Me, Members, NoQuery, type Assistant, type Member } from '#contracts';
import { Directory } from './directory.js';
import { Operation } from './operation.js';

/** Who one is, and who else is there. */
@Controller('v1')
export class PeopleController {
  constructor(private readonly directory: Directory) {}

  @Get('me')
  @Operation({ id: 'getMe', tag: 'Organisation', summary: 'Who one is', answers: { 200: { description: 'The caller.', body: Me } } })
  me(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Me {
    const { principal, email } = caller;
    const { orgId, actor, access } = principal;
    return { type: actor.type, id: actor.id, name: actor.name, email, orgId, role: access.role, assistantIds: access.assistantIds, scopes: access.scopes };
  }

  @Get('members')
  @Operation({ id: 'listMembers', tag: 'Organisation', summary: 'Who can be assigned', answers: { 200: { description: 'The people of the organisation.', body: Members } } })
  async members(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Promise<{ items: readonly Member[] }> {
    return { items: (await this.directory.roster(caller.principal.orgId)).members };
  }

  @Get('assistants')
  @Operation({ id: 'listAssistants', tag: 'Organisation', summary: 'Which assistants there are', answers: { 200: { description: 'The assistants, and whose they are.', body: Assistants } } })
  async assistants(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Promise<{ items: readonly Assistant[] }> {
    return { items: (await this.directory.roster(caller.principal.orgId)).assistants };
  }
}
