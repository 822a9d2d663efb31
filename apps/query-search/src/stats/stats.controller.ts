import { Controller, Get, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { StatsQuery, type Stats } from '#contracts';
import { AssertionGuard } from '../assertion.guard.js';
import { Generations } from '../generations/generations.js';

/** What gateways ask for statistics, under the public path. */
@Controller('v1/stats')
@UseGuards(AssertionGuard)
export class StatsController {
  constructor(private readonly generations: Generations) {}

  @Get()
  stats(@Query({ schema: StatsQuery }) query: StatsQuery, @Req() { reader }: FastifyRequest): Promise<Stats> {
    return this.generations.read(({ stats }) => stats.stats(reader.principal, query));
  }
}
