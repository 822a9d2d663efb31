import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SuggestQuery, Suggestions } from '#contracts';
import { Operation } from './operation.js';
import { Reads } from './reads.js';

/** What a search box offers while somebody types. */
@Controller('v1/suggest')
export class SuggestController {
  constructor(private readonly reads: Reads) {}

  @Get()
  @Operation({
    id: 'suggest',
    tag: 'Tickets',
    summary: 'Suggest while somebody types',
    needs: 'read',
    answers: { 200: { description: 'Tickets, people and tags.', body: Suggestions, headers: ['X-Projection-Lag-Ms'] } },
    problems: ['forbidden'],
  })
  suggest(@Query({ schema: SuggestQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/suggest');
  }
}
