import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CommandStatus, NoQuery, Uuid } from '#contracts';
import { Operation } from './operation.js';
import { Reads } from './reads.js';

/** What became of a command that was answered with 202. */
@Controller('v1/commands')
export class CommandsController {
  constructor(private readonly reads: Reads) {}

  @Get(':id')
  @Operation({
    id: 'getCommand',
    tag: 'Commands',
    summary: 'What became of a command',
    description: 'For who sent it, from the moment of the 202.',
    answers: { 200: { description: 'Its state.', body: CommandStatus, headers: ['X-Projection-Lag-Ms'] } },
    problems: ['not-found'],
  })
  status(@Param('id', { schema: Uuid }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.command({ request, reply }, id);
  }
}
