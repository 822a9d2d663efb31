import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NoQuery, Uuid } from '#contracts';
import { Reads } from './reads.js';

/** What became of a command that was answered with 202. */
@Controller('v1/commands')
export class CommandsController {
  constructor(private readonly reads: Reads) {}

  @Get(':id')
  status(@Param('id', { schema: Uuid }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.command({ request, reply }, id);
  }
}
