import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SuggestQuery } from '#contracts';
import { Reads } from './reads.js';

/** What a search box offers while somebody types. */
@Controller('v1/suggest')
export class SuggestController {
  constructor(private readonly reads: Reads) {}

  @Get()
  suggest(@Query({ schema: SuggestQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/suggest');
  }
}
