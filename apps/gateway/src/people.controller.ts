import { Controller, Get, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { NoQuery, type Assistant, type Member, type Role } from '#contracts';
import { Directory } from './directory.js';

interface Me {
  type: string;
  id: string;
  name: string;
  email?: string | undefined;
  orgId: string;
  role?: Role | undefined;
  assistantIds: string[];
}

/** Who one is, and who else is there. */
@Controller('v1')
export class PeopleController {
  constructor(private readonly directory: Directory) {}

  @Get('me')
  me(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Me {
    const { principal, email } = caller;
    const { orgId, actor, access } = principal;
    return { type: actor.type, id: actor.id, name: actor.name, email, orgId, role: access.role, assistantIds: access.assistantIds };
  }

  @Get('members')
  async members(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Promise<{ items: readonly Member[] }> {
    return { items: (await this.directory.roster(caller.principal.orgId)).members };
  }

  @Get('assistants')
  async assistants(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Promise<{ items: readonly Assistant[] }> {
    return { items: (await this.directory.roster(caller.principal.orgId)).assistants };
  }
}
