import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, NoQuery, PersonId, RehearsalInput, RuleInput, RuleOrder, Uuid } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { administrator } from './administration.js';
import { assignmentOperations } from './assignment.operations.js';
import { Forwards } from './forwards.js';
import { Operation } from './operation.js';

const rules = '/v1/assignment-rules';

/** Who gets a ticket that nobody has: rules of the organisation, kept by assignment-notification. */
@Controller('v1')
export class AssignmentController {
  constructor(private readonly forwards: Forwards) {}

  @Get('assignment-rules')
  @Operation(assignmentOperations.list)
  list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, rules);
  }

  @Post('assignment-rules')
  @Operation(assignmentOperations.create)
  create(@Body({ schema: RuleInput }) _: RuleInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, rules);
  }

  @Put('assignment-rules/order')
  @HttpCode(200)
  @Operation(assignmentOperations.reorder)
  reorder(@Body({ schema: RuleOrder }) _: RuleOrder, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${rules}/order`);
  }

  @Post('assignment-rules/rehearse')
  @HttpCode(200)
  @Operation(assignmentOperations.rehearse)
  rehearse(@Body({ schema: RehearsalInput }) _: RehearsalInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${rules}/rehearse`);
  }

  @Put('assignment-rules/:id')
  @HttpCode(200)
  @Operation(assignmentOperations.replace)
  replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: RuleInput }) _: RuleInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${rules}/${id}`);
  }

  @Delete('assignment-rules/:id')
  @Operation(assignmentOperations.delete)
  delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${rules}/${id}`);
  }

  @Post('members/:id/hand-back')
  @HttpCode(202)
  @Operation(assignmentOperations.handBack)
  async handBack(@Param('id', { schema: PersonId }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { principal } = request.caller;
    const isOwn = principal.actor.type === 'member' && principal.actor.id === id;
    const missing = isOwn ? null : lacks(principal, 'administer');
    if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
    await this.forwards.pass({ request, reply }, `/v1/members/${encodeURIComponent(id)}/hand-back`);
  }

  private async passed(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    administrator(request);
    await this.forwards.pass({ request, reply }, path);
  }
}
