import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StatsQuery } from '#contracts';
import { Reads } from './reads.js';

/** Numbers of tickets, for reports. */
@Controller('v1/stats')
export class StatsController {
  constructor(private readonly reads: Reads) {}

  @Get()
  stats(@Query({ schema: StatsQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/stats');
  }
}
