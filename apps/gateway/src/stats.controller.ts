import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Stats, StatsQuery } from '#contracts';
import { Operation } from './operation.js';
import { Reads } from './reads.js';

/** Numbers of tickets, for reports. */
@Controller('v1/stats')
export class StatsController {
  constructor(private readonly reads: Reads) {}

  @Get()
  @Operation({
    id: 'getStats',
    tag: 'Reports',
    summary: 'Statistics',
    description: 'Of the tickets that the caller sees. Days are UTC.',
    needs: 'read',
    answers: { 200: { description: 'The numbers.', body: Stats, headers: ['X-Projection-Lag-Ms'] } },
    problems: ['forbidden'],
  })
  stats(@Query({ schema: StatsQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/stats');
  }
}
